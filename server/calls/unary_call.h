#ifndef CONTACTS_SERVER_CALLS_UNARY_CALL_H_
#define CONTACTS_SERVER_CALLS_UNARY_CALL_H_

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/engine/engine.h"
#include "server/auth/authenticator.h"
#include "server/calls/admission.h"
#include "server/calls/unread_answers.h"
#include "server/calls/work_queue.h"
#include "server/messages/validation.h"

namespace contacts::server {

// A call from gRPC, with request and reply as bytes.
struct RawCall {
  grpc::CallbackServerContext* context;
  const grpc::ByteBuffer* request;
  grpc::ByteBuffer* reply;
};

// Serves every unary call of any method: makes its caller, parses and checks its request, then a
// worker thread calls the engine. gRPC's own threads never wait. Finishes each call exactly once.
// Thread safe.
class UnaryCalls {
 public:
  using Reply = absl::StatusOr<std::string>;
  // Ends a call with the serialized reply that `make` returns.
  using Done = std::function<void(const std::function<Reply()>& make)>;
  // Answers one request: calls `done` once, before it returns or later, in any thread. The call and
  // the request live until then. Runs on a worker thread.
  using Handler =
      std::function<void(const Call&, const google::protobuf::Message&, const Done& done)>;

  // `time_limit`: longest deadline of a call, and the deadline of a call that sets none. Reading
  // the answer may take as long again. `max_unread`: bytes of all answers that are not read yet.
  // `workers` must outlive this object.
  UnaryCalls(const Gate& gate, WorkQueue* workers, absl::Duration time_limit,
             std::size_t max_unread = UnreadAnswers::Limits().bytes);

  // Serves one call of `method`, such as "contacts.v1.ContactService/GetProfile". The call ends
  // with the handler's reply or error, with an error of Admission, with UNAVAILABLE if the queue or
  // the account's share of it is full, or with DEADLINE_EXCEEDED.
  template <typename Request>
  grpc::ServerUnaryReactor* Serve(const RawCall& raw, const std::string& method, Audience audience,
                                  std::function<Reply(const Call&, const Request&)> handler) {
    return Serve(raw, method, audience, std::make_unique<Request>(),
                 [handler = std::move(handler)](
                     const Call& call, const google::protobuf::Message& request, const Done& done) {
                   done([&] { return handler(call, static_cast<const Request&>(request)); });
                 });
  }
  // The same for a handler whose answer another thread may give.
  grpc::ServerUnaryReactor* Serve(const RawCall& raw, const std::string& method, Audience audience,
                                  std::unique_ptr<google::protobuf::Message> request,
                                  Handler handler);

  // Answers every new call with UNAVAILABLE.
  void Drain() { draining_ = true; }
  // Returns false if after `limit` calls are still in progress, or their answers not yet sent.
  bool WaitIdle(absl::Duration limit) const;

  const UnreadAnswers& unread() const { return unread_; }

 private:
  class Reactor;

  const Gate gate_;
  WorkQueue* const workers_;
  const absl::Duration time_limit_;
  mutable UnreadAnswers unread_;
  mutable std::atomic<int64_t> under_way_ = 0;
  std::atomic<bool> draining_ = false;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_UNARY_CALL_H_
