#include "server/calls/contact_service.h"

#include "server/messages/convert.h"
#include "server/messages/reply.h"

namespace contacts::server {
grpc::ServerUnaryReactor* ContactServer::GetProfile(Context* context, const Buffer* in,
                                                    Buffer* out) {
  using Request = v1::GetProfileRequest;
  return Serve<Request>("GetProfile", {context, in, out}, [this](const Call& call, const Request&) {
    return Encoded(engine_->profiles.GetProfile(call),
                   ReplyWith(&v1::GetProfileResponse::mutable_account));
  });
}

grpc::ServerUnaryReactor* ContactServer::UpdateProfile(Context* context, const Buffer* in,
                                                       Buffer* out) {
  using Request = v1::UpdateProfileRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    ProfileUpdate update = ToProfileUpdate(request.account(), request.update_mask());
    update.id = call.account;
    return engine_->profiles.UpdateAccount(call, update,
                                           ReplyWith(&v1::UpdateProfileResponse::mutable_account));
  };
  return Serve<Request>("UpdateProfile", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::ConfirmEmail(Context* context, const Buffer* in,
                                                      Buffer* out) {
  using Request = v1::ConfirmEmailRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->profiles.ConfirmEmail(call, request.token(),
                                          ReplyWith(&v1::ConfirmEmailResponse::mutable_account));
  };
  return Serve<Request>("ConfirmEmail", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::ListServices(Context* context, const Buffer* in,
                                                      Buffer* out) {
  using Request = v1::ListServicesRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    ServiceFilter filter{
        .roles = {}, .id_prefix = request.id_prefix(), .contact = AccountId(request.contact())};
    for (const int role : request.roles()) filter.roles.push_back(static_cast<Role>(role));
    const auto page = ToPageRequest(request, engine_->settings().default_page_size);
    return PageReply(request, engine_->reading.ListServices(call, filter, page),
                     &v1::ListServicesResponse::add_services);
  };
  return Serve<Request>("ListServices", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::GetService(Context* context, const Buffer* in,
                                                    Buffer* out) {
  using Request = v1::GetServiceRequest;
  const auto handle = [this](const Call& call, const Request& request) -> Reply {
    const auto view = engine_->reading.GetService(call, ServiceId(request.service()));
    if (!view.ok()) return view.status();
    v1::GetServiceResponse response;
    *response.mutable_service() = ToMessage(view->service);
    for (const Uuid& id : view->pending_change_ids) {
      response.add_pending_contact_change_ids(id.text());
    }
    return response.SerializeAsString();
  };
  return Serve<Request>("GetService", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::ListContactHistory(Context* context, const Buffer* in,
                                                            Buffer* out) {
  using Request = v1::ListContactHistoryRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    const auto page = ToPageRequest(request, engine_->settings().default_event_page_size);
    return PageReply(request,
                     engine_->reading.ListContactHistory(call, ServiceId(request.service()), page),
                     &v1::ListContactHistoryResponse::add_moves);
  };
  return Serve<Request>("ListContactHistory", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::UpdateServiceOwner(Context* context, const Buffer* in,
                                                            Buffer* out) {
  using Request = v1::UpdateServiceOwnerRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    const auto& paths = request.update_mask().paths();
    const OwnerUpdate update{.service = ServiceId(request.service()),
                             .owner = FromMessage(request.owner()),
                             .fields = {paths.begin(), paths.end()},
                             .etag = request.etag()};
    return engine_->profiles.UpdateServiceOwner(
        call, update, ReplyWith(&v1::UpdateServiceOwnerResponse::mutable_service));
  };
  return Serve<Request>("UpdateServiceOwner", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::ChangeContacts(Context* context, const Buffer* in,
                                                        Buffer* out) {
  using Request = v1::ChangeContactsRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    const ChangeAsk ask{.assignments = ToAssignments(request.assignments()),
                        .validate_only = request.validate_only()};
    return engine_->asking.ChangeContacts(
        call, ask, ReplyWithAll(&v1::ChangeContactsResponse::add_contact_changes));
  };
  return Serve<Request>("ChangeContacts", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::GetContactChange(Context* context, const Buffer* in,
                                                          Buffer* out) {
  using Request = v1::GetContactChangeRequest;
  const auto handle = [this](const Call& call, const google::protobuf::Message& request,
                             const UnaryCalls::Done& done) {
    const auto got = [done](const absl::StatusOr<ContactChange>& change) {
      done([&] {
        return Encoded(change, ReplyWith(&v1::GetContactChangeResponse::mutable_contact_change));
      });
    };
    const auto& id = static_cast<const Request&>(request).contact_change_id();
    engine_->reading.GetContactChange(call, ChangeId(id), got);
  };
  return calls_->Serve({context, in, out}, NameOf("GetContactChange"), Audience::kAccounts,
                       std::make_unique<Request>(), handle);
}

grpc::ServerUnaryReactor* ContactServer::ListContactChanges(Context* context, const Buffer* in,
                                                            Buffer* out) {
  using Request = v1::ListContactChangesRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    ChangeFilter filter{.states = {},
                        .involvement = static_cast<Involvement>(request.involvement()),
                        .service = std::nullopt};
    for (const int state : request.states()) {
      filter.states.push_back(static_cast<ChangeState>(state));
    }
    if (!request.service().empty()) filter.service = ServiceId(request.service());
    const auto page = ToPageRequest(request, engine_->settings().default_page_size);
    return PageReply(request,
                     engine_->reading.ListContactChanges(call, filter, page, request.max_items()),
                     &v1::ListContactChangesResponse::add_contact_changes);
  };
  return Serve<Request>("ListContactChanges", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::AcceptContactChange(Context* context, const Buffer* in,
                                                             Buffer* out) {
  using Request = v1::AcceptContactChangeRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->answering.AcceptContactChange(
        call, ChangeId(request.contact_change_id()), request.token(),
        ReplyWith(&v1::AcceptContactChangeResponse::mutable_contact_change));
  };
  return Serve<Request>("AcceptContactChange", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::RefuseContactChange(Context* context, const Buffer* in,
                                                             Buffer* out) {
  using Request = v1::RefuseContactChangeRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->answering.RefuseContactChange(
        call, ChangeId(request.contact_change_id()), request.token(), request.reason(),
        ReplyWith(&v1::RefuseContactChangeResponse::mutable_contact_change));
  };
  return Serve<Request>("RefuseContactChange", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::ResendValidation(Context* context, const Buffer* in,
                                                          Buffer* out) {
  using Request = v1::ResendValidationRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->answering.ResendValidation(
        call, ChangeId(request.contact_change_id()), AccountId(request.account()),
        ReplyWith(&v1::ResendValidationResponse::mutable_contact_change));
  };
  return Serve<Request>("ResendValidation", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::CancelContactChange(Context* context, const Buffer* in,
                                                             Buffer* out) {
  using Request = v1::CancelContactChangeRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->answering.CancelContactChange(
        call, ChangeId(request.contact_change_id()),
        ReplyWith(&v1::CancelContactChangeResponse::mutable_contact_change));
  };
  return Serve<Request>("CancelContactChange", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* ContactServer::ListContactChangeEvents(Context* context, const Buffer* in,
                                                                 Buffer* out) {
  using Request = v1::ListContactChangeEventsRequest;
  const auto handle = [this](const Call& call, const Request& request) -> Reply {
    const auto page = ToPageRequest(request, engine_->settings().default_event_page_size);
    const Uuid id = ChangeId(request.contact_change_id());
    const auto events = engine_->reading.ListContactChangeEvents(call, id, page);
    if (!events.ok()) return events.status();
    v1::ListContactChangeEventsResponse response;
    for (const ChangeEvent& event : events->rows) *response.add_events() = ToMessage(event);
    if (events->change) *response.mutable_contact_change() = ToMessage(*events->change);
    response.set_next_page_token(MakePageToken(request, events->next));
    return response.SerializeAsString();
  };
  return Serve<Request>("ListContactChangeEvents", {context, in, out}, handle);
}

}  // namespace contacts::server
