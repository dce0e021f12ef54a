#ifndef CONTACTS_SERVER_CALLS_UNREAD_ANSWERS_H_
#define CONTACTS_SERVER_CALLS_UNREAD_ANSWERS_H_

#include <grpcpp/server_context.h>

#include <cstddef>
#include <list>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "server/support/periodic.h"

namespace contacts::server {

// Answers that gRPC holds because their clients do not read them: HTTP/2 lets a peer read a
// stream's bytes as slowly as it likes, and gRPC does not count answers in its own quota. Thread
// safe.
class UnreadAnswers {
 public:
  struct Limits {
    std::size_t bytes = std::size_t{256} << 20;  // Of all.
    absl::Duration max_age = absl::Seconds(30);  // For each answer. Then its call is cancelled.
  };

  explicit UnreadAnswers(Limits limits);

  // Whether one more call may be made for `tenant`: its unread answers may have a quarter of the
  // bytes that those of the others leave free.
  bool HasRoom(const std::string& tenant) const;

  struct Answer {
    std::string tenant;
    std::size_t bytes = 0;
    grpc::CallbackServerContext* context = nullptr;
    absl::Time since;
    bool cancelled = false;
  };
  using Handle = std::list<Answer>::iterator;
  // Adds an answer that is about to be given to gRPC. The end of its call removes it again. The
  // context must live until then.
  Handle Add(const std::string& tenant, std::size_t bytes, grpc::CallbackServerContext* context);
  // To be called when the answer has been sent, or its call has ended.
  void Remove(Handle answer);

 private:
  void CancelLate();

  const Limits limits_;
  // Recursive, because cancelling a call may end it before that returns.
  mutable std::recursive_mutex mutex_;
  std::list<Answer> waiting_;  // Oldest first.
  std::list<Answer> cancelled_;
  absl::flat_hash_map<std::string, std::size_t> bytes_of_;  // Bytes by account.
  std::size_t total_bytes_ = 0;
  Periodic checks_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_UNREAD_ANSWERS_H_
