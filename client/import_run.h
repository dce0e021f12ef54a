#ifndef CONTACTS_CLIENT_IMPORT_RUN_H_
#define CONTACTS_CLIENT_IMPORT_RUN_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/call.h"
#include "client/records.h"
#include "contacts/v1/directory_service.grpc.pb.h"

namespace contacts::client {

// Sends the records of a file and keeps each until it is acknowledged: where the
// connection breaks, it opens another stream and goes on from there, with a file that
// cannot be read twice too. Memory is bounded by the records on their way.
class ImportRun {
 public:
  // A record that was not taken, by the server or because it cannot be read.
  struct Rejected {
    int64_t line = 0;
    std::string reason;
    std::string message;
  };
  struct State {
    int64_t records = 0;   // Dealt with so far: taken or rejected.
    int64_t rejected = 0;  // Of these.
    int64_t offset = 0;    // Bytes of the file up to the last of them.
  };
  struct Options {
    // Opens a stream; called again after each interruption.
    std::function<std::unique_ptr<grpc::ClientReaderWriter<
        v1::ImportDirectoryRequest, v1::ImportDirectoryResponse>>(grpc::ClientContext*)>
        open;
    // How long to go on trying without anything acknowledged.
    absl::Duration patience = absl::Seconds(30);
    Pace pace;
    std::function<void(const Rejected&)> on_rejected;
    std::function<void(const State&)> on_progress;
  };

  // `reader` must outlive it.
  ImportRun(RecordReader* reader, Options options)
      : reader_(*reader), options_(std::move(options)) {}

  // Returns once every record is dealt with, or what ended it for good. Called once.
  grpc::Status Run();

  const State& state() const { return state_; }

 private:
  struct Waiting {
    int64_t line = 0;
    int64_t offset = 0;
    std::shared_ptr<const v1::ImportDirectoryRequest> request;  // Null: cannot be read.
    std::string error;                                          // Why it cannot be read.
  };
  using Stream = grpc::ClientReaderWriter<v1::ImportDirectoryRequest, v1::ImportDirectoryResponse>;

  grpc::Status RunStream();
  void Send(Stream& stream);
  std::shared_ptr<const v1::ImportDirectoryRequest> NextToSend(bool& more);
  bool ReadOne();
  bool Acknowledge(const v1::ImportDirectoryResponse& response, int64_t& acknowledged);
  bool SkipUnreadable();
  void TakeUnreadable(std::vector<Rejected>& rejected);
  void TellUnreadable();
  void Tell(const std::vector<Rejected>& rejected);

  RecordReader& reader_;
  const Options options_;
  State state_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;  // Read and not dealt with yet, in the order of the file.
  std::size_t sent_ = 0;         // Of these, behind the last sent on the present stream.
  std::size_t requests_ = 0;     // Of these, what can be sent.
  bool at_end_ = false;          // Of the file.
  bool broken_ = false;          // The present stream takes no more.
};

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_IMPORT_RUN_H_
