#include "server/calls/import_call.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "core/domain/errors.h"
#include "google/rpc/error_details.pb.h"
#include "server/messages/convert.h"
#include "server/messages/status.h"

namespace contacts::server {
namespace {

constexpr int64_t kMaxRecords = 1000;
constexpr std::size_t kMaxBytes = 1024 * 1024;
// A batch that is not full is committed after so long without a record.
constexpr absl::Duration kPause = absl::Milliseconds(200);

// Consecutive records of a stream.
struct Batch {
  int64_t count = 0;  // Of all of them, well formed or not.
  std::size_t bytes = 0;
  std::vector<ImportRecord> records;                      // The well-formed ones,
  std::vector<int64_t> positions;                         // and their positions in the batch.
  std::vector<std::pair<int64_t, absl::Status>> invalid;  // By the same positions.

  bool full() const { return count >= kMaxRecords || bytes >= kMaxBytes; }
};

// Names every invalid field, up to kMaxFieldsNamed.
std::string MessageOf(const absl::Status& why) {
  constexpr int kMaxFieldsNamed = 10;
  const auto details = why.GetPayload(
      absl::StrCat("type.googleapis.com/", google::rpc::BadRequest::descriptor()->full_name()));
  google::rpc::BadRequest bad;
  if (!details || !bad.ParseFromString(std::string(*details)) || bad.field_violations_size() < 2) {
    return std::string(why.message());
  }
  std::string message;
  const int count = bad.field_violations_size();
  for (int i = 0; i < std::min(count, kMaxFieldsNamed); ++i) {
    const auto& violation = bad.field_violations(i);
    absl::StrAppend(&message, i > 0 ? "; " : "", violation.field(),
                    violation.field().empty() ? "" : ": ", violation.description());
  }
  if (count > kMaxFieldsNamed)
    absl::StrAppend(&message, " (and ", count - kMaxFieldsNamed, " more)");
  return message;
}

v1::ImportRejection RejectionOf(int64_t index, const absl::Status& why) {
  v1::ImportRejection rejection;
  rejection.set_index(index);
  rejection.set_reason(errors::Reason(why));
  rejection.set_message(MessageOf(why));
  return rejection;
}

}  // namespace

// One stream. It owns itself: gRPC calls OnDone last, which deletes it. gRPC's threads fill one
// batch while the stream's own thread works on the batch before.
class ImportCalls::Reactor final : public Stream {
 public:
  Reactor(ImportCalls* calls, grpc::CallbackServerContext* context)
      : calls_(*calls),
        context_(context),
        admission_(calls->gate_,
                   absl::StrCat(v1::DirectoryService::service_full_name(), "/ImportDirectory"),
                   context) {}

  // Makes the checks that do not block, then hands over to a thread.
  void Start() {
    const absl::Status admitted = CatchExceptions([&] { return Admit(); });
    if (!admitted.ok()) return End(admitted);
    if (calls_.running_.fetch_add(1) >= calls_.limits_.max_streams ||
        !calls_.threads_.TryPush("", [this] { Run(); })) {
      --calls_.running_;
      End(admission_.Reject(Metrics::Rejection::kImports));
    }
  }

