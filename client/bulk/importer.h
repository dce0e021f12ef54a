#ifndef CONTACTS_CLIENT_BULK_IMPORTER_H_
#define CONTACTS_CLIENT_BULK_IMPORTER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/bulk/records.h"
#include "client/lib/retry.h"
#include "contacts/v1/directory_service.grpc.pb.h"

namespace contacts::client {

// Sends the records of a file by ImportDirectory. Keeps each record until the server has
// acknowledged it, so that a broken stream is followed by another that goes on from there, also for
// input that cannot be read twice. Memory is bounded: at most 8,000 records are kept.
class Importer {
 public:
  // A record that the server rejected, or that cannot be parsed.
  struct RejectedRecord {
    int64_t line = 0;    // On which it begins, from 1.
    std::string reason;  // Of the contract's errors. Empty: it cannot be parsed.
    std::string message;
  };
  struct Counts {
    int64_t records = 0;   // Done so far, whether stored or rejected.
    int64_t rejected = 0;  // Of these.
    int64_t offset = 0;    // Bytes of the file up to the end of the last of these.
  };
  struct Options {
    // Opens a stream. Called again after each interruption.
    std::function<std::unique_ptr<grpc::ClientReaderWriter<
        v1::ImportDirectoryRequest, v1::ImportDirectoryResponse>>(grpc::ClientContext*)>
        open;
    // How long to go on without an acknowledgement.
    absl::Duration patience = absl::Seconds(30);
    RetryClock clock;
    std::function<void(const RejectedRecord&)> on_rejected;  // In the order of the file.
    std::function<void(const Counts&)> on_progress;          // After each acknowledgement.
  };

  // `reader` must outlive it.
  Importer(RecordReader* reader, Options options)
      : reader_(*reader), options_(std::move(options)) {}

  // Imports the whole file. To be called once. Returns OK once every record is done, rejected ones
  // included; the stream's status if it is not worth reopening or `patience` has passed; INTERNAL
  // if the server acknowledges records that it was not sent.
  grpc::Status Run();

  const Counts& counts() const { return counts_; }

 private:
  // A record that was read and is not done.
  struct OpenRecord {
    int64_t line = 0;
    int64_t offset = 0;
    std::shared_ptr<const v1::ImportDirectoryRequest> request;  // Null: it cannot be parsed.
    std::string error;                                          // Why not.
  };
  using Stream = grpc::ClientReaderWriter<v1::ImportDirectoryRequest, v1::ImportDirectoryResponse>;

  grpc::Status RunStream();
  void Send(Stream& stream);
  std::shared_ptr<const v1::ImportDirectoryRequest> NextToSend(bool& more);
  bool ReadRecord();
  bool Acknowledge(const v1::ImportDirectoryResponse& response, int64_t& acknowledged);
  bool SkipUnparsed();
  void RemoveUnparsed(std::vector<RejectedRecord>& rejected);
  void ReportUnparsed();
  void Report(const std::vector<RejectedRecord>& rejected);

  RecordReader& reader_;
  const Options options_;
  Counts counts_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<OpenRecord> open_;  // In the order of the file.
  std::size_t sent_ = 0;         // Of `open_`, up to the last one sent on the present stream.
  std::size_t requests_ = 0;     // Of `open_`, how many can be sent.
  bool at_end_ = false;          // Of the file.
  bool broken_ = false;          // The present stream ended.
};

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_BULK_IMPORTER_H_
