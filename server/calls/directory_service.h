#ifndef CONTACTS_SERVER_CALLS_DIRECTORY_SERVICE_H_
#define CONTACTS_SERVER_CALLS_DIRECTORY_SERVICE_H_

#include "contacts/v1/directory_service.grpc.pb.h"
#include "core/engine/engine.h"
#include "server/calls/import_call.h"
#include "server/calls/unary_call.h"

namespace contacts::server {

// Makes every method of DirectoryService take and return bytes.
// clang-format off
using RawDirectoryService =
    v1::DirectoryService::WithRawCallbackMethod_CreateAccount<
    v1::DirectoryService::WithRawCallbackMethod_GetAccount<
    v1::DirectoryService::WithRawCallbackMethod_UpdateAccount<
    v1::DirectoryService::WithRawCallbackMethod_DeleteAccount<
    v1::DirectoryService::WithRawCallbackMethod_CreateService<
    v1::DirectoryService::WithRawCallbackMethod_LookupService<
    v1::DirectoryService::WithRawCallbackMethod_DeleteService<
    v1::DirectoryService::WithRawCallbackMethod_OverrideContacts<
    v1::DirectoryService::WithRawCallbackMethod_ExportDirectory<
    v1::DirectoryService::WithRawCallbackMethod_ImportDirectory<
    v1::DirectoryService::Service>>>>>>>>>>;
// clang-format on

// Hands the calls of DirectoryService to the engine. The contract says the errors of each. Thread
// safe.
class DirectoryServer final : public RawDirectoryService {
 public:
  using Context = grpc::CallbackServerContext;
  using Buffer = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  // All must outlive this object.
  DirectoryServer(UnaryCalls* calls, ImportCalls* imports, Engine* engine)
      : calls_(calls), imports_(imports), engine_(engine) {}

  Reactor* CreateAccount(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* GetAccount(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* UpdateAccount(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* DeleteAccount(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* CreateService(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* LookupService(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* DeleteService(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* OverrideContacts(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ExportDirectory(Context* context, const Buffer* in, Buffer* out) override;
  ImportCalls::Stream* ImportDirectory(Context* context) override {
    return imports_->Serve(context);
  }

 private:
  template <typename Request, typename Handler>
  Reactor* Serve(const char* method, const RawCall& raw, Handler handler) {
    return calls_->Serve<Request>(
        raw, std::string(v1::DirectoryService::service_full_name()) + "/" + method,
        Audience::kOperators, std::move(handler));
  }

  UnaryCalls* const calls_;
  ImportCalls* const imports_;
  Engine* const engine_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_DIRECTORY_SERVICE_H_