  void OnReadDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    if (ok) {
      Add(incoming_);
      last_record_ = absl::Now();
    } else {
      half_closed_ = true;
    }
    reading_ = false;
    ReadOn();
    if (!reading_) changed_.notify_one();
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) cancelled_->store(true);
    changed_.notify_one();
  }

  void OnCancel() override {
    cancelled_->store(true);
    const std::lock_guard lock(mutex_);
    changed_.notify_one();
  }

  void OnDone() override { delete this; }

 private:
  absl::Status Admit() {
    if (calls_.draining_) return admission_.Reject(Metrics::Rejection::kStopping);
    auto caller = admission_.Identify(Audience::kOperators);
    if (!caller.ok()) return caller.status();
    caller_ = *std::move(caller);
    return absl::OkStatus();
  }

  // With the lock held: asks for the next record if there is room for it.
  void ReadOn() {
    if (reading_ || half_closed_ || ended_ || filling_.full()) return;
    reading_ = true;
    StartRead(&incoming_);
  }

  // With the lock held.
  void Add(const grpc::ByteBuffer& bytes) {
    v1::ImportDirectoryRequest request;
    const absl::Status read = admission_.ReadRequest(bytes, request);
    if (read.ok()) {
      filling_.records.push_back(FromMessage(request));
      filling_.positions.push_back(filling_.count);
    } else {
      filling_.invalid.emplace_back(filling_.count, read);
    }
    ++filling_.count;
    filling_.bytes += bytes.Length();
  }

  // On the stream's own thread.
  void Run() {
    {
      const std::lock_guard lock(mutex_);
      ReadOn();
    }
    absl::Status status = CatchExceptions([&] { return Import(); });
    if (const absl::Status written = AwaitWrite(); status.ok()) status = written;
    --calls_.running_;
    End(status);
  }

  absl::Status Import() {
    int64_t done = 0;
    for (;;) {
      absl::StatusOr<Batch> batch = NextBatch();
      if (!batch.ok()) return batch.status();
      if (batch->count == 0) return absl::OkStatus();
      absl::StatusOr<v1::ImportDirectoryResponse> response = Commit(*batch, done);
      if (!response.ok()) return response.status();
      done += batch->count;
      response->set_committed_count(done);
      if (absl::Status written = Acknowledge(*response); !written.ok()) return written;
    }
  }

  // Waits until a batch is full or its records stop coming. An empty batch means the stream's end.
  absl::StatusOr<Batch> NextBatch() {
    std::unique_lock lock(mutex_);
    const absl::Time idle_end = absl::Now() + calls_.limits_.idle_limit;
    while (!filling_.full() && !half_closed_) {
      if (absl::Status over = ReasonToEnd(); !over.ok()) return over;
      const absl::Time now = absl::Now();
      const absl::Time until = filling_.count > 0 ? last_record_ + kPause : idle_end;
      if (now >= until && filling_.count > 0) break;
      if (now >= until) {
        return errors::Unavailable(
            absl::StrCat("no record came for ", absl::FormatDuration(calls_.limits_.idle_limit)),
            kRetryAfter);
      }
      // A drain does not wake this thread, so it checks for it regularly.
      changed_.wait_for(lock, absl::ToChronoMilliseconds(std::min(until - now, kPause)) +
                                  std::chrono::milliseconds(1));
    }
    if (absl::Status over = ReasonToEnd(); !over.ok()) return over;
    Batch batch = std::exchange(filling_, {});
    ReadOn();
    return batch;
  }

  // Returns the status that ends the stream before its client does, or OK.
  absl::Status ReasonToEnd() const {
    if (absl::Now() >= deadline_) return errors::DeadlineExceeded();
    if (*cancelled_) return errors::Cancelled();
    if (calls_.draining_) return errors::Unavailable("shutting down", kRetryAfter);
    if (!caller_.PolicyIsCurrent()) {
      return errors::Unavailable("the policy of callers changed", kRetryAfter);
    }
    return absl::OkStatus();
  }

  // `done`: number of records before the batch.
  absl::StatusOr<v1::ImportDirectoryResponse> Commit(const Batch& batch, int64_t done) {
    const CallLimits limits{
        .deadline = std::min(deadline_, absl::Now() + calls_.limits_.batch_limit),
        .cancelled = {cancelled_}};
    std::vector<ImportRejection> rejected;
    if (!batch.records.empty()) {
      auto imported =
          calls_.engine_->bulk.ImportBatch(limits, batch.records, caller_.policy_name());
      if (absl::IsDeadlineExceeded(imported.status()) && absl::Now() < deadline_) {
        return errors::Unavailable("the database took too long", kRetryAfter);
      }
      if (!imported.ok()) return imported.status();
      rejected = *std::move(imported);
    }
    std::vector<std::pair<int64_t, absl::Status>> failed = batch.invalid;
    for (ImportRejection& rejection : rejected) {
      failed.emplace_back(batch.positions[rejection.position], std::move(rejection.why));
    }
    std::sort(failed.begin(), failed.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    v1::ImportDirectoryResponse response;
    for (const auto& [position, why] : failed) {
      *response.add_rejections() = RejectionOf(done + position, why);
    }
    return response;
  }

  // Sends an answer once the answer before has been sent.
  absl::Status Acknowledge(const v1::ImportDirectoryResponse& response) {
    if (absl::Status written = AwaitWrite(); !written.ok()) return written;
    const std::lock_guard lock(mutex_);
    outgoing_ = ToBuffer(response.SerializeAsString());
    writing_ = true;
    StartWrite(&outgoing_);
    return absl::OkStatus();
  }

  // A client that reads no answers must not keep the stream's thread for ever: it is cut off, which
  // ends the write.
  absl::Status AwaitWrite() {
    std::unique_lock lock(mutex_);
    const auto written = [this] { return !writing_; };
    if (!changed_.wait_for(lock, absl::ToChronoMilliseconds(calls_.limits_.idle_limit), written)) {
      context_->TryCancel();
      changed_.wait(lock, written);
    }
    return *cancelled_ ? errors::Cancelled() : absl::OkStatus();
  }

  // Finishes the stream. The object must not be used afterwards.
  void End(const absl::Status& result) {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    Finish(admission_.End(result));
  }

  ImportCalls& calls_;
  grpc::CallbackServerContext* const context_;
  const absl::Time deadline_ = DeadlineOf(*context_);
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  Caller caller_;
  Admission admission_;

  std::mutex mutex_;
  std::condition_variable changed_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  Batch filling_;
  absl::Time last_record_;
  bool reading_ = false;
  bool writing_ = false;
  bool half_closed_ = false;
  bool ended_ = false;
};

ImportCalls::ImportCalls(const Gate& gate, Engine* engine, Limits limits)
    : gate_(gate),
      engine_(engine),
      limits_(limits),
      threads_({.threads = static_cast<std::size_t>(limits.max_streams),
                .waiting = static_cast<std::size_t>(2 * limits.max_streams),
                .threads_per_tenant = static_cast<std::size_t>(limits.max_streams)}) {}

ImportCalls::Stream* ImportCalls::Serve(grpc::CallbackServerContext* context) {
  auto* reactor = new Reactor(this, context);
  reactor->Start();
  return reactor;
}

}  // namespace contacts::server
