#ifndef CONTACTS_CLIENT_CALL_H_
#define CONTACTS_CLIENT_CALL_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

namespace contacts::client {

// Whether a call may be made again when it is not known what became of it.
enum class Repeat {
  // It changes something and carries no request_id.
  kNever,
  // It only reads, or carries a request_id.
  kSafe,
};

// Who calls.
struct Identity {
  // The acting account's id; empty sends none.
  std::string account;
  // Says to be a directory operator.
  bool is_operator = false;
  // Says to be an observer, who may watch everything.
  bool is_observer = false;
  // Token of the session that is called in; empty sends none.
  std::string token;
};

// Time as retries see it: arguments, so that tests need not wait.
struct Pace {
  std::function<absl::Time()> now;
  std::function<void(absl::Duration)> sleep;
  // Told of each retry, with the wait before it. May be empty.
  std::function<void(absl::Duration)> on_retry;
};

// How a server is known, and how it knows who calls: PEM files.
struct ClientTls {
  bool enabled = false;     // Or else plain text.
  std::string ca;           // Authorities of the server's certificate; empty: the system's.
  std::string certificate;  // The caller's own, and its key; both empty for none.
  std::string key;
};

// Opens a channel to `server`, "HOST:PORT", that takes in the longest list of
// errors that the contract allows and the longest page. Connects at the first call.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& server, const ClientTls& tls);

// Adds the metadata that each call carries.
void AddMetadata(const Identity& identity, const std::string& call_id,
                 grpc::ClientContext& context);

// Between half of `backoff` and all of it, so that clients that failed together
// do not come back together.
absl::Duration Jittered(absl::Duration backoff);

// Whether the call may succeed if it is made again later.
bool MayHelpToRetry(const grpc::Status& status);

// Whether a stream that ended so may be opened again. A server that shuts down cancels
// what reached it last; nobody cancels a stream here.
bool MayResume(const grpc::Status& status);

// Makes a call until it succeeds or `timeout` has passed. Repeats it after UNAVAILABLE
// alone, if `repeat` allows it and if waiting may help (it does not cure a wrong
// certificate). Waits as long as the server asks for, or else a growing, jittered time of
// 2 s at most. Gives up early if the wait would pass the end of `timeout`, which counts
// from now over all tries and is each try's deadline.
grpc::Status CallWithRetries(absl::Duration timeout, Repeat repeat, const Pace& pace,
                             const std::function<grpc::Status(absl::Time deadline)>& attempt);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CALL_H_
