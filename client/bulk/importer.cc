#include "client/bulk/importer.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <thread>
#include <utility>

namespace contacts::client {
namespace {

// Records that may be open at a time: several of the server's batches.
constexpr std::size_t kWindow = 8000;
constexpr absl::Duration kLongestWait = absl::Seconds(5);

}  // namespace

grpc::Status Importer::Run() {
  std::optional<absl::Time> failing_since;
  Backoff backoff(kLongestWait);
  for (;;) {
    const int64_t done_before = counts_.records;
    const absl::Time opened = options_.clock.now();
    grpc::Status status = RunStream();
    ReportUnparsed();
    if (!IsWorthReopening(status)) return status;
    const absl::Time now = options_.clock.now();
    // A stream that lasted and had nothing to send was ended by the server's idle limit.
    const bool idle = open_.empty() && now - opened >= options_.patience;
    if (counts_.records > done_before || idle) {
      failing_since.reset();
      backoff.Reset();
    }
    if (!failing_since) failing_since = now;
    const absl::Duration wait = backoff.NextWait(status);
    if (now + wait >= *failing_since + options_.patience) return status;
    if (options_.clock.on_retry) options_.clock.on_retry(wait);
    options_.clock.sleep(wait);
  }
}

grpc::Status Importer::RunStream() {
  grpc::ClientContext context;
  const auto stream = options_.open(&context);
  sent_ = 0;
  broken_ = false;
  std::thread sender([&] { Send(*stream); });
  v1::ImportDirectoryResponse response;
  int64_t acknowledged = 0;
  bool valid = true;
  while (valid && stream->Read(&response)) valid = Acknowledge(response, acknowledged);
  if (!valid) context.TryCancel();
  {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    changed_.notify_one();
  }
  sender.join();
  grpc::Status status = stream->Finish();
  if (!valid)
    return {grpc::StatusCode::INTERNAL, "the server acknowledged more records than it was sent"};
  if (status.ok() && !(at_end_ && requests_ == 0)) {
    return {grpc::StatusCode::INTERNAL,
            "the server ended the import before it acknowledged every record"};
  }
  return status;
}

// Runs on a thread of its own.
void Importer::Send(Stream& stream) {
  for (;;) {
    bool more = false;
    const auto request = NextToSend(more);
    if (request == nullptr) break;
    // A request that is followed by another at once may share its packet.
    grpc::WriteOptions options;
    if (more) options.set_buffer_hint();
    if (!stream.Write(*request, options)) return;
  }
  stream.WritesDone();
}

// Waits for the next request to send. Returns null at the end of the file or of the stream. `more`
// becomes true if another one follows without waiting.
std::shared_ptr<const v1::ImportDirectoryRequest> Importer::NextToSend(bool& more) {
  std::unique_lock lock(mutex_);
  while (!SkipUnparsed()) {
    if (broken_ || at_end_) return nullptr;
    if (requests_ >= kWindow) {
      changed_.wait(lock);
      continue;
    }
    lock.unlock();
    const bool read = ReadRecord();
    lock.lock();
    if (!read) at_end_ = true;
  }
  if (broken_) return nullptr;
  auto request = open_[sent_++].request;
  more = SkipUnparsed() || (requests_ < kWindow && !at_end_ && reader_.HasMore());
  return request;
}

// Moves `sent_` to the next record that can be sent. Returns false if there is none.
bool Importer::SkipUnparsed() {
  while (sent_ < open_.size() && open_[sent_].request == nullptr) ++sent_;
  return sent_ < open_.size();
}

// Reads one record into `open_`. Returns false at the end of the file.
bool Importer::ReadRecord() {
  std::optional<FileRecord> record = reader_.Next();
  if (!record) return false;
  const std::lock_guard lock(mutex_);
  if (!record->error.empty()) {
    open_.push_back({record->line, record->offset, nullptr, std::move(record->error)});
    return true;
  }
  ++requests_;
  open_.push_back({record->line, record->offset,
                   std::make_shared<const v1::ImportDirectoryRequest>(std::move(record->request)),
                   ""});
  return true;
}

// Removes the records that `response` acknowledges. `acknowledged` is how many the present stream
// had acknowledged before. Returns false if the response does not fit what was sent.
bool Importer::Acknowledge(const v1::ImportDirectoryResponse& response, int64_t& acknowledged) {
  std::map<int64_t, const v1::ImportRejection*> rejections;  // By position among the fresh records.
  std::vector<RejectedRecord> rejected;
  {
    const std::lock_guard lock(mutex_);
    const int64_t fresh = response.committed_count() - acknowledged;
    const int64_t sent =
        std::count_if(open_.begin(), open_.begin() + static_cast<std::ptrdiff_t>(sent_),
                      [](const OpenRecord& one) { return one.request != nullptr; });
    if (fresh < 0 || fresh > sent) return false;
    for (const v1::ImportRejection& rejection : response.rejections()) {
      const int64_t position = rejection.index() - acknowledged;
      if (position < 0 || position >= fresh) return false;
      rejections[position] = &rejection;
    }
    for (int64_t position = 0; position < fresh; ++position) {
      RemoveUnparsed(rejected);
      const OpenRecord& one = open_.front();
      if (const auto found = rejections.find(position); found != rejections.end()) {
        rejected.push_back({one.line, found->second->reason(), found->second->message()});
      }
      counts_.offset = one.offset;
      open_.pop_front();
      --sent_;
      --requests_;
    }
    RemoveUnparsed(rejected);
    acknowledged += fresh;
    counts_.records += fresh;
    changed_.notify_one();
  }
  Report(rejected);
  options_.on_progress(counts_);
  return true;
}

// Moves records that cannot be parsed to `rejected`, from the front of `open_` on.
void Importer::RemoveUnparsed(std::vector<RejectedRecord>& rejected) {
  while (!open_.empty() && open_.front().request == nullptr) {
    OpenRecord& one = open_.front();
    rejected.push_back({one.line, "", std::move(one.error)});
    counts_.offset = one.offset;
    ++counts_.records;
    open_.pop_front();
    if (sent_ > 0) --sent_;
  }
}

void Importer::ReportUnparsed() {
  std::vector<RejectedRecord> rejected;
  {
    const std::lock_guard lock(mutex_);
    RemoveUnparsed(rejected);
  }
  Report(rejected);
}

void Importer::Report(const std::vector<RejectedRecord>& rejected) {
  counts_.rejected += static_cast<int64_t>(rejected.size());
  for (const RejectedRecord& one : rejected) options_.on_rejected(one);
}

}  // namespace contacts::client
