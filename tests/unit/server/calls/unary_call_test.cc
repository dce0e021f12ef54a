#include "server/calls/unary_call.h"

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "contacts/v1/contact_service.grpc.pb.h"

namespace contacts::server {
namespace {

using Handler =
    std::function<absl::StatusOr<std::string>(const Call&, const v1::GetServiceRequest&)>;
using Stub = v1::ContactService::Stub;

// GetService over the real path, with a handler of the test.
class OneMethod final
    : public v1::ContactService::WithRawCallbackMethod_GetService<v1::ContactService::Service> {
 public:
  OneMethod(UnaryCalls* calls, Handler handler) : calls_(calls), handler_(std::move(handler)) {}
  grpc::ServerUnaryReactor* GetService(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* in, grpc::ByteBuffer* out) override {
    return calls_->Serve<v1::GetServiceRequest>({context, in, out}, "GetService",
                                                Audience::kAccounts, handler_);
  }

 private:
  UnaryCalls* const calls_;
  const Handler handler_;
};

// A server of that method, with one worker and room for one more call.
class Served {
 public:
  explicit Served(const Handler& handler, absl::Duration longest = absl::Seconds(30))
      : validator_(FieldRules(AccountIdForm(), Settings())),
        workers_({.threads = 1, .waiting = 1, .threads_per_tenant = 1, .waiting_per_tenant = 1}),
        calls_({&authenticator_, &validator_}, &workers_, longest),
        service_(&calls_, handler) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::ContactService::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                                            grpc::InsecureChannelCredentials()));
  }
  ~Served() { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5)); }

  grpc::Status Get(grpc::ClientContext& context, const std::string& service = "a.example") {
    context.AddMetadata("contacts-account", "aa1-ovh");
    v1::GetServiceRequest request;
    request.set_service(service);
    v1::GetServiceResponse response;
    return stub_->GetService(&context, request, &response);
  }
  grpc::Status Get(const std::string& service = "a.example") {
    grpc::ClientContext context;
    return Get(context, service);
  }

  UnaryCalls& calls() { return calls_; }

 private:
  DevelopmentAuthenticator authenticator_{AccountIdForm()};
  RequestValidator validator_;
  WorkQueue workers_;
  UnaryCalls calls_;
  OneMethod service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Stub> stub_;
};

absl::StatusOr<std::string> Nothing(const Call&, const v1::GetServiceRequest&) { return ""; }

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status packed;
  google::rpc::ErrorInfo info;
  packed.ParseFromString(status.error_details());
  for (const auto& any : packed.details()) any.UnpackTo(&info);
  return info.reason();
}

std::string Returned(const grpc::ClientContext& context, const std::string& key) {
  const auto& metadata = context.GetServerInitialMetadata();
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
}

TEST(UnaryCallTest, RefusesAtOnceBeyondTheQueue) {
  absl::Notification started;
  absl::Notification release;
  Served served([&](const Call&, const v1::GetServiceRequest& request) {
    if (request.service() == "slow") started.Notify();
    release.WaitForNotification();
    return Nothing({}, {});
  });
  auto running = std::async(std::launch::async, [&] { return served.Get("slow"); });
  started.WaitForNotification();
  auto queued = std::async(std::launch::async, [&] { return served.Get("queued"); });
  grpc::Status refused;
  std::string pushback;
  // The queued call may not have arrived yet. Then this call is queued instead.
  for (int i = 0; i < 100 && refused.error_code() != grpc::StatusCode::UNAVAILABLE; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
    refused = served.Get(context);
    const auto& trailers = context.GetServerTrailingMetadata();
    const auto found = trailers.find("grpc-retry-pushback-ms");
    pushback =
        found == trailers.end() ? "" : std::string(found->second.data(), found->second.size());
  }
  EXPECT_EQ(ReasonOf(refused), "UNAVAILABLE");
  google::rpc::Status packed;
  packed.ParseFromString(refused.error_details());
  EXPECT_EQ(packed.details_size(), 2);  // ErrorInfo and RetryInfo.
  EXPECT_EQ(pushback, "1000");
  release.Notify();
  EXPECT_TRUE(running.get().ok());
  queued.wait();
}

