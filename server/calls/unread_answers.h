#ifndef CONTACTS_SERVER_CALLS_UNREAD_ANSWERS_H_
#define CONTACTS_SERVER_CALLS_UNREAD_ANSWERS_H_

#include <grpcpp/server_context.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>

#include "absl/container/node_hash_map.h"
#include "absl/time/time.h"
#include "server/support/periodic.h"

namespace contacts::server {

// Answers that gRPC holds because their clients do not read them: HTTP/2 lets a peer read a
// stream's bytes as slowly as it likes, and gRPC does not count answers in its own quota. The total
// is bounded at the cost of the tenant that holds most, so it never keeps another tenant's calls
// out. Thread safe.
class UnreadAnswers {
 public:
  struct Limits {
    // Of all. One tenant may have a quarter of them. Beyond the total, the oldest answers of the
    // tenant with most bytes are cancelled.
    std::size_t bytes = std::size_t{256} << 20;
    absl::Duration max_age = absl::Seconds(30);  // For each answer. Then its call is cancelled.
  };

  // One answer, owned by its call. Used only by the functions of UnreadAnswers.
  class Answer {
    friend class UnreadAnswers;
    const std::string* tenant_ = nullptr;  // Null while it is not in a list.
    std::size_t bytes_ = 0;
    grpc::CallbackServerContext* context_ = nullptr;
    absl::Time since_;
    bool dropped_ = false;
    std::list<Answer*>::iterator in_all_;
    std::list<Answer*>::iterator in_tenant_;
  };

  explicit UnreadAnswers(Limits limits);

  // Whether one more call may be made for `tenant`.
  bool HasRoom(const std::string& tenant) const;

  // Adds an answer that is about to be given to gRPC. The context must live until Remove(). Does
  // nothing after Drop().
  void Add(Answer& answer, const std::string& tenant, std::size_t bytes,
           grpc::CallbackServerContext* context);
  // The same for the status of a rejected call, whose bytes do not count: gRPC sends it past
  // HTTP/2's windows, and rejected calls must not keep others out.
  void AddRejection(Answer& answer, grpc::CallbackServerContext* context);
  // The call was cancelled, so gRPC drops the answer. May be called at any time before Remove().
  void Drop(Answer& answer);
  // The answer has been sent, or its call has ended. Call it last, once.
  void Remove(Answer& answer);

  // Bytes of the answers that are unread now.
  std::size_t bytes() const;
  // Number of answers that were cancelled for their age or for the total.
  int64_t cancelled() const { return cancelled_; }

 private:
  struct Tenant {
    std::list<Answer*> answers;  // Oldest first.
    std::size_t bytes = 0;
  };

  // The functions below are called with the mutex held.
  void Insert(Answer& answer, const std::string& tenant, std::size_t bytes,
              grpc::CallbackServerContext* context);
  void Erase(Answer& answer);
  // Forgets the answer and cancels its call.
  void Cancel(Answer& answer);
  Answer* OldestOfLargest();
  void CancelLate();

  const Limits limits_;
  // Recursive, because cancelling a call may end it, and others, before that returns.
  mutable std::recursive_mutex mutex_;
  std::list<Answer*> all_;  // Oldest first.
  // Those with answers. Nodes, because an answer points to its tenant's name.
  absl::node_hash_map<std::string, Tenant> tenants_;
  std::size_t total_bytes_ = 0;
  std::atomic<int64_t> cancelled_ = 0;
  Periodic checks_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_UNREAD_ANSWERS_H_
