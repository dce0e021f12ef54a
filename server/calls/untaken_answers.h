#ifndef CONTACTS_SERVER_CALLS_UNTAKEN_ANSWERS_H_
#define CONTACTS_SERVER_CALLS_UNTAKEN_ANSWERS_H_

#include <grpcpp/server_context.h>

#include <cstddef>
#include <list>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "server/support/periodic.h"

namespace contacts::server {

// Answers that gRPC holds because those who asked do not read them: HTTP/2 lets a peer take a
// stream's bytes as slowly as it likes, and gRPC counts no answer in its own quota. Thread safe.
class UntakenAnswers {
 public:
  struct Limits {
    std::size_t bytes = std::size_t{256} << 20;   // Of all.
    absl::Duration patience = absl::Seconds(30);  // With one answer; then its call is cancelled.
  };

  explicit UntakenAnswers(Limits limits);

  // Whether one more call is to be made for somebody: no one may hold more than a quarter of
  // what the others leave.
  bool HasRoom(const std::string& whose) const;

  struct Answer {
    std::string whose;
    std::size_t bytes = 0;
    grpc::CallbackServerContext* context = nullptr;
    absl::Time since;
    bool cancelled = false;
  };
  using Handle = std::list<Answer>::iterator;
  // An answer that is about to be given to gRPC, and that its call's end takes off again. The
  // context has to live until then.
  Handle Add(const std::string& whose, std::size_t bytes, grpc::CallbackServerContext* context);
  void Remove(Handle answer);

 private:
  void CancelLate();

  const Limits limits_;
  // Recursive: to cancel a call may end it before that returns.
  mutable std::recursive_mutex mutex_;
  std::list<Answer> waiting_;  // Oldest first.
  std::list<Answer> cancelled_;
  absl::flat_hash_map<std::string, std::size_t> held_;  // By whose they are.
  std::size_t total_ = 0;
  Periodic looks_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_UNTAKEN_ANSWERS_H_