TEST(UnaryCallTest, NeverStartsACallWhoseDeadlinePassedInTheQueue) {
  absl::Notification started;
  absl::Notification release;
  std::atomic<int> late = 0;
  Served served([&](const Call&, const v1::GetServiceRequest& request) {
    if (request.service() == "late") ++late;
    if (request.service() == "slow") {
      started.Notify();
      release.WaitForNotification();
    }
    return Nothing({}, {});
  });
  auto running = std::async(std::launch::async, [&] { return served.Get("slow"); });
  started.WaitForNotification();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  EXPECT_EQ(served.Get(context, "late").error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  absl::SleepFor(absl::Milliseconds(50));
  release.Notify();
  running.get();
  // The late call may still have the only place in the queue.
  grpc::Status another = served.Get("another");
  for (int i = 0; i < 100 && another.error_code() == grpc::StatusCode::UNAVAILABLE; ++i) {
    absl::SleepFor(absl::Milliseconds(10));
    another = served.Get("another");
  }
  EXPECT_TRUE(another.ok()) << another.error_message();
  EXPECT_EQ(late, 0);
}

TEST(UnaryCallTest, TellsTheHandlerThatItsCallerLeft) {
  absl::Notification started;
  absl::Notification noticed;
  Served served([&](const Call& call, const v1::GetServiceRequest&) {
    started.Notify();
    while (!call.limits.IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    noticed.Notify();
    return Nothing({}, {});
  });
  grpc::ClientContext context;
  auto running = std::async(std::launch::async, [&] { return served.Get(context); });
  started.WaitForNotification();
  context.TryCancel();
  EXPECT_TRUE(noticed.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_EQ(running.get().error_code(), grpc::StatusCode::CANCELLED);
}

TEST(UnaryCallTest, GivesTheCallersDeadlineUpToItsOwn) {
  absl::Duration left;
  Served served(
      [&](const Call& call, const v1::GetServiceRequest&) {
        left = call.limits.deadline - absl::Now();
        return Nothing({}, {});
      },
      absl::Seconds(10));
  ASSERT_TRUE(served.Get().ok());
  EXPECT_LE(left, absl::Seconds(10));
  EXPECT_GT(left, absl::Seconds(9));
  grpc::ClientContext hasty;
  hasty.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(3));
  ASSERT_TRUE(served.Get(hasty).ok());
  EXPECT_LE(left, absl::Seconds(4));
  grpc::ClientContext patient;
  patient.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(1));
  ASSERT_TRUE(served.Get(patient).ok());
  EXPECT_LE(left, absl::Seconds(10));
}

TEST(UnaryCallTest, TurnsExceptionsIntoIncidents) {
  Served served([](const Call&, const v1::GetServiceRequest& request) {
    if (request.service() == "odd") throw 42;
    if (request.service() == "bad") throw std::runtime_error("SELECT secret");
    return Nothing({}, {});
  });
  for (const char* service : {"odd", "bad"}) {
    const grpc::Status status = served.Get(service);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_EQ(ReasonOf(status), "INTERNAL");
    EXPECT_EQ(status.error_message().find("SELECT"), std::string::npos);
  }
  EXPECT_TRUE(served.Get().ok());
}

TEST(UnaryCallTest, SendsLabelsBackAlsoWithErrors) {
  Served served(Nothing);
  for (const char* service : {"a.example", "not valid"}) {
    grpc::ClientContext context;
    context.AddMetadata("x-request-id", "r-1");
    context.AddMetadata("traceparent", "00-ab-cd-01");
    EXPECT_EQ(served.Get(context, service).ok(), std::string(service) == "a.example");
    EXPECT_EQ(Returned(context, "x-request-id"), "r-1");
    EXPECT_EQ(Returned(context, "traceparent"), "00-ab-cd-01");
  }
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", std::string(129, 'x'));
  EXPECT_TRUE(served.Get(context).ok());
  EXPECT_EQ(Returned(context, "x-request-id"), "");
}

TEST(UnaryCallTest, ChecksTheCallerBeforeTheRequest) {
  Served served(Nothing);
  grpc::ClientContext context;
  context.AddMetadata("contacts-account", "bb2-ovh");
  EXPECT_EQ(ReasonOf(served.Get(context, "not valid")), "UNAUTHENTICATED");
  EXPECT_EQ(ReasonOf(served.Get("not valid")), "INVALID_FIELD");
}

TEST(UnaryCallTest, HandsTheHandlerCanonicalContent) {
  std::string account;
  std::string service;
  std::string first;
  std::string last;
  Served served([&](const Call& call, const v1::GetServiceRequest& request) {
    account = call.account.text();
    service = request.service();
    first = std::exchange(last, call.fingerprint);
    return Nothing({}, {});
  });
  ASSERT_TRUE(served.Get("a.example").ok());
  ASSERT_TRUE(served.Get("A.Example").ok());
  EXPECT_EQ(account, "aa1-ovh");
  EXPECT_EQ(service, "a.example");
  EXPECT_EQ(first, last);
}

TEST(UnaryCallTest, RefusesNewCallsWhileDraining) {
  Served served(Nothing);
  EXPECT_TRUE(served.Get().ok());
  served.calls().Drain();
  EXPECT_EQ(ReasonOf(served.Get()), "UNAVAILABLE");
}

}  // namespace
}  // namespace contacts::server
