#ifndef CONTACTS_CLIENT_WEB_SITE_H_
#define CONTACTS_CLIENT_WEB_SITE_H_

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
#include "client/web/session.h"
#include "client/web/view.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

namespace contacts::web {

struct SiteOptions {
  // True: a form asks for the account, without a password. False: a reverse proxy has signed the
  // person in and sends the session's token.
  bool development = false;
  std::string token_header = "x-forwarded-access-token";  // In lower case.
  std::string account_claim = "sub";                      // Of the token, to show the account.
  absl::Duration session_time = absl::Hours(1);
  absl::Duration call_time = absl::Seconds(10);
  // Maildir whose e-mails a page shows. Only for development. Empty: no such page.
  std::string mail_folder;
};

// One request and its person.
struct Visit {
  const Request& request;
  std::reference_wrapper<const Words> say;
  std::string call_id;  // Of the log, and x-request-id of the calls.
  Session session{};    // A new one if the request brought none.
  client::Caller caller{};
  std::string account{};  // As the page shows it. Empty: not signed in.
  std::string id{};       // The part {id} of the path.
  int calls = 0;          // gRPC calls made.
  bool renew = false;     // Whether the response sets the session's cookie.
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
  std::string error;   // Shown above the page.
  std::string done{};  // Id of words to show there. Empty: those of the form that led here.
  int status;
};

// The account area: pages over ContactService. Thread-safe.
class Site {
 public:
  // The first channel carries calls, the others the streams of open pages.
  Site(SiteOptions options, std::vector<std::string> keys,
       const std::vector<std::shared_ptr<grpc::Channel>>& channels);

  // Never throws. Writes one line of the log.
  Response Handle(const Request& request);

 private:
  struct Route;
  static const std::vector<Route>& Routes();

  void Identify(Visit& visit) const;
  Response Dispatch(Visit& visit, std::string& route_name);

  // site.cc
  Response Home(Visit& visit);
  Response Asset(Visit& visit);
  Response Health(Visit& visit);
  Response SignInPage(Visit& visit);
  Response SignIn(Visit& visit);
  Response SignOut(Visit& visit);
  Response Events(Visit& visit);
  // pages.cc
  Response Contacts(Visit& visit);
  Response ChangeForm(Visit& visit);
  Response Change(Visit& visit);
  Response Requests(Visit& visit);
  Response OneRequest(Visit& visit);
  Response AnswerRequest(Visit& visit);
  Response Resend(Visit& visit);
  Response Withdraw(Visit& visit);
  Response Profile(Visit& visit);
  Response SaveProfile(Visit& visit);
  Response ConfirmEmail(Visit& visit);
  // mail.cc
  Response MailPage(Visit& visit);
  Response Letter(Visit& visit);

  // Pages, also after a form that failed with this failure.
  Response ShowRequest(Visit& visit, const grpc::Status& failed);
  Response ShowProfile(Visit& visit, const grpc::Status& failed);
  Response ShowSignIn(Visit& visit, int status, const std::string& error);

  Response Show(const Visit& visit, Page& page) const;
  // A page that says no more than why it did not work.
  Response Failed(const Visit& visit, const grpc::Status& status) const;
  Response Failed(const Visit& visit, int status, const std::string& sentence) const;
  static Response Redirect(const std::string& path) { return {303, {{"Location", path}}}; }
  // After a form that did its work: the page shows the words "done DONE". The address has a token
  // of the session, so that nobody can make a person believe it by a link.
  Response Redirect(const Visit& visit, const std::string& path, const std::string& done) const;
  // The id of these words, such as "done asked". Empty if there are none.
  std::string Done(const Visit& visit) const;

  template <typename Request, typename Reply>
  using Method = grpc::Status (v1::ContactService::Stub::*)(grpc::ClientContext*, const Request&,
                                                            Reply*);
  // Makes a call; again while the server cannot be reached, if `retry` says so.
  template <typename Request, typename Reply>
  grpc::Status Call(Visit& visit, Method<Request, Reply> method, const Request& request,
                    Reply& reply, client::Retry retry = client::Retry::kWhileUnavailable) {
    const client::RetryClock clock{absl::Now, absl::SleepFor, nullptr};
    ++visit.calls;
    return client::CallWithRetries(options_.call_time, retry, clock, [&](absl::Time deadline) {
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(deadline));
      client::AddMetadata(visit.caller, visit.call_id, context);
      return (stubs_[0].get()->*method)(&context, request, &reply);
    });
  }
  // Makes a call that changes the request of this page, and shows it: `done` says what was done.
  template <typename Request, typename Reply>
  Response Act(Visit& visit, Method<Request, Reply> method, Request request, const char* done);

  const SiteOptions options_;
  const Signer signer_;
  std::vector<std::unique_ptr<v1::ContactService::Stub>> stubs_;  // By channel.
  std::mutex lock_;                                               // Of streams_.
  std::map<std::string, int> streams_;  // Streams of open pages, by account.
};

}  // namespace contacts::web

#endif  // CONTACTS_CLIENT_WEB_SITE_H_
