#include "tests/bench/api.h"

#include <utility>

#include "server/messages/page_token.h"
#include "server/messages/reply.h"

namespace contacts::bench {
namespace {

using Async = v1::ContactService::StubInterface::async_interface;

template <typename Request, typename Response>
using Stub = void (Async::*)(grpc::ClientContext*, const Request*, Response*,
                             std::function<void(grpc::Status)>);

}  // namespace

GrpcApi::GrpcApi(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(v1::ContactService::NewStub(channel)), support_(v1::SupportService::NewStub(channel)) {}

void GrpcApi::Make(Method method, const std::string& account, const Message& request,
                   Message& response, Done done) {
  context_.emplace();
  auto told = [done = std::move(done)](const grpc::Status& status) {
    if (status.ok()) return done(absl::OkStatus());
    done({static_cast<absl::StatusCode>(status.error_code()), status.error_message()});
  };
  if (method == Method::kSearchContactChanges) {
    context_->AddMetadata("contacts-caller", "support");
    return support_->async()->SearchContactChanges(
        &*context_, &static_cast<const v1::SearchContactChangesRequest&>(request),
        &static_cast<v1::SearchContactChangesResponse&>(response), std::move(told));
  }
  context_->AddMetadata("contacts-account", account);
  const auto call = [&]<typename Request, typename Response>(Stub<Request, Response> stub) {
    (stub_->async()->*stub)(&*context_, &static_cast<const Request&>(request),
                            &static_cast<Response&>(response), std::move(told));
  };
  // The stubs' methods are overloaded by the kind of completion. These types choose the callback.
#define CONTACTS_BENCH_CALL(name) \
  case Method::k##name:           \
    return call(static_cast<Stub<v1::name##Request, v1::name##Response>>(&Async::name))
  switch (method) {
    CONTACTS_BENCH_CALL(GetProfile);
    CONTACTS_BENCH_CALL(GetService);
    CONTACTS_BENCH_CALL(ListServices);
    CONTACTS_BENCH_CALL(UpdateServiceOwner);
    CONTACTS_BENCH_CALL(GetContactChange);
    CONTACTS_BENCH_CALL(ListContactChanges);
    CONTACTS_BENCH_CALL(ListContactChangeEvents);
    CONTACTS_BENCH_CALL(ChangeContacts);
    CONTACTS_BENCH_CALL(AcceptContactChange);
    CONTACTS_BENCH_CALL(RefuseContactChange);
    CONTACTS_BENCH_CALL(CancelContactChange);
    case Method::kSearchContactChanges: return;  // Made above.
  }
#undef CONTACTS_BENCH_CALL
}

absl::StatusOr<std::string> EngineApi::Answer(Method method, const Call& call,
                                              const Message& message) const {
  switch (method) {
    case Method::kGetContactChange: {
      const auto& request = static_cast<const v1::GetContactChangeRequest&>(message);
      return server::Encoded(
          engine_->reading.GetContactChange(call, *Uuid::Parse(request.contact_change_id())),
          server::ReplyWith(&v1::GetContactChangeResponse::mutable_contact_change));
    }
    case Method::kListServices: {
      const auto& request = static_cast<const v1::ListServicesRequest&>(message);
      return server::PageReply(
          request, engine_->reading.ListServices(call, {}, server::ToPageRequest(request, 50)),
          &v1::ListServicesResponse::add_services);
    }
    case Method::kListContactChanges: {
      const auto& request = static_cast<const v1::ListContactChangesRequest&>(message);
      return server::PageReply(
          request,
          engine_->reading.ListContactChanges(call, {}, server::ToPageRequest(request, 50)),
          &v1::ListContactChangesResponse::add_contact_changes);
    }
    case Method::kChangeContacts: {
      const auto& request = static_cast<const v1::ChangeContactsRequest&>(message);
      return engine_->asking.ChangeContacts(
          call, {.assignments = server::ToAssignments(request.assignments())},
          server::ReplyWithAll(&v1::ChangeContactsResponse::add_contact_changes));
    }
    case Method::kAcceptContactChange: {
      const auto& request = static_cast<const v1::AcceptContactChangeRequest&>(message);
      return engine_->answering.AcceptContactChange(
          call, *Uuid::Parse(request.contact_change_id()), request.token(),
          server::ReplyWith(&v1::AcceptContactChangeResponse::mutable_contact_change));
    }
    default: return absl::UnimplementedError("no floor of this method");
  }
}

void EngineApi::Make(Method method, const std::string& account, const Message& request,
                     Message& response, Done done) {
  Call call;
  call.account = AccountId(account);
  call.fingerprint = server::Fingerprint(v1::ContactService::service_full_name(), request);
  call.limits.deadline = absl::Now() + absl::Seconds(30);
  const auto* field = request.GetDescriptor()->FindFieldByName("request_id");
  if (field != nullptr) {
    call.request_id = Uuid::Parse(request.GetReflection()->GetString(request, field));
  }
  const absl::StatusOr<std::string> reply = Answer(method, call, request);
  if (reply.ok()) response.ParseFromString(*reply);
  done(reply.status());
}

}  // namespace contacts::bench
