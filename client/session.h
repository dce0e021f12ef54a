#ifndef CONTACTS_CLIENT_SESSION_H_
#define CONTACTS_CLIENT_SESSION_H_

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <type_traits>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/call.h"
#include "client/errors.h"
#include "client/render.h"
#include "client/uuid.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

namespace contacts::client {

// What holds for every command.
struct Settings {
  // HOST:PORT.
  std::string server = "127.0.0.1:50051";
  // Acting account named on the command line; empty where none was.
  std::string account;
  // Acting account of customers' commands where the command line names none.
  std::string default_account;
  // File that holds a session's token; empty for none.
  std::string token_file;
  ClientTls tls;
  // Calls of ContactService say to come from a directory operator too.
  bool is_operator = false;
  // JSON instead of tables and sentences.
  bool json = false;
  // For one call, its retries included.
  absl::Duration timeout = absl::Seconds(30);
  // Takes the place of a drawn request_id. Empty draws one.
  std::string request_id;
};

// Reads a session's token from its file, white space around it left out; "" where it cannot be
// read or does not hold one.
std::string ReadSessionToken(const std::string& path);

// Where a command reads and writes.
struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool colour_out = false;
  bool colour_err = false;
  bool terminal_out = false;
  bool terminal_err = false;
};

// Which part of a list is wanted.
struct Paging {
  // 0 leaves it to the server.
  int page_size = 0;
  std::string page_token;
  bool all = false;
};

// One run of a command: makes its calls, shows what they return and explains
// what fails. Not thread-safe.
class Session {
 public:
  Session(Settings settings, Streams streams);

  template <typename Stub, typename Request, typename Response>
  using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

  // Makes one call and shows its response, by `render(response, look, out)` or
  // as JSON. Returns the exit status.
  template <typename Stub, typename Request, typename Response, typename Render>
  int Run(const Task& task, Repeat repeat, Method<Stub, Request, Response> method,
          const Request& request, Render render) {
    Response response;
    const grpc::Status status = Call(method, request, repeat, response);
    if (!status.ok()) return Fail(status, task, kIsDirectory<Stub>);
    return Show(response, [&] { render(response, LookNow(), out()); });
  }

  // Like Run, for a list: one page of it, or all of it as one response.
  template <typename Stub, typename Request, typename Response, typename Render>
  int RunList(const Task& task, Method<Stub, Request, Response> method, Request request,
              const Paging& paging, Render render) {
    request.set_page_size(paging.page_size);
    request.set_page_token(paging.page_token);
    Response whole;
    do {
      Response page;
      const grpc::Status status = Call(method, request, Repeat::kSafe, page);
      if (!status.ok()) return Fail(status, task, kIsDirectory<Stub>);
      whole.MergeFrom(page);
      whole.set_next_page_token(page.next_page_token());
      request.set_page_token(page.next_page_token());
    } while (paging.all && !whole.next_page_token().empty());
    return Show(whole, [&] {
      render(whole, LookNow(), out());
      SayMore(whole.next_page_token());
    });
  }

  // Shows what WatchContactChanges streams, each by `render(response, look, out)` or
  // as one line of JSON, and resumes where the stream breaks off. Ends after
  // `count` events, where that is not 0, or with an error that a retry does not
  // cure. `is_observer` watches everything.
  using RenderEvent =
      std::function<void(const v1::WatchContactChangesResponse&, const Look&, std::ostream&)>;
  int Watch(const Task& task, v1::WatchContactChangesRequest request, bool is_observer,
            int64_t count, const RenderEvent& render);

  // Says what is wrong with the command line; nothing was sent. `message` must
  // hold no token. Returns the exit status.
  int UsageError(absl::string_view message);

  // The request_id of a command that has one: drawn, or the one asked for.
  std::string RequestId() const;

  std::istream& in() { return streams_.in; }

  std::ostream& out() { return streams_.out; }
  std::ostream& err() { return streams_.err; }
  bool json() const { return settings_.json; }
  absl::Duration timeout() const { return settings_.timeout; }
  // Whether a person watches standard error, or standard output.
  bool terminal() const { return streams_.terminal_err && !settings_.json; }
  bool terminal_out() const { return streams_.terminal_out; }

  // For commands that are more than one call and its answer.
  template <typename Stub, typename Request, typename Response>
  grpc::Status Call(Method<Stub, Request, Response> method, const Request& request, Repeat repeat,
                    Response& response) {
    call_id_ = NewUuid();
    return CallWithRetries(settings_.timeout, repeat, RealPace(), [&](absl::Time deadline) {
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(deadline));
      AddMetadata(IdentityFor(kIsDirectory<Stub>), call_id_, context);
      response.Clear();
      if constexpr (kIsDirectory<Stub>) {
        return (directory_.get()->*method)(&context, request, &response);
      } else {
        return (contacts_.get()->*method)(&context, request, &response);
      }
    });
  }

  v1::DirectoryService::Stub& directory() { return *directory_; }
  // Adds the metadata of a call, under an id of its own.
  void PrepareDirectoryCall(grpc::ClientContext& context);
  Pace RealPace();
  // Explains `status` and returns its exit status.
  int Fail(const grpc::Status& status, Task task, bool by_operator);
  // The exit status of what is done, once the output is written.
  int Finish();

 private:
  template <typename Stub>
  static constexpr bool kIsDirectory = std::is_same_v<Stub, v1::DirectoryService::Stub>;

  // Prints `response` as JSON, or else calls `render`.
  template <typename Render>
  int Show(const google::protobuf::Message& response, Render render) {
    if (settings_.json) {
      PrintJson(response);
    } else {
      render();
    }
    return Finish();
  }

  Identity IdentityFor(bool directory) const;
  Look LookNow() const;
  void PrintJson(const google::protobuf::Message& response, bool one_line = false);
  void SayMore(const std::string& next_page_token);

  const Settings settings_;
  const Streams streams_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::ContactService::Stub> contacts_;
  const std::unique_ptr<v1::DirectoryService::Stub> directory_;
  // x-request-id of the call made last.
  std::string call_id_;
};

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_SESSION_H_
