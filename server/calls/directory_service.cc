#include "server/calls/directory_service.h"

#include "server/messages/convert.h"
#include "server/messages/reply.h"

namespace contacts::server {

grpc::ServerUnaryReactor* DirectoryServer::CreateAccount(Context* context, const Buffer* in,
                                                         Buffer* out) {
  using Request = v1::CreateAccountRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->directory.CreateAccount(call, FromMessage(request.account()),
                                            ReplyWith(&v1::CreateAccountResponse::mutable_account));
  };
  return Serve<Request>("CreateAccount", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* DirectoryServer::GetAccount(Context* context, const Buffer* in,
                                                      Buffer* out) {
  using Request = v1::GetAccountRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return Encoded(engine_->profiles.GetAccount(call, AccountId(request.account())),
                   ReplyWith(&v1::GetAccountResponse::mutable_account));
  };
  return Serve<Request>("GetAccount", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* DirectoryServer::UpdateAccount(Context* context, const Buffer* in,
                                                         Buffer* out) {
  using Request = v1::UpdateAccountRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->profiles.UpdateAccount(
        call, ToProfileUpdate(request.account(), request.update_mask()),
        ReplyWith(&v1::UpdateAccountResponse::mutable_account));
  };
  return Serve<Request>("UpdateAccount", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* DirectoryServer::DeleteAccount(Context* context, const Buffer* in,
                                                         Buffer* out) {
  using Request = v1::DeleteAccountRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->directory.DeleteAccount(call, AccountId(request.account()), [](const auto&) {
      return v1::DeleteAccountResponse().SerializeAsString();
    });
  };
  return Serve<Request>("DeleteAccount", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* DirectoryServer::CreateService(Context* context, const Buffer* in,
                                                         Buffer* out) {
  using Request = v1::CreateServiceRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->directory.CreateService(call, FromMessage(request.service()),
                                            ReplyWith(&v1::CreateServiceResponse::mutable_service));
  };
  return Serve<Request>("CreateService", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* DirectoryServer::LookupService(Context* context, const Buffer* in,
                                                         Buffer* out) {
  using Request = v1::LookupServiceRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return Encoded(engine_->directory.LookupService(call, ServiceId(request.service())),
                   ReplyWith(&v1::LookupServiceResponse::mutable_service));
  };
  return Serve<Request>("LookupService", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* DirectoryServer::DeleteService(Context* context, const Buffer* in,
                                                         Buffer* out) {
  using Request = v1::DeleteServiceRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    return engine_->directory.DeleteService(call, ServiceId(request.service()), [](const auto&) {
      return v1::DeleteServiceResponse().SerializeAsString();
    });
  };
  return Serve<Request>("DeleteService", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* DirectoryServer::OverrideContacts(Context* context, const Buffer* in,
                                                            Buffer* out) {
  using Request = v1::OverrideContactsRequest;
  const auto handle = [this](const Call& call, const Request& request) {
    const OverrideAsk ask{.assignments = ToAssignments(request.assignments()),
                          .reason = request.reason()};
    return engine_->directory.OverrideContacts(call, ask,
                                               [](const std::vector<contacts::Service>& services) {
                                                 v1::OverrideContactsResponse response;
                                                 for (const contacts::Service& service : services) {
                                                   auto* added = response.add_services();
                                                   *added = ToMessage(service);
                                                   // The owners of 1,000 services may have more
                                                   // than 4 MiB.
                                                   added->clear_owner();
                                                 }
                                                 return response.SerializeAsString();
                                               });
  };
  return Serve<Request>("OverrideContacts", {context, in, out}, handle);
}

grpc::ServerUnaryReactor* DirectoryServer::ExportDirectory(Context* context, const Buffer* in,
                                                           Buffer* out) {
  using Request = v1::ExportDirectoryRequest;
  const auto handle = [this](const Call& call, const Request& request) -> Reply {
    const absl::StatusOr<DirectoryPage> page = engine_->bulk.ExportDirectory(
        call, ToPageRequest(request, engine_->settings().default_page_size));
    if (!page.ok()) return page.status();
    v1::ExportDirectoryResponse response;
    for (const auto& account : page->accounts) *response.add_accounts() = ToMessage(account);
    for (const auto& service : page->services) *response.add_services() = ToMessage(service);
    response.set_next_page_token(MakePageToken(request, page->next));
    return response.SerializeAsString();
  };
  return Serve<Request>("ExportDirectory", {context, in, out}, handle);
}

}  // namespace contacts::server
