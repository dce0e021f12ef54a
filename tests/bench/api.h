#ifndef CONTACTS_TESTS_BENCH_API_H_
#define CONTACTS_TESTS_BENCH_API_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/support_service.grpc.pb.h"
#include "core/engine/engine.h"

namespace contacts::bench {

// The methods that are measured.
enum class Method {
  kGetProfile,
  kGetService,
  kListServices,
  kUpdateServiceOwner,
  kGetContactChange,
  kListContactChanges,
  kListContactChangeEvents,
  kChangeContacts,
  kAcceptContactChange,
  kRefuseContactChange,
  kCancelContactChange,
  kSearchContactChanges,  // By the support desk: no account is sent.
};

// Answers calls. `request` and `response` have the method's types and must outlive the call of
// `done`, which runs once, on any thread.
class Api {
 public:
  using Done = std::function<void(const absl::Status&)>;
  using Message = google::protobuf::Message;

  virtual ~Api() = default;
  virtual void Make(Method method, const std::string& account, const Message& request,
                    Message& response, Done done) = 0;
};

// Calls over gRPC, on the generated stubs; one at a time.
class GrpcApi final : public Api {
 public:
  explicit GrpcApi(const std::shared_ptr<grpc::Channel>& channel);
  void Make(Method method, const std::string& account, const Message& request, Message& response,
            Done done) override;

 private:
  const std::unique_ptr<v1::ContactService::Stub> stub_;
  const std::unique_ptr<v1::SupportService::Stub> support_;
  std::optional<grpc::ClientContext> context_;
};

// The benchmark asks more often than a customer may.
inline Settings WithoutQuota() {
  Settings settings;
  settings.max_asks_per_minute = 1'000'000;
  settings.max_mails_per_day = 1'000'000;
  settings.max_items_per_day = 1'000'000'000;
  return settings;
}

// The engine in this process, with replies encoded as the server does: the whole service
// without gRPC, queue, identities and validation. Runs `done` before Make returns. Supports
// the methods that have an echo and an sql line. Thread safe.
class EngineApi final : public Api {
 public:
  explicit EngineApi(Engine* engine) : engine_(engine) {}
  void Make(Method method, const std::string& account, const Message& request, Message& response,
            Done done) override;

 private:
  absl::StatusOr<std::string> Answer(Method method, const Call& call, const Message& request) const;

  Engine* const engine_;
};

}  // namespace contacts::bench

#endif  // CONTACTS_TESTS_BENCH_API_H_
