#ifndef CONTACTS_CLIENT_LIB_RETRY_H_
#define CONTACTS_CLIENT_LIB_RETRY_H_

#include <functional>

#include "absl/time/time.h"
#include "grpcpp/support/status.h"

// Retries are made here and not by gRPC's service config (retryPolicy). A service config stops
// after 5 attempts, which no wait of its own stretches to a time limit of 30 s; it also retries a
// wrong certificate, which comes as UNAVAILABLE, and cannot tell the person that it waits.
namespace contacts::client {

// Whether a call is made again if it fails with UNAVAILABLE.
enum class Retry {
  kNever,             // The call changes something and has no request_id.
  kWhileUnavailable,  // The call reads only, or has a request_id.
};

// Time as retries see it. Arguments, so that tests need not wait.
struct RetryClock {
  std::function<absl::Time()> now;
  std::function<void(absl::Duration)> sleep;
  // Called before each wait, with its length. May be empty.
  std::function<void(absl::Duration)> on_retry;
};

// Whether a call that failed with `status` may succeed later. False for everything but
// UNAVAILABLE, and for UNAVAILABLE because of a wrong certificate.
bool IsWorthRetrying(const grpc::Status& status);

// Whether a stream that ended with `status` is to be opened again: as above, and for CANCELLED,
// which a server that shuts down may answer.
bool IsWorthReopening(const grpc::Status& status);

// Waits between attempts: 200 ms, then twice the wait before, up to `longest`. Each is
// shortened at random to between half and all of it, so that clients that failed together do not
// come back together.
class Backoff {
 public:
  explicit Backoff(absl::Duration longest) : longest_(longest) {}

  // Returns the wait after an attempt that failed with `status`: never shorter than the server
  // asks for.
  absl::Duration NextWait(const grpc::Status& status);
  // Begins again at 200 ms.
  void Reset() { next_ = kFirst; }

 private:
  static constexpr absl::Duration kFirst = absl::Milliseconds(200);
  const absl::Duration longest_;
  absl::Duration next_ = kFirst;
};

// Makes a call until it succeeds, fails with a status that is not worth retrying, or the next wait
// would end after `timeout`. `timeout` counts from now over all attempts; its end is the deadline
// of each attempt. Waits of the client's own choice are 2 s at most. Returns the status of the last
// attempt.
grpc::Status CallWithRetries(absl::Duration timeout, Retry retry, const RetryClock& clock,
                             const std::function<grpc::Status(absl::Time deadline)>& attempt);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_LIB_RETRY_H_
