#ifndef CONTACTS_SERVER_CALLS_IMPORT_CALL_H_
#define CONTACTS_SERVER_CALLS_IMPORT_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "core/engine/engine.h"
#include "server/calls/admission.h"
#include "server/calls/work_queue.h"

namespace contacts::server {

// Serves the streams of ImportDirectory. Each stream has its own thread as long as it lasts. gRPC's
// threads only receive records. At most two batches of a stream are in memory, one being committed
// and one being filled. If the database is slower than the stream, the stream is not read, so its
// client waits. Thread safe.
class ImportCalls {
 public:
  struct Limits {
    int64_t max_streams = 2;                         // Streams. Further ones get UNAVAILABLE.
    absl::Duration idle_limit = absl::Minutes(5);    // Without a record, or with an unread answer.
    absl::Duration batch_limit = absl::Seconds(30);  // Of one batch.
  };
  using Stream = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

  // `engine` must outlive this object.
  ImportCalls(const Gate& gate, Engine* engine, Limits limits);

  // Serves one stream, which ends with the errors of Admission or of Bulk::ImportBatch, or with
  // UNAVAILABLE if max_streams run already.
  Stream* Serve(grpc::CallbackServerContext* context);

  // Rejects new streams with UNAVAILABLE. Ends each running stream with UNAVAILABLE once its
  // present batch is committed and acknowledged.
  void Drain() { draining_ = true; }
  // Number of streams in progress.
  int64_t running() const { return running_; }
  // Waits until no stream runs. Returns false if `limit` passed first.
  bool WaitIdle(absl::Duration limit) { return threads_.WaitIdle(limit); }

 private:
  class Reactor;

  const Gate gate_;
  Engine* const engine_;
  const Limits limits_;
  std::atomic<int64_t> running_ = 0;
  std::atomic<bool> draining_ = false;
  WorkQueue threads_;  // The last member: the threads end before the members that they use.
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_IMPORT_CALL_H_
