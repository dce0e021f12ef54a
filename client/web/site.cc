#include "client/web/site.h"

#include <atomic>
#include <cstdio>
#include <exception>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/lib/uuid.h"

namespace contacts::web {
namespace {

using Stub = v1::ContactService::Stub;

constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
     "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
    {"Cache-Control", "no-store"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"}};
constexpr int kMostStreams = 20;  // Of one account. Pages that are not in sight need none.
constexpr char kLanguageCookie[] = "contacts-language";

// Browsers send a __Host- cookie over TLS alone, and to the host alone that set it. Development has
// no TLS.
std::string SessionCookie(bool development) {
  return development ? "contacts-session" : "__Host-contacts-session";
}

// A claim of a JSON Web Token that is only shown: contactsd verifies the token of each call.
std::string Claim(absl::string_view token, const std::string& name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  std::string payload;
  if (parts.size() != 3 || !absl::WebSafeBase64Unescape(parts[1], &payload)) return "";
  const auto json = nlohmann::json::parse(payload, nullptr, /*allow_exceptions=*/false);
  const bool has = json.is_object() && json.contains(name) && json[name].is_string();
  return has ? json[name].get<std::string>() : "";
}

// The path of the route, where the id of a request is {id}. Sets `id`, or leaves it empty.
std::string RoutePath(const std::string& path, std::string& id) {
  std::vector<std::string> parts = absl::StrSplit(path, '/');
  const bool has_id = parts.size() > 2 && parts[1] == "contact-changes" && !parts[2].empty();
  if (has_id) id = std::exchange(parts[2], "{id}");
  return absl::StrJoin(parts, "/");
}

// The page that a person without a session wanted, or that the form was on, with its code.
std::string PageOf(const Visit& visit) {
  const Request& request = visit.request;
  if (request.method == "GET") return absl::StrCat(request.path, "?", Encoded(request.query));
  return absl::StrCat(visit.id.empty() ? request.path : "/contact-changes/" + visit.id, "?",
                      Encoded({{"token", Get(request.form, "token")}}));
}

// Whether a browser of this machine sent the request, as it should in development. Another name
// that leads here is an attack by DNS. A proxy's headers mean that strangers may be behind it.
bool IsLocal(const Request& request, const std::string& token_header) {
  for (const auto& [name, value] : request.headers) {
    if (name == token_header || name == "forwarded" || absl::StartsWith(name, "x-forwarded-") ||
        absl::StartsWith(name, "x-auth-request-")) {
      return false;
    }
  }
  const std::string name = Get(request.headers, "host");
  absl::string_view host = name;
  const std::size_t port = host.rfind(':');
  if (port != absl::string_view::npos && !absl::EndsWith(host, "]")) host = host.substr(0, port);
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

// Part of the addresses of style and script: browsers keep them until it changes.
const std::string& Version() {
  static const auto* const kVersion = new std::string(absl::StrCat(
      std::hash<std::string>()(absl::StrCat(Embedded("style.css"), Embedded("page.js")))));
  return *kVersion;
}

// Passes the events of one person's requests on to one page.
class Watch : public grpc::ClientReadReactor<v1::WatchContactChangesResponse> {
 public:
  Watch(const Visit& visit, std::shared_ptr<EventStream> stream) : stream_(std::move(stream)) {
    client::AddMetadata(visit.caller, visit.call_id, context_);
    request_.set_resume_token(Get(visit.request.headers, "last-event-id"));
  }
  // `self` keeps this object until gRPC is done with it.
  void Start(Stub& stub, std::shared_ptr<Watch> self) {
    self_ = std::move(self);
    stub.async()->WatchContactChanges(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }
  void Stop() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    // The data is an id at most: the page reads the rest itself.
    if (response_.has_event() || !begun_) {
      stream_->Send(absl::StrCat("id: ", response_.resume_token(),
                                 "\nevent: ", response_.has_event() ? "change" : "begin",
                                 "\ndata: ", response_.event().contact_change_id(), "\n\n"));
    }
    begun_ = true;
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override {
    // Without an id, the browser starts from now when it connects again.
    if (status.error_code() == grpc::StatusCode::OUT_OF_RANGE) {
      stream_->Send("id\nevent: begin\ndata\n\n");
    } else if (!client::IsWorthReopening(status)) {
      stream_->Send("retry: 60000\n\n");  // Such as the end of the proxy's session.
    }
    stream_->End();
    self_.reset();
  }

 private:
  const std::shared_ptr<EventStream> stream_;
  grpc::ClientContext context_;
  v1::WatchContactChangesRequest request_;
  v1::WatchContactChangesResponse response_;
  bool begun_ = false;
  std::shared_ptr<Watch> self_;
};

}  // namespace

int HttpStatus(const grpc::Status& status) {
  // By gRPC's codes, OK to UNAUTHENTICATED.
  constexpr int kStatuses[] = {200, 500, 500, 400, 504, 404, 409, 403, 429,
                               409, 409, 400, 500, 500, 503, 500, 401};
  const auto code = static_cast<std::size_t>(status.error_code());
  return code < std::size(kStatuses) ? kStatuses[code] : 500;
}

struct Site::Route {
  const char* method;
  const char* path;  // {id} is one segment.
  Response (Site::*handler)(Visit&);
  bool signed_in = true;  // Without a session, asks to sign in.
};

const std::vector<Site::Route>& Site::Routes() {
  static const auto* const kRoutes = new std::vector<Route>{
      {"GET", "/", &Site::Home, false},
      {"GET", "/style.css", &Site::Asset, false},
      {"GET", "/page.js", &Site::Asset, false},
      {"GET", "/healthz", &Site::Health, false},
      {"GET", "/sign-in", &Site::SignInPage, false},
      {"POST", "/sign-in", &Site::SignIn, false},
      {"POST", "/sign-out", &Site::SignOut},
      {"GET", "/events", &Site::Events},
      {"GET", "/contacts", &Site::Contacts},
      {"GET", "/change", &Site::ChangeForm},
      {"POST", "/change", &Site::Change},
      {"GET", "/requests", &Site::Requests},
      {"GET", "/contact-changes/{id}", &Site::OneRequest},
      {"POST", "/contact-changes/{id}/answer", &Site::AnswerRequest},
      {"POST", "/contact-changes/{id}/resend", &Site::Resend},
      {"POST", "/contact-changes/{id}/withdraw", &Site::Withdraw},
      {"GET", "/profile", &Site::Profile},
      {"POST", "/profile", &Site::SaveProfile},
      {"GET", "/confirm-email", &Site::Profile},
      {"POST", "/confirm-email", &Site::ConfirmEmail},
      {"GET", "/mail", &Site::MailPage, false},
      {"GET", "/mail/letter", &Site::Letter, false},
  };
  return *kRoutes;
}

Site::Site(SiteOptions options, std::vector<std::string> keys,
           const std::vector<std::shared_ptr<grpc::Channel>>& channels)
    : options_(std::move(options)), signer_(std::move(keys)) {
  for (const auto& channel : channels) stubs_.push_back(v1::ContactService::NewStub(channel));
}

void Site::Identify(Visit& visit) const {
  const absl::Time now = absl::Now();
  auto session = signer_.Open(Get(visit.request.cookies, SessionCookie(options_.development)), now);
  visit.renew = !session.ok() || session->end - now < options_.session_time / 2;
  visit.session = session.ok() ? *std::move(session) : NewSession("", "", now);
  if (visit.renew) visit.session.end = now + options_.session_time;
  if (options_.development) {
    visit.account = visit.caller.account = visit.session.account;
    return;
  }
  const std::string header = Get(visit.request.headers, options_.token_header);
  absl::string_view token = absl::StripAsciiWhitespace(header);
  if (absl::StartsWithIgnoreCase(token, "Bearer ")) token.remove_prefix(7);
  if (token.empty() || !client::IsMetadataValue(token)) return;
  visit.caller.bearer_token = std::string(token);
  visit.account = absl::AsciiStrToLower(Claim(token, options_.account_claim));
  visit.session.language = Claim(token, "locale");
}

Response Site::Dispatch(Visit& visit, std::string& route_name) {
  const Request& request = visit.request;
  const Words& say = visit.say;
  if (options_.development && !IsLocal(request, options_.token_header)) {
    return Failed(visit, 421,
                  say("This site is set up for development: open it in a browser on this machine, "
                      "at localhost and without a proxy."));
  }
  const std::string path = RoutePath(request.path, visit.id);
  bool known = false;
  for (const Route& route : Routes()) {
    known = known || path == route.path;
    if (path != route.path || request.method != route.method) continue;
    route_name = path;
    if (route.signed_in && visit.account.empty()) return ShowSignIn(visit, 401, "");
    if (request.method == "POST") {
      // Browsers tell where a form comes from. The token tells it too.
      const std::string from = Get(request.headers, "sec-fetch-site");
      if (from == "cross-site" || from == "same-site" ||
          !signer_.IsToken(Get(request.form, "form"), visit.session, "form " + visit.account)) {
        const std::string why = say(
            "This form is too old, or was not sent from this page. Go back, load the page again, "
            "and send it once more.");
        // Another page of the browser may have begun another session meanwhile.
        if (path == "/sign-in") return ShowSignIn(visit, 403, why);
        return Failed(visit, 403, why);
      }
    }
    return (this->*route.handler)(visit);
  }
  return Failed(visit, known ? 405 : 404, say("There is no such page."));
}

Response Site::Handle(const Request& request) {
  const absl::Time begin = absl::Now();
  Visit visit{request, Languages().front(), client::NewUuid()};
  Identify(visit);
  // A switch of the language holds for later pages.
  const Words* chosen = LanguageOf(Get(request.query, "lang"));
  const Words* language = chosen;
  for (const std::string& tags :
       {Get(request.cookies, kLanguageCookie), Get(request.headers, "accept-language"),
        visit.session.language, std::string("en")}) {
    if (language == nullptr) language = LanguageOf(tags);
  }
  visit.say = *language;
  std::string route = "none";
  Response response;
  try {
    response = Dispatch(visit, route);
  } catch (const std::exception&) {
    response = Failed(visit, 500, visit.say("Something went wrong on our side. Try again soon."));
  }
  auto& headers = response.headers;
  const auto set_cookie = [&](const std::string& name, const std::string& value,
                              absl::Duration age) {
    headers.emplace_back(
        "Set-Cookie",
        absl::StrCat(name, "=", value, "; Path=/; HttpOnly; SameSite=Lax; Max-Age=",
                     absl::ToInt64Seconds(age), options_.development ? "" : "; Secure"));
  };
  const bool asset = !headers.empty() && headers[0].first == "Cache-Control";
  if (chosen != nullptr) set_cookie(kLanguageCookie, chosen->tag(), absl::Hours(24 * 365));
  if (visit.renew && !asset) {
    set_cookie(SessionCookie(options_.development), signer_.Seal(visit.session),
               options_.session_time);
  }
  for (const auto& [name, value] : kHeaders) {
    const bool has = !headers.empty() && headers[0].first == name;
    if (!has) headers.emplace_back(name, value);
  }
  if (!options_.development) headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
  headers.emplace_back("X-Request-Id", visit.call_id);
  // No address, query, cookie or header: they hold tokens.
  const std::string line = absl::StrFormat(
      R"({"time":"%s","request_id":"%s","method":"%s","route":"%s","status":%d,"calls":%d,"ms":%.1f})"
      "\n",
      absl::FormatTime(begin, absl::UTCTimeZone()), visit.call_id, request.method, route,
      response.status, visit.calls, absl::ToDoubleMilliseconds(absl::Now() - begin));
  std::fwrite(line.data(), 1, line.size(), stderr);
  return response;
}

Response Site::Show(const Visit& visit, Page& page) const {
  const Request& request = visit.request;
  const Words& say = visit.say;
  ctemplate::TemplateDictionary& layout = page.layout;
  Set(layout, "LANGUAGE", say.tag(), "TITLE", page.title, "VERSION", Version());
  layout.SetTemplateGlobalValue("FORM_TOKEN",
                                signer_.Token(visit.session, "form " + visit.account));
  layout.SetTemplateGlobalValue("ME", visit.account);
  if (!visit.account.empty()) Add(layout, "SIGNED_IN");
  if (options_.development) layout.ShowSection("SIGN_OUT");
  if (!options_.mail_folder.empty()) Add(layout, "MAIL");
  // Marks the page's own link.
  layout.ShowSection("AT_" + absl::AsciiStrToUpper(request.path.substr(1)));
  for (const Words& other : Languages()) {
    if (&other == &say || request.method != "GET") continue;
    Parameters query;
    for (const auto& parameter : request.query) {
      if (parameter.first != "lang" && parameter.first != "done") query.push_back(parameter);
    }
    query.emplace_back("lang", other.tag());
    Add(layout, "OTHER_LANGUAGE", "URL", absl::StrCat(request.path, "?", Encoded(query)), "TAG",
        other.tag(), "NAME", other.name());
  }
  if (!page.error.empty()) Add(layout, "ERROR", "TEXT", page.error);
  // The effect of the form that led here.
  const std::string done = page.done.empty() ? Done(visit) : page.done;
  if (!done.empty() && page.error.empty()) Add(layout, "DONE", "TEXT", say(done));
  return {
      page.status, {{"Content-Type", "text/html; charset=utf-8"}}, Expand("layout", say, layout)};
}

Response Site::Redirect(const Visit& visit, const std::string& path,
                        const std::string& done) const {
  const char* separator = absl::StrContains(path, '?') ? "&" : "?";
  return Redirect(absl::StrCat(path, separator, "done=", done, ".",
                               signer_.Token(visit.session, "done " + done)));
}

std::string Site::Done(const Visit& visit) const {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(Get(visit.request.query, "done"), absl::MaxSplits('.', 1));
  const std::string id = "done " + parts.first;
  return signer_.IsToken(parts.second, visit.session, id) ? id : "";
}

Response Site::Failed(const Visit& visit, int status, const std::string& sentence) const {
  Page page(visit, "message", visit.say("This did not work"));
  page.status = status;
  page.error = sentence;
  Set(page.body, "HEADING", page.title, "URL", "/");
  return Show(visit, page);
}

Response Site::Failed(const Visit& visit, const grpc::Status& status) const {
  return Failed(visit, HttpStatus(status), Sentence(status, visit.say));
}

Response Site::Home(Visit&) { return Redirect("/contacts"); }

Response Site::Asset(Visit& visit) {
  const bool style = visit.request.path == "/style.css";
  // The address of another version must not keep the present file.
  const bool current = Get(visit.request.query, "v") == Version();
  return {200,
          {{"Cache-Control", current ? "public, max-age=31536000, immutable" : "no-cache"},
           {"Content-Type", style ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8"}},
          std::string(Embedded(visit.request.path.substr(1)))};
}

Response Site::Health(Visit&) { return {200, {{"Content-Type", "text/plain"}}, "ok\n"}; }

Response Site::ShowSignIn(Visit& visit, int status, const std::string& error) {
  const Request& request = visit.request;
  // A proxy signs people in before it passes a request on. A stream of events just ends.
  if (!options_.development || request.path == "/events") {
    return Failed(visit, 401, visit.say("ERROR_REASON_UNAUTHENTICATED"));
  }
  const bool direct = request.path == "/sign-in";
  const std::string next = direct ? Get(request.sent(), "next") : PageOf(visit);
  Page page(visit, "sign_in", visit.say("Sign in"));
  page.status = status;
  page.error = error;
  Set(page.body, "NEXT", IsOwnPath(next) ? next : "/contacts", "ACCOUNT_ID",
      Get(request.sent(), "account"));
  if (!direct) page.body.ShowSection("GO_ON");
  return Show(visit, page);
}

Response Site::SignInPage(Visit& visit) { return ShowSignIn(visit, 200, ""); }

Response Site::SignIn(Visit& visit) {
  if (!options_.development) return Failed(visit, 404, visit.say("There is no such page."));
  const std::string text = absl::AsciiStrToLower(Get(visit.request.form, "account"));
  const absl::string_view account = absl::StripAsciiWhitespace(text);
  visit.caller.account = client::IsMetadataValue(account) ? std::string(account) : "?";
  v1::GetProfileResponse profile;
  const grpc::Status status = Call(visit, &Stub::GetProfile, {}, profile);
  if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED) {
    return ShowSignIn(visit, 400, RowSentence("", "", visit.say));
  }
  if (!status.ok()) return ShowSignIn(visit, HttpStatus(status), Sentence(status, visit.say));
  // A new id: anybody who could plant a cookie knows the one before.
  visit.session = NewSession(profile.account().id(), profile.account().language_code(),
                             absl::Now() + options_.session_time);
  visit.renew = true;
  const std::string next = Get(visit.request.form, "next");
  return Redirect(IsOwnPath(next) ? next : "/contacts");
}

Response Site::SignOut(Visit& visit) {
  visit.session = NewSession("", "", absl::Now() + options_.session_time);
  visit.renew = true;
  return Redirect("/sign-in");
}

Response Site::Events(Visit& visit) {
  static std::atomic<std::size_t> turn{0};
  {
    const std::lock_guard<std::mutex> hold(lock_);
    int& open = streams_[visit.account];
    if (open >= kMostStreams) return Failed(visit, 429, visit.say("ERROR_REASON_QUOTA_EXCEEDED"));
    ++open;
  }
  const auto start = [this, &stub = *stubs_[1 + turn++ % (stubs_.size() - 1)],
                      visit](std::shared_ptr<EventStream> stream) {
    stream->Send("retry: 1000\n\n");
    const auto watch = std::make_shared<Watch>(visit, std::move(stream));
    watch->Start(stub, watch);
    return [this, watch, account = visit.account] {
      watch->Stop();
      const std::lock_guard<std::mutex> hold(lock_);
      if (--streams_[account] == 0) streams_.erase(account);
    };
  };
  // A page that stays open asks again, and is answered while its session lasts.
  const absl::Duration left = visit.session.end - absl::Now();
  return {200,
          {{"Content-Type", "text/event-stream"}, {"X-Accel-Buffering", "no"}},
          "",
          start,
          absl::ToChronoSeconds(left)};
}

}  // namespace contacts::web
