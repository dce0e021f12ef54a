#include "client/session.h"

#include <algorithm>
#include <fstream>
#include <ostream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "client/table.h"
#include "client/text.h"
#include "client/time_text.h"
#include "client/usage.h"
#include "google/protobuf/util/json_util.h"

namespace contacts::client {

std::string ReadSessionToken(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  const std::string whole = text.str();
  const absl::string_view token = absl::StripAsciiWhitespace(whole);
  // What gRPC takes as a value of metadata; anything else would end the program.
  const bool plain = std::all_of(token.begin(), token.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  return plain ? std::string(token) : "";
}

Session::Session(Settings settings, Streams streams)
    : settings_(std::move(settings)),
      streams_(streams),
      channel_(OpenChannel(settings_.server, settings_.tls)),
      contacts_(v1::ContactService::NewStub(channel_)),
      directory_(v1::DirectoryService::NewStub(channel_)) {}

int Session::UsageError(absl::string_view message) {
  PrintUsageError(message, settings_.json, streams_.colour_err, streams_.err);
  return kUsage;
}

std::string Session::RequestId() const {
  return settings_.request_id.empty() ? NewUuid() : settings_.request_id;
}

Identity Session::IdentityFor(bool directory) const {
  // An operator acts for nobody, so an account that is only the environment's
  // default must not come along: before it is registered, calls would fail.
  // Nor must it beside a session, which is of one account already.
  const bool by_name = !directory && settings_.token_file.empty();
  Identity identity{.account = by_name && settings_.account.empty() ? settings_.default_account
                                                                    : settings_.account,
                    .is_operator = directory || settings_.is_operator};
  // For each call anew: whoever renews the session writes the file.
  if (!settings_.token_file.empty()) identity.token = ReadSessionToken(settings_.token_file);
  return identity;
}

void Session::PrepareDirectoryCall(grpc::ClientContext& context) {
  call_id_ = NewUuid();
  AddMetadata(IdentityFor(/*directory=*/true), call_id_, context);
}

Pace Session::RealPace() {
  Pace pace{absl::Now, absl::SleepFor, nullptr};
  if (!settings_.json) {
    pace.on_retry = [this](absl::Duration wait) {
      // Shorter waits are over before they are read.
      if (wait < absl::Seconds(1)) return;
      streams_.err << "contactctl: the server is unavailable, trying again in "
                   << InWords(absl::Ceil(wait, absl::Seconds(1))) << '\n';
    };
  }
  return pace;
}

Look Session::LookNow() const { return {streams_.colour_out, absl::Now(), absl::LocalTimeZone()}; }

int Session::Watch(const Task& task, v1::WatchContactChangesRequest request, bool is_observer,
                   int64_t count, const RenderEvent& render) {
  constexpr absl::Duration kLongestWait = absl::Seconds(10);
  absl::Duration wait = absl::ZeroDuration();
  const Pace pace = RealPace();
  for (int64_t seen = 0;;) {
    call_id_ = NewUuid();
    grpc::ClientContext context;
    Identity identity = IdentityFor(/*directory=*/false);
    identity.is_observer = is_observer;
    if (is_observer && settings_.account.empty()) identity.account.clear();
    AddMetadata(identity, call_id_, context);
    const auto stream = contacts_->WatchContactChanges(&context, request);
    v1::WatchContactChangesResponse response;
    while (stream->Read(&response)) {
      wait = absl::ZeroDuration();
      request.set_resume_token(response.resume_token());
      if (!response.has_event()) continue;
      if (settings_.json) {
        PrintJson(response, /*one_line=*/true);
      } else {
        render(response, LookNow(), out());
      }
      const int finished = Finish();
      if (finished != kDone || ++seen == count) return finished;
    }
    const grpc::Status status = stream->Finish();
    if (!MayResume(status)) {
      return status.ok() ? Finish() : Fail(status, task, /*by_operator=*/false);
    }
    // Without any token yet, there is nothing to resume: it starts anew.
    wait = std::min(kLongestWait, std::max(wait * 2, absl::Milliseconds(200)));
    const absl::Duration pause = std::max(wait, RetryDelay(status).value_or(absl::ZeroDuration()));
    if (pace.on_retry) pace.on_retry(pause);
    pace.sleep(pause);
  }
}

void Session::PrintJson(const google::protobuf::Message& response, bool one_line) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = !one_line;
  options.preserve_proto_field_names = true;
  // So that a script finds every field and an empty list is a list.
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(response, &json, options);
  if (!status.ok()) {
    streams_.err << "contactctl: the response cannot be written as JSON\n";
    streams_.out.setstate(std::ios::failbit);
    return;
  }
  streams_.out << json;
  if (one_line) streams_.out << '\n';
}

void Session::SayMore(const std::string& next_page_token) {
  if (next_page_token.empty()) return;
  streams_.out << "\nThere are more: add --all, or for the next page --page-token="
               << Printable(next_page_token) << '\n';
}

int Session::Fail(const grpc::Status& status, Task task, bool by_operator) {
  task.by_operator = by_operator;
  const Failure failure = ExplainFailure(status, task);
  if (settings_.json) {
    PrintFailureAsJson(failure, task, call_id_, streams_.err);
  } else {
    PrintFailure(failure, task, streams_.err, streams_.colour_err);
  }
  return failure.exit_status;
}

int Session::Finish() {
  streams_.out.flush();
  if (streams_.out) return kDone;
  streams_.err << "contactctl: done, but the result could not be written\n";
  return kOtherFailure;
}

}  // namespace contacts::client
