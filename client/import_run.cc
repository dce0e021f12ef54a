#include "client/import_run.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "client/errors.h"

namespace contacts::client {
namespace {

// Records on their way at most: some batches of the server's.
constexpr std::size_t kWindow = 8000;
constexpr absl::Duration kFirstBackoff = absl::Milliseconds(200);
constexpr absl::Duration kLongestBackoff = absl::Seconds(5);

}  // namespace

grpc::Status ImportRun::Run() {
  std::optional<absl::Time> failing_since;
  absl::Duration backoff = kFirstBackoff;
  for (;;) {
    const int64_t before = state_.records;
    const absl::Time begun = options_.pace.now();
    grpc::Status status = RunStream();
    TellUnreadable();
    if (!MayResume(status)) return status;
    const absl::Time now = options_.pace.now();
    // A stream that lasted and had nothing to send was ended for being idle.
    const bool idle = waiting_.empty() && now - begun >= options_.patience;
    if (state_.records > before || idle) {
      failing_since.reset();
      backoff = kFirstBackoff;
    }
    if (!failing_since) failing_since = now;
    const absl::Duration wait =
        std::max(RetryDelay(status).value_or(absl::ZeroDuration()), Jittered(backoff));
    if (now + wait >= *failing_since + options_.patience) return status;
    if (options_.pace.on_retry) options_.pace.on_retry(wait);
    options_.pace.sleep(wait);
    backoff = std::min(backoff * 2, kLongestBackoff);
  }
}

grpc::Status ImportRun::RunStream() {
  grpc::ClientContext context;
  const auto stream = options_.open(&context);
  sent_ = 0;
  broken_ = false;
  std::thread sender([&] { Send(*stream); });
  v1::ImportDirectoryResponse response;
  int64_t acknowledged = 0;
  bool sound = true;
  while (sound && stream->Read(&response)) sound = Acknowledge(response, acknowledged);
  if (!sound) context.TryCancel();
  {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    changed_.notify_one();
  }
  sender.join();
  grpc::Status status = stream->Finish();
  if (!sound) return {grpc::StatusCode::INTERNAL, "the server acknowledged what it was not sent"};
  if (status.ok() && !(at_end_ && requests_ == 0)) {
    return {grpc::StatusCode::INTERNAL, "the server ended the import before its end"};
  }
  return status;
}

// On a thread of its own.
void ImportRun::Send(Stream& stream) {
  for (;;) {
    bool more = false;
    const auto request = NextToSend(more);
    if (request == nullptr) break;
    // What is followed by more at once need not go out by itself.
    grpc::WriteOptions options;
    if (more) options.set_buffer_hint();
    if (!stream.Write(*request, options)) return;
  }
  stream.WritesDone();
}

// Returns null at the end; `more` tells whether another is there already.
std::shared_ptr<const v1::ImportDirectoryRequest> ImportRun::NextToSend(bool& more) {
  std::unique_lock lock(mutex_);
  while (!SkipUnreadable()) {
    if (broken_ || at_end_) return nullptr;
    if (requests_ >= kWindow) {
      changed_.wait(lock);
      continue;
    }
    lock.unlock();
    const bool read = ReadOne();
    lock.lock();
    if (!read) at_end_ = true;
  }
  if (broken_) return nullptr;
  auto request = waiting_[sent_++].request;
  more = SkipUnreadable() || (requests_ < kWindow && !at_end_ && reader_.HasMore());
  return request;
}

// Whether there is a record to send, which is then the one at `sent_`.
bool ImportRun::SkipUnreadable() {
  while (sent_ < waiting_.size() && waiting_[sent_].request == nullptr) ++sent_;
  return sent_ < waiting_.size();
}

// False at the end of the file.
bool ImportRun::ReadOne() {
  std::optional<FileRecord> record = reader_.Next();
  if (!record) return false;
  const std::lock_guard lock(mutex_);
  if (!record->error.empty()) {
    waiting_.push_back({record->line, record->offset, nullptr, std::move(record->error)});
    return true;
  }
  ++requests_;
  waiting_.push_back(
      {record->line, record->offset,
       std::make_shared<const v1::ImportDirectoryRequest>(std::move(record->request)), ""});
  return true;
}

// False where the response cannot be about what was sent. `acknowledged` counts on the
// present stream.
bool ImportRun::Acknowledge(const v1::ImportDirectoryResponse& response, int64_t& acknowledged) {
  std::map<int64_t, const v1::ImportRejection*> refused;  // By the position of a fresh record.
  std::vector<Rejected> rejected;
  {
    const std::lock_guard lock(mutex_);
    const int64_t fresh = response.committed_count() - acknowledged;
    const int64_t sent =
        std::count_if(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent_),
                      [](const Waiting& one) { return one.request != nullptr; });
    if (fresh < 0 || fresh > sent) return false;
    for (const v1::ImportRejection& rejection : response.rejections()) {
      const int64_t position = rejection.index() - acknowledged;
      if (position < 0 || position >= fresh) return false;
      refused[position] = &rejection;
    }
    for (int64_t position = 0; position < fresh; ++position) {
      TakeUnreadable(rejected);
      const Waiting& one = waiting_.front();
      if (const auto found = refused.find(position); found != refused.end()) {
        rejected.push_back({one.line, found->second->reason(), found->second->message()});
      }
      state_.offset = one.offset;
      waiting_.pop_front();
      --sent_;
      --requests_;
    }
    TakeUnreadable(rejected);
    acknowledged += fresh;
    state_.records += fresh;
    changed_.notify_one();
  }
  Tell(rejected);
  options_.on_progress(state_);
  return true;
}

// Moves what cannot be read and has nothing before it that is on its way.
void ImportRun::TakeUnreadable(std::vector<Rejected>& rejected) {
  while (!waiting_.empty() && waiting_.front().request == nullptr) {
    Waiting& one = waiting_.front();
    rejected.push_back({one.line, "", std::move(one.error)});
    state_.offset = one.offset;
    ++state_.records;
    waiting_.pop_front();
    if (sent_ > 0) --sent_;
  }
}

void ImportRun::TellUnreadable() {
  std::vector<Rejected> rejected;
  {
    const std::lock_guard lock(mutex_);
    TakeUnreadable(rejected);
  }
  Tell(rejected);
}

void ImportRun::Tell(const std::vector<Rejected>& rejected) {
  state_.rejected += static_cast<int64_t>(rejected.size());
  for (const Rejected& one : rejected) options_.on_rejected(one);
}

}  // namespace contacts::client
