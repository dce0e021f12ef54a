#ifndef CONTACTS_SERVER_CALLS_CONTACT_SERVICE_H_
#define CONTACTS_SERVER_CALLS_CONTACT_SERVICE_H_

#include "contacts/v1/contact_service.grpc.pb.h"
#include "core/engine/engine.h"
#include "server/calls/unary_call.h"
#include "server/calls/watch.h"

namespace contacts::server {

// Makes every method of ContactService take and return bytes.
// clang-format off
using RawContactService =
    v1::ContactService::WithRawCallbackMethod_GetProfile<
    v1::ContactService::WithRawCallbackMethod_UpdateProfile<
    v1::ContactService::WithRawCallbackMethod_ConfirmEmail<
    v1::ContactService::WithRawCallbackMethod_ListServices<
    v1::ContactService::WithRawCallbackMethod_GetService<
    v1::ContactService::WithRawCallbackMethod_UpdateServiceOwner<
    v1::ContactService::WithRawCallbackMethod_ListContactHistory<
    v1::ContactService::WithRawCallbackMethod_ChangeContacts<
    v1::ContactService::WithRawCallbackMethod_GetContactChange<
    v1::ContactService::WithRawCallbackMethod_ListContactChanges<
    v1::ContactService::WithRawCallbackMethod_AcceptContactChange<
    v1::ContactService::WithRawCallbackMethod_RefuseContactChange<
    v1::ContactService::WithRawCallbackMethod_ResendValidation<
    v1::ContactService::WithRawCallbackMethod_CancelContactChange<
    v1::ContactService::WithRawCallbackMethod_ListContactChangeEvents<
    v1::ContactService::WithRawCallbackMethod_WatchContactChanges<
    v1::ContactService::Service>>>>>>>>>>>>>>>>;
// clang-format on

// Hands the calls of ContactService to the engine. The contract says the errors of each. Thread
// safe.
class ContactServer final : public RawContactService {
 public:
  using Context = grpc::CallbackServerContext;
  using Buffer = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  // All must outlive this object.
  ContactServer(UnaryCalls* calls, Engine* engine, Watch* watch)
      : calls_(calls), engine_(engine), watch_(watch) {}

  Reactor* GetProfile(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* UpdateProfile(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ConfirmEmail(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ListServices(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* GetService(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ListContactHistory(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* UpdateServiceOwner(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ChangeContacts(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* GetContactChange(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ListContactChanges(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* AcceptContactChange(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* RefuseContactChange(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ResendValidation(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* CancelContactChange(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ListContactChangeEvents(Context* context, const Buffer* in, Buffer* out) override;
  grpc::ServerWriteReactor<Buffer>* WatchContactChanges(Context* context,
                                                        const Buffer* in) override {
    return watch_->Serve(context, in);
  }

 private:
  template <typename Request, typename Handler>
  Reactor* Serve(const char* method, const RawCall& raw, Handler handler) {
    return calls_->Serve<Request>(raw, NameOf(method), Audience::kAccounts, std::move(handler));
  }
  static std::string NameOf(const char* method) {
    return std::string(v1::ContactService::service_full_name()) + "/" + method;
  }

  UnaryCalls* const calls_;
  Engine* const engine_;
  Watch* const watch_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_CONTACT_SERVICE_H_
