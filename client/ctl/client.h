#ifndef CONTACTS_CLIENT_CTL_CLIENT_H_
#define CONTACTS_CLIENT_CTL_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <type_traits>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/ctl/print_errors.h"
#include "client/ctl/render.h"
#include "client/lib/channel.h"
#include "client/lib/credentials.h"
#include "client/lib/errors.h"
#include "client/lib/retry.h"
#include "client/lib/uuid.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "contacts/v1/support_service.grpc.pb.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

namespace contacts::client {

// Values of the options that every command has.
struct GlobalOptions {
  std::string server = "127.0.0.1:50051";  // HOST:PORT.
  std::string account;                     // Value of --account. Empty: not given.
  // Acting account of commands for customers if `account` is empty. May be empty too.
  std::string default_account;
  std::string token_file;  // File of a bearer token. Empty: none is sent.
  TlsFiles tls;
  bool is_operator = false;  // Calls of ContactService claim to be an operator's.
  bool json = false;         // JSON in place of tables and sentences.
  // Time limit of one call with its retries, above 0.
  absl::Duration timeout = absl::Seconds(30);
  std::string request_id;  // Used in place of a random one. Empty: none given.
};

// Where a command reads and writes.
struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool colour_out = false;
  bool colour_err = false;
  bool terminal_out = false;
  bool terminal_err = false;
  std::size_t width_out = 0;  // Columns of the terminal. 0: no limit.
};

// The callers of the contract's services: accounts (ContactService), operators (DirectoryService)
// and the support desk (SupportService).
enum class Speaker { kAccount, kOperator, kSupport };

// Which part of a list is wanted.
struct Paging {
  int page_size = 0;       // 0: the server chooses.
  std::string page_token;  // Empty: the first page.
  bool all = false;        // Every page from there on.
};

// The server as one command sees it: makes the command's calls, shows their responses and explains
// their failures. Not thread-safe.
class Client {
 public:
  // Connects at the first call.
  Client(GlobalOptions options, Streams streams);

  template <typename Stub, typename Request, typename Response>
  using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

  // Makes one call and shows its response: as JSON, or by `render(response, options, out)`.
  // Returns the exit status.
  template <typename Stub, typename Request, typename Response, typename Render>
  int Run(const CallPurpose& purpose, Retry retry, Method<Stub, Request, Response> method,
          const Request& request, Render render) {
    Response response;
    const grpc::Status status = Call(method, request, retry, response);
    if (!status.ok()) return Fail(status, purpose, kSpeaker<Stub>);
    return Show(response, [&] { render(response, Rendering(), out()); });
  }

  // As Run, for a list: shows one page, or all pages as one response.
  template <typename Stub, typename Request, typename Response, typename Render>
  int RunList(const CallPurpose& purpose, Method<Stub, Request, Response> method, Request request,
              const Paging& paging, Render render) {
    request.set_page_size(paging.page_size);
    request.set_page_token(paging.page_token);
    Response whole;
    do {
      Response page;
      const grpc::Status status = Call(method, request, Retry::kWhileUnavailable, page);
      if (!status.ok()) return Fail(status, purpose, kSpeaker<Stub>);
      whole.MergeFrom(page);
      whole.set_next_page_token(page.next_page_token());
      request.set_page_token(page.next_page_token());
    } while (paging.all && !whole.next_page_token().empty());
    return Show(whole, [&] {
      render(whole, Rendering(), out());
      PrintNextPageHint(whole.next_page_token());
    });
  }

  // Shows the events of WatchContactChanges: each by `render(response, options, out)`, or as one
  // line of JSON. Resumes where the stream breaks off. Ends after `count` events if that is
  // not 0, or with a failure that is not worth retrying. `is_observer` watches every change.
  // Returns the exit status.
  using RenderEvent = std::function<void(const v1::WatchContactChangesResponse&,
                                         const RenderOptions&, std::ostream&)>;
  int Watch(const CallPurpose& purpose, v1::WatchContactChangesRequest request, bool is_observer,
            int64_t count, const RenderEvent& render);

  // Says what is wrong with the command line, without any call. `message` must hold no token.
  // Returns the exit status.
  int UsageError(absl::string_view message);

  // The request_id of a request: the one of the command line, or else a random one.
  std::string RequestId() const;

  std::istream& in() { return streams_.in; }
  std::ostream& out() { return streams_.out; }
  std::ostream& err() { return streams_.err; }
  const GlobalOptions& options() const { return options_; }
  // How errors are printed.
  ErrorFormat error_format() const { return {options_.json, streams_.colour_err}; }
  // Whether progress is drawn on standard error: on a terminal, not beside JSON.
  bool draws_progress() const { return streams_.terminal_err && !options_.json; }
  bool terminal_out() const { return streams_.terminal_out; }

  // Makes one call with its retries, for commands that do more than show one response. The result
  // is in `response` if the status is OK.
  template <typename Stub, typename Request, typename Response>
  grpc::Status Call(Method<Stub, Request, Response> method, const Request& request, Retry retry,
                    Response& response) {
    call_id_ = NewUuid();
    return CallWithRetries(options_.timeout, retry, retry_clock(), [&](absl::Time deadline) {
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(deadline));
      AddMetadata(CallerFor(kSpeaker<Stub>), call_id_, context);
      response.Clear();
      if constexpr (kSpeaker<Stub> == Speaker::kOperator) {
        return (directory_.get()->*method)(&context, request, &response);
      } else if constexpr (kSpeaker<Stub> == Speaker::kSupport) {
        return (support_.get()->*method)(&context, request, &response);
      } else {
        return (contacts_.get()->*method)(&context, request, &response);
      }
    });
  }

  // For calls that Call does not make: streams, and other services than the contract's.
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  v1::DirectoryService::Stub& directory() { return *directory_; }
  // Adds an operator's metadata, with a fresh x-request-id.
  void PrepareDirectoryCall(grpc::ClientContext& context);
  // The real clock. Before a wait of 1 s or more it says so on standard error, not beside JSON.
  RetryClock retry_clock();

  // Explains `status`, which is not OK. Returns the exit status.
  int Fail(const grpc::Status& status, CallPurpose purpose, Speaker speaker);
  // Flushes the output. Returns the exit status: kOtherFailure if it could not be written.
  int Finish();

 private:
  template <typename Stub>
  static constexpr Speaker kSpeaker =
      std::is_same_v<Stub, v1::DirectoryService::Stub> ? Speaker::kOperator
      : std::is_same_v<Stub, v1::SupportService::Stub> ? Speaker::kSupport
                                                       : Speaker::kAccount;

  // Prints `response` as JSON, or by `render`. Returns the exit status.
  template <typename Render>
  int Show(const google::protobuf::Message& response, Render render) {
    if (options_.json) {
      PrintJson(response);
    } else {
      render();
    }
    return Finish();
  }

  Caller CallerFor(Speaker speaker) const;
  RenderOptions Rendering() const;
  void PrintJson(const google::protobuf::Message& response, bool one_line = false);
  void PrintNextPageHint(const std::string& next_page_token);

  const GlobalOptions options_;
  const Streams streams_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::ContactService::Stub> contacts_;
  const std::unique_ptr<v1::DirectoryService::Stub> directory_;
  const std::unique_ptr<v1::SupportService::Stub> support_;
  // x-request-id of the latest call.
  std::string call_id_;
};

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_CLIENT_H_
