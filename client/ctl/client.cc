#include "client/ctl/client.h"

#include <ostream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "client/ctl/table.h"
#include "client/lib/terminal_text.h"
#include "client/lib/time_text.h"
#include "google/protobuf/util/json_util.h"

namespace contacts::client {
namespace {

constexpr absl::Duration kLongestWatchWait = absl::Seconds(10);

}  // namespace

Client::Client(GlobalOptions options, Streams streams)
    : options_(std::move(options)),
      streams_(streams),
      channel_(OpenChannel(options_.server, options_.tls)),
      contacts_(v1::ContactService::NewStub(channel_)),
      directory_(v1::DirectoryService::NewStub(channel_)),
      support_(v1::SupportService::NewStub(channel_)) {}

int Client::UsageError(absl::string_view message) {
  PrintError("USAGE", message, kUsage, error_format(), streams_.err);
  return kUsage;
}

std::string Client::RequestId() const {
  return options_.request_id.empty() ? NewUuid() : options_.request_id;
}

Caller Client::CallerFor(Speaker speaker) const {
  // The default account is left out of the calls of operators and of the support desk, which need
  // no account: an account that is not registered yet would make them fail. It is also left out
  // beside a bearer token, which names its account itself.
  const bool for_account = speaker == Speaker::kAccount;
  const bool may_default = for_account && options_.token_file.empty();
  Caller caller{
      .account =
          may_default && options_.account.empty() ? options_.default_account : options_.account,
      .is_operator = speaker == Speaker::kOperator || (for_account && options_.is_operator),
      .is_support = speaker == Speaker::kSupport};
  // Read for each call, because the file is replaced when the token is renewed.
  if (!options_.token_file.empty()) caller.bearer_token = ReadBearerToken(options_.token_file);
  return caller;
}

void Client::PrepareDirectoryCall(grpc::ClientContext& context) {
  call_id_ = NewUuid();
  AddMetadata(CallerFor(Speaker::kOperator), call_id_, context);
}

RetryClock Client::retry_clock() {
  RetryClock clock{absl::Now, absl::SleepFor, nullptr};
  if (!options_.json) {
    clock.on_retry = [this](absl::Duration wait) {
      // A shorter wait is over before its message is read.
      if (wait < absl::Seconds(1)) return;
      streams_.err << "contactctl: the server is unavailable, trying again in "
                   << InWords(absl::Ceil(wait, absl::Seconds(1))) << '\n';
    };
  }
  return clock;
}

RenderOptions Client::Rendering() const {
  return {streams_.colour_out, streams_.width_out, absl::Now(), absl::LocalTimeZone()};
}

int Client::Watch(const CallPurpose& purpose, v1::WatchContactChangesRequest request,
                  bool is_observer, int64_t count, const RenderEvent& render) {
  Backoff backoff(kLongestWatchWait);
  const RetryClock clock = retry_clock();
  for (int64_t seen = 0;;) {
    call_id_ = NewUuid();
    grpc::ClientContext context;
    Caller caller = CallerFor(Speaker::kAccount);
    caller.is_observer = is_observer;
    if (is_observer && options_.account.empty()) caller.account.clear();
    AddMetadata(caller, call_id_, context);
    const auto stream = contacts_->WatchContactChanges(&context, request);
    v1::WatchContactChangesResponse response;
    while (stream->Read(&response)) {
      backoff.Reset();
      request.set_resume_token(response.resume_token());
      if (!response.has_event()) continue;
      if (options_.json) {
        PrintJson(response, /*one_line=*/true);
      } else {
        render(response, Rendering(), out());
      }
      const int finished = Finish();
      if (finished != kDone || ++seen == count) return finished;
    }
    const grpc::Status status = stream->Finish();
    if (!IsWorthReopening(status)) {
      return status.ok() ? Finish() : Fail(status, purpose, Speaker::kAccount);
    }
    // Without a token there is nothing to resume: the watch starts from the present.
    const absl::Duration wait = backoff.NextWait(status);
    if (clock.on_retry) clock.on_retry(wait);
    clock.sleep(wait);
  }
}

void Client::PrintJson(const google::protobuf::Message& response, bool one_line) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = !one_line;
  options.preserve_proto_field_names = true;
  // A script finds every field, and an empty list as a list.
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

void Client::PrintNextPageHint(const std::string& next_page_token) {
  if (next_page_token.empty()) return;
  streams_.out << "\nThere are more: add --all, or for the next page --page-token="
               << Printable(next_page_token) << '\n';
}

int Client::Fail(const grpc::Status& status, CallPurpose purpose, Speaker speaker) {
  purpose.by_operator = speaker != Speaker::kAccount;
  purpose.by_support = speaker == Speaker::kSupport;
  const Failure failure = ExplainFailure(status, purpose);
  PrintFailure(failure, purpose, call_id_, error_format(), streams_.err);
  return failure.exit_status;
}

int Client::Finish() {
  streams_.out.flush();
  if (streams_.out) return kDone;
  streams_.err << "contactctl: done, but standard output cannot be written\n";
  return kOtherFailure;
}

}  // namespace contacts::client
