#ifndef CONTACTS_CLIENT_WEB_SITE_H_
#define CONTACTS_CLIENT_WEB_SITE_H_

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/lib/credentials.h"
#include "client/lib/retry.h"
#include "client/web/http_server.h"
#include "client/web/view.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "grpcpp/client_context.h"

namespace contacts::web {

using Stub = v1::ContactService::Stub;

struct SiteOptions {
  // True: a form asks for the account, without a password. False: a reverse proxy has signed the
  // person in and sends the session's token.
  bool development = false;
  std::string token_header = "x-forwarded-access-token";  // In lower case.
  std::string account_claim = "sub";                      // Of the token, to show the account.
  absl::Duration session_time = absl::Hours(1);
  // Maildir whose e-mails a page shows. Only for development. Empty: no such page.
  std::string mail_folder;
};

// Content of the session cookie. It is the only state, and it is kept by the browser.
struct Session {
  std::string id;        // Random. Another one after each sign-in.
  std::string account;   // Empty: nobody is signed in by this cookie.
  std::string language;  // Of the account's profile. Empty: not known.
  absl::Time end;
};

// The account area: pages over ContactService. Thread-safe.
struct Site {
  // Never throws. Writes one line of the log.
  Response Handle(const Request& request);

  // Signs with HMAC-SHA256.
  std::string Sign(const std::string& text, std::size_t key = 0) const;
  bool IsSigned(const std::string& text, const std::string& signature) const;

  const SiteOptions options;
  const std::vector<std::string> keys;  // The first one signs; each verifies.
  // By channel. The first one carries calls, the others the streams of open pages.
  const std::vector<std::unique_ptr<Stub>> stubs;
  std::mutex lock{};                     // Of what follows.
  std::size_t turn = 0;                  // Streams that were begun.
  std::map<std::string, int> streams{};  // Streams of open pages, by account.
};

struct CallFailed : std::exception {
  explicit CallFailed(grpc::Status failure) : status(std::move(failure)) {}
  grpc::Status status;
};

struct Page;

// One request, its person, and the answers to it.
struct Visit {
  Site& site;
  const Request& request;
  std::string call_id;  // Of the log, and x-request-id of the calls.
  std::reference_wrapper<const Words> say;
  Session session{};  // A new one if the request brought none.
  client::Caller caller{};
  std::string account{};       // As the page shows it. Empty: not signed in.
  std::string route = "none";  // For the log.
  std::string id{};            // The part {id} of the path.
  int calls = 0;               // gRPC calls made.
  bool renew = false;          // Whether the response sets the session's cookie.

  template <typename Request, typename Reply>
  using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Reply*);
  // Makes a call; again while the server cannot be reached, if `retry` says so.
  template <typename Request, typename Reply>
  grpc::Status Call(Method<Request, Reply> method, const Request& call, Reply& reply,
                    client::Retry retry = client::Retry::kWhileUnavailable) {
    const client::RetryClock clock{absl::Now, absl::SleepFor, nullptr};
    ++calls;
    return client::CallWithRetries(absl::Seconds(10), retry, clock, [&](absl::Time deadline) {
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(deadline));
      client::AddMetadata(caller, call_id, context);
      return (site.stubs[0].get()->*method)(&context, call, &reply);
    });
  }
  // Makes the call without which there is no page. Throws CallFailed, which Handle() explains.
  template <typename Request, typename Reply>
  Reply Read(Method<Request, Reply> method, const Request& call) {
    Reply reply;
    const grpc::Status status = Call(method, call, reply);
    return status.ok() ? reply : throw CallFailed(status);
  }

  Response Show(Page& page) const;
  // A page that says no more than why it did not work.
  Response Failed(int status, const std::string& sentence) const;
  static Response Redirect(const std::string& path) { return {303, {{"Location", path}}}; }
  // After a form that did its work: the page shows the words "done DONE". The address has a token
  // of the session, so that nobody can make a person believe it by a link.
  Response Redirect(const std::string& path, const std::string& done) const;
  // The id of these words, such as "done asked". Empty if there are none.
  std::string Done() const;
  // The text of a token that nobody makes for another session, nor for another purpose. A sealed
  // session has no line break, so neither is taken for the other.
  std::string Token(const std::string& purpose) const {
    return "token\n" + session.id + "\n" + purpose;
  }
  // The address of this page with another value of a parameter, and without those words.
  std::string With(const std::string& name, const std::string& value) const;
};

// HTTP's status for a call's.
int HttpStatus(const grpc::Status& status);

// A page before its layout. Shows why the call of a form failed.
struct Page {
  Page(const Visit& visit, const std::string& name, std::string page_title,
       const grpc::Status& failed = grpc::Status::OK)
      : layout("page"),
        body(Include(layout, "BODY", name, visit.say)),
        title(std::move(page_title)),
        error(Sentence(failed, visit.say)),
        status(HttpStatus(failed)) {}

  ctemplate::TemplateDictionary layout;
  ctemplate::TemplateDictionary& body;  // Of the template `name`.
  const std::string title;
  std::string error;        // Shown above the page.
  std::string done{};       // Id of words to show there. Empty: those of the form that led here.
  std::string next_page{};  // Token of the next page of a list. Empty: none.
  int status;
};

struct Route {
  const char* method;
  const char* path;  // {id} is one segment.
  std::function<Response(Visit&)> handler;
  bool signed_in = true;  // Without a session, asks to sign in.
};
void AddContactPages(std::vector<Route>& routes);  // pages.cc
void AddMailPages(std::vector<Route>& routes);     // mail.cc

}  // namespace contacts::web

#endif  // CONTACTS_CLIENT_WEB_SITE_H_
