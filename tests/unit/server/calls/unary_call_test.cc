#include "server/calls/unary_call.h"

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "tests/testing/http2.h"

namespace contacts::server {
namespace {

namespace http2 = ::contacts::testing::http2;
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
  explicit Served(const Handler& handler, absl::Duration longest = absl::Seconds(30),
                  std::size_t max_unread = UnreadAnswers::Limits().bytes)
      : validator_(FieldRules(AccountIdForm(), Settings())),
        workers_({.threads = 1, .waiting = 1, .threads_per_tenant = 1}),
        calls_({&authenticator_, &validator_}, &workers_, longest, max_unread),
        service_(&calls_, handler) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::ContactService::NewStub(
        grpc::CreateChannel(address(), grpc::InsecureChannelCredentials()));
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
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int port_ = 0;
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
  // Before the caller is authenticated: it costs nothing to find out. Two accounts are no caller.
  grpc::ClientContext stranger;
  stranger.AddMetadata("contacts-account", "bb2-ovh");
  EXPECT_EQ(ReasonOf(served.Get(stranger)), "UNAVAILABLE");
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

// A caller that reads the headers of its answers, and keeps the window of their bytes shut.
class Unreading {
 public:
  Unreading(const Served& served, std::string account)
      : connection_(served.address()), account_(std::move(account)) {
    connection_.Send(http2::kPreface +
                     http2::Frame(http2::kSettings, 0, 0,
                                  http2::Number(4, 2) + http2::Number(0, 4)));  // Initial window.
  }
  // Makes a call without reading anything.
  void Send() {
    v1::GetServiceRequest request;
    request.set_service("a.example");
    connection_.Send(
        http2::Frame(http2::kHeaders, http2::kEndHeaders, stream_,
                     "\x83\x86" +
                         http2::Literal(":path", "/contacts.v1.ContactService/GetService") +
                         http2::Literal(":authority", "x") + http2::Literal("te", "trailers") +
                         http2::Literal("content-type", "application/grpc") +
                         http2::Literal("contacts-account", account_)) +
        http2::Frame(http2::kData, http2::kEndStream, stream_,
                     http2::Message(request.SerializeAsString())));
    calls_[stream_] = State::kAsked;
    stream_ += 2;
  }
  // Makes a call and waits for its answer's headers. Returns whether its stream is still open, so
  // that bytes of the answer wait.
  bool Call() {
    Send();
    const State& state = calls_[stream_ - 2];
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (state == State::kAsked && absl::Now() < deadline) Receive();
    return state == State::kWaiting;
  }
  // Number of calls whose answers wait.
  int64_t Waiting() {
    Receive();
    return std::count_if(calls_.begin(), calls_.end(),
                         [](const auto& call) { return call.second == State::kWaiting; });
  }
  void ResetAll() {
    for (const auto& [stream, state] : calls_) {
      connection_.Send(http2::Frame(http2::kReset, 0, stream, http2::Number(8, 4)));
    }
  }

 private:
  enum class State { kAsked, kWaiting, kEnded };

  void Receive() {
    connection_.Receive([&](http2::FrameType type, uint32_t stream, const std::string&) {
      if (type == http2::kReset) calls_[stream] = State::kEnded;
      // A second block of headers is that of trailers.
      if (type == http2::kHeaders) {
        calls_[stream] = calls_[stream] == State::kAsked ? State::kWaiting : State::kEnded;
      }
    });
  }

  http2::Connection connection_;
  const std::string account_;
  uint32_t stream_ = 1;
  std::map<uint32_t, State> calls_;
};

constexpr std::size_t kMaxUnread = 1'000'000;

absl::StatusOr<std::string> Large(const Call&, const v1::GetServiceRequest&) {
  return std::string(50'000, 'x');
}

TEST(UnreadAnswers, OneAccountMayHaveAQuarter) {
  Served served(Large, absl::Seconds(30), kMaxUnread);
  Unreading account(served, "bb2-ovh");
  for (int i = 0; i < 20; ++i) account.Call();
  // A refusal is one block of headers, which looks as if its answer waited.
  EXPECT_LT(served.calls().unread().bytes(), kMaxUnread / 4 + 60'000);
  EXPECT_GT(served.calls().unread().bytes(), kMaxUnread / 4 - 60'000);
  EXPECT_EQ(served.calls().unread().cancelled(), 0);
  EXPECT_TRUE(served.Get().ok());
}

TEST(UnreadAnswers, AllAccountsTogetherKeepNoOtherAccountOut) {
  Served served(Large, absl::Seconds(30), kMaxUnread);
  std::vector<std::unique_ptr<Unreading>> accounts;
  for (int i = 0; i < 12; ++i) {
    accounts.push_back(std::make_unique<Unreading>(served, absl::StrCat("cc", i, "-ovh")));
    for (int call = 0; call < 4; ++call) accounts.back()->Call();
    EXPECT_TRUE(served.Get().ok()) << i;
    EXPECT_LE(served.calls().unread().bytes(), kMaxUnread);
  }
  EXPECT_GT(served.calls().unread().cancelled(), 0);
  // Those with most lost their oldest, so each still has some.
  for (const auto& account : accounts) EXPECT_GT(account->Waiting(), 0);
}

TEST(UnreadAnswers, RejectedCallsDoNotCount) {
  Served served(Large, absl::Seconds(30), kMaxUnread);
  served.calls().Drain();
  Unreading account(served, "bb2-ovh");
  std::size_t most = 0;
  for (int i = 0; i < 500; ++i) {
    account.Send();
    most = std::max(most, served.calls().unread().bytes());
  }
  EXPECT_TRUE(account.Call()) << "its trailers look like the headers of an answer";
  EXPECT_EQ(most, 0U);
}

TEST(UnreadAnswers, DoNotCountOnceTheirCallsAreCancelled) {
  Served served(Large, absl::Seconds(30), kMaxUnread);
  Unreading account(served, "bb2-ovh");
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(account.Call());
  EXPECT_GT(served.calls().unread().bytes(), 200'000U);
  account.ResetAll();
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (served.calls().unread().bytes() > 0 && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_EQ(served.calls().unread().bytes(), 0U);
  EXPECT_TRUE(account.Call());
}

}  // namespace
}  // namespace contacts::server
