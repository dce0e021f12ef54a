#include "server/calls/unary_call.h"

#include <algorithm>

#include "core/domain/errors.h"
#include "server/messages/page_token.h"

namespace contacts::server {

using google::protobuf::Message;
using Rejection = Metrics::Rejection;

constexpr absl::Duration kIdlePollInterval = absl::Milliseconds(5);

// One call. It owns itself: gRPC calls OnDone last, which deletes it.
class UnaryCalls::Reactor final : public grpc::ServerUnaryReactor {
 public:
  Reactor(const UnaryCalls& calls, const RawCall& raw, const std::string& method,
          std::unique_ptr<Message> request, Handler handler)
      : calls_(calls),
        raw_(raw),
        request_(std::move(request)),
        handler_(std::move(handler)),
        admission_(calls.gate_, method, raw.context) {}

  // Makes the checks that do not block, then queues the rest.
  void Start(Audience audience) {
    if (calls_.draining_) return Reject(admission_.Reject(Rejection::kStopping));
    // Checked before the caller, so that a rejected call costs little.
    if (calls_.workers_->IsFull()) return EndRejected(Rejection::kQueue);
    const absl::Status admitted = CatchExceptions([&] { return Admit(audience); });
    if (!admitted.ok()) return Reject(admitted);
    if (!calls_.workers_->HasRoom(Tenant())) return EndRejected();
    const absl::Status read = CatchExceptions([&] { return ReadRequest(); });
    if (!read.ok()) return Reject(read);
    queued_ = absl::Now();
    if (!calls_.workers_->TryPush(Tenant(), [this] { Run(); })) EndRejected();
  }

  void OnCancel() override {
    cancelled_->store(true);
    calls_.unread_.Drop(answer_);
  }
  void OnDone() override {
    const UnaryCalls& calls = calls_;
    calls.unread_.Remove(answer_);
    delete this;
    --calls.under_way_;
  }

 private:
  // OnDone runs in the thread that ends the call, because it is short.
  bool InternalInlineable() override { return true; }

  absl::Status Admit(Audience audience) {
    const auto caller = admission_.Identify(audience);
    if (!caller.ok()) return caller.status();
    if (audience == Audience::kAccounts) call_.account = caller->account;
    if (audience == Audience::kOperators || audience == Audience::kSupport) {
      call_.operator_name = caller->name;
      call_.staff = caller->policy_name();
    }
    if (!calls_.unread_.HasRoom(Tenant())) return admission_.Reject(Rejection::kUnreadAnswers);
    call_.limits.deadline =
        std::min(DeadlineOf(*raw_.context), admission_.start() + calls_.time_limit_);
    call_.limits.cancelled = {cancelled_};
    call_.limits.times = &times_;
    return absl::OkStatus();
  }

  absl::Status ReadRequest() {
    if (auto read = admission_.ReadRequest(*raw_.request, *request_); !read.ok()) return read;
    const auto* field = request_->GetDescriptor()->FindFieldByName("request_id");
    if (field == nullptr) return absl::OkStatus();
    call_.request_id = Uuid::Parse(request_->GetReflection()->GetString(*request_, field));
    if (call_.request_id) call_.fingerprint = Fingerprint(admission_.method(), *request_);
    return absl::OkStatus();
  }

  const std::string& Tenant() const {
    return call_.account.empty() ? call_.operator_name : call_.account.text();
  }

  // On a worker thread.
  void Run() {
    times_.queue = absl::Now() - queued_;
    if (const absl::Status reached = errors::IfEnded(call_.limits); !reached.ok()) {
      calls_.workers_->WasLate();
      return Reject(reached);
    }
    if (!calls_.unread_.HasRoom(Tenant())) {
      return Reject(admission_.Reject(Rejection::kUnreadAnswers));
    }
    handler_(call_, *request_, [this](const std::function<Reply()>& make) {
      End(CatchExceptions([&]() -> absl::Status {
        const Reply reply = make();
        if (!reply.ok()) return reply.status();
        *raw_.reply = ToBuffer(*reply);
        return absl::OkStatus();
      }));
    });
  }

  // End, Reject and EndRejected finish the call. The object must not be used afterwards.
  void End(const absl::Status& result) {
    grpc::Status status = admission_.End(result, &times_);
    request_.reset();  // The answer may be held for a long time.
    const std::size_t bytes = raw_.reply->Valid() ? raw_.reply->Length() : 0;
    calls_.unread_.Add(answer_, Tenant(), bytes + status.error_details().size(), raw_.context);
    Finish(std::move(status));
  }
  // Ends a call whose handler did not run.
  void Reject(const absl::Status& why) { FinishUnrun(admission_.End(why, &times_)); }
  // Ends a call for which the queue has no room.
  void EndRejected() {
    EndRejected(calls_.workers_->IsFull() ? Rejection::kQueue : Rejection::kAccount);
  }
  void EndRejected(Rejection why) { FinishUnrun(admission_.EndRejected(why)); }
  void FinishUnrun(grpc::Status status) {
    request_.reset();
    calls_.unread_.AddRejection(answer_, raw_.context);
    Finish(std::move(status));
  }

  const UnaryCalls& calls_;
  const RawCall raw_;
  std::unique_ptr<Message> request_;
  const Handler handler_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  Admission admission_;
  Call call_;
  absl::Time queued_;
  CallTimes times_;
  UnreadAnswers::Answer answer_;
};

UnaryCalls::UnaryCalls(const Gate& gate, WorkQueue* workers, absl::Duration time_limit,
                       std::size_t max_unread)
    : gate_(gate),
      workers_(workers),
      time_limit_(time_limit),
      unread_({.bytes = max_unread, .max_age = time_limit}) {}

bool UnaryCalls::WaitIdle(absl::Duration limit) const {
  const absl::Time until = absl::Now() + limit;
  while (under_way_ > 0) {
    if (absl::Now() >= until) return false;
    absl::SleepFor(kIdlePollInterval);
  }
  return true;
}

grpc::ServerUnaryReactor* UnaryCalls::Serve(const RawCall& raw, const std::string& method,
                                            Audience audience, std::unique_ptr<Message> request,
                                            Handler handler) {
  ++under_way_;
  auto* reactor = new Reactor(*this, raw, method, std::move(request), std::move(handler));
  reactor->Start(audience);
  return reactor;
}

}  // namespace contacts::server
