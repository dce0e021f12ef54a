#include "server/calls/support_service.h"

#include <optional>

#include "server/messages/convert.h"
#include "server/messages/reply.h"

namespace contacts::server {
namespace {

std::optional<ServiceId> ServiceIn(const std::string& id) {
  return id.empty() ? std::nullopt : std::optional(ServiceId(id));
}

}  // namespace

grpc::ServerUnaryReactor* SupportServer::SearchContactChanges(Context* context, const Buffer* in,
                                                              Buffer* out) {
  using Request = v1::SearchContactChangesRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    ChangeSearch search{.account = AccountId(request.account()),
                        .service = ServiceIn(request.service()),
                        .states = {},
                        .from = std::nullopt,
                        .before = std::nullopt};
    for (const int state : request.states()) {
      search.states.push_back(static_cast<ChangeState>(state));
    }
    if (request.has_create_time_from()) search.from = FromMessage(request.create_time_from());
    if (request.has_create_time_before()) search.before = FromMessage(request.create_time_before());
    const auto page = ToPageRequest(request, engine_->settings().default_page_size);
    return PageReply(request,
                     engine_->support.SearchContactChanges(call, search, page, request.max_items()),
                     &v1::SearchContactChangesResponse::add_contact_changes);
  };
  return Serve<Request>("SearchContactChanges", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* SupportServer::LookupContactChange(Context* context, const Buffer* in,
                                                             Buffer* out) {
  using Request = v1::LookupContactChangeRequest;
  const auto handle = [this](const Call& call, const Request& request) -> Reply {
    const auto found =
        engine_->support.LookupContactChange(call, ChangeId(request.contact_change_id()));
    if (!found.ok()) return found.status();
    v1::LookupContactChangeResponse response;
    *response.mutable_contact_change() = ToMessage(found->change);
    for (const ChangeEvent& event : found->events) *response.add_events() = ToMessage(event);
    return response.SerializeAsString();
  };
  return Serve<Request>("LookupContactChange", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* SupportServer::ResendValidationFor(Context* context, const Buffer* in,
                                                             Buffer* out) {
  using Request = v1::ResendValidationForRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->support.ResendValidationFor(
        call, ChangeId(request.contact_change_id()), AccountId(request.account()),
        ReplyWith(&v1::ResendValidationForResponse::mutable_contact_change));
  };
  return Serve<Request>("ResendValidationFor", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* SupportServer::AbortContactChange(Context* context, const Buffer* in,
                                                            Buffer* out) {
  using Request = v1::AbortContactChangeRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->support.AbortContactChange(
        call, ChangeId(request.contact_change_id()), request.reason(),
        ReplyWith(&v1::AbortContactChangeResponse::mutable_contact_change));
  };
  return Serve<Request>("AbortContactChange", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* SupportServer::ListServiceContactHistory(Context* context,
                                                                   const Buffer* in, Buffer* out) {
  using Request = v1::ListServiceContactHistoryRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    const auto page = ToPageRequest(request, engine_->settings().default_event_page_size);
    return PageReply(
        request,
        engine_->support.ListServiceContactHistory(call, ServiceId(request.service()), page),
        &v1::ListServiceContactHistoryResponse::add_moves);
  };
  return Serve<Request>("ListServiceContactHistory", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* SupportServer::ListContactOverrides(Context* context, const Buffer* in,
                                                              Buffer* out) {
  using Request = v1::ListContactOverridesRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    const OverrideFilter filter{.service = ServiceIn(request.service()),
                                .account = AccountId(request.account())};
    const auto page = ToPageRequest(request, engine_->settings().default_page_size);
    return PageReply(request, engine_->support.ListContactOverrides(call, filter, page),
                     &v1::ListContactOverridesResponse::add_overrides);
  };
  return Serve<Request>("ListContactOverrides", {context, in, out}, handle);
}

}  // namespace contacts::server
