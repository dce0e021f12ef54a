#ifndef CONTACTS_SERVER_CALLS_SUPPORT_SERVICE_H_
#define CONTACTS_SERVER_CALLS_SUPPORT_SERVICE_H_

#include <string>

#include "contacts/v1/support_service.grpc.pb.h"
#include "core/engine/engine.h"
#include "server/calls/unary_call.h"

namespace contacts::server {

// Makes every method of SupportService take and return bytes.
// clang-format off
using RawSupportService =
    v1::SupportService::WithRawCallbackMethod_SearchContactChanges<
    v1::SupportService::WithRawCallbackMethod_LookupContactChange<
    v1::SupportService::WithRawCallbackMethod_ResendValidationFor<
    v1::SupportService::WithRawCallbackMethod_AbortContactChange<
    v1::SupportService::WithRawCallbackMethod_ListServiceContactHistory<
    v1::SupportService::WithRawCallbackMethod_ListContactOverrides<
    v1::SupportService::Service>>>>>>;
// clang-format on

// Hands the calls of SupportService to the engine. The contract says the errors of each. Thread
// safe.
class SupportServer final : public RawSupportService {
 public:
  using Context = grpc::CallbackServerContext;
  using Buffer = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  // Both must outlive this object.
  SupportServer(UnaryCalls* calls, Engine* engine) : calls_(calls), engine_(engine) {}

  Reactor* SearchContactChanges(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* LookupContactChange(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ResendValidationFor(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* AbortContactChange(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ListServiceContactHistory(Context* context, const Buffer* in, Buffer* out) override;
  Reactor* ListContactOverrides(Context* context, const Buffer* in, Buffer* out) override;

 private:
  template <typename Request, typename Handler>
  Reactor* Serve(const char* method, const RawCall& raw, Handler handler) {
    return calls_->Serve<Request>(
        raw, std::string(v1::SupportService::service_full_name()) + "/" + method,
        Audience::kSupport, std::move(handler));
  }

  UnaryCalls* const calls_;
  Engine* const engine_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_SUPPORT_SERVICE_H_
