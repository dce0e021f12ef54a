#include "client/web/site.h"

#include <ctemplate/template.h>
#include <glib.h>
#include <openssl/crypto.h>
#include <re2/re2.h>

#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "client/lib/uuid.h"

namespace contacts::web {
namespace {

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
std::string SessionCookie(const Site& site) {
  return site.options.development ? "contacts-session" : "__Host-contacts-session";
}

std::string Seal(const Site& site, const Session& session) {
  const std::string text = absl::WebSafeBase64Escape(
      absl::StrCat(session.id, "\n", session.account, "\n", session.language, "\n",
                   absl::ToUnixSeconds(session.end)));
  return absl::StrCat(text, ".", site.Sign(text));
}

// An ended one without an account if `cookie` is not one that Seal returned.
Session Open(const Site& site, const std::string& cookie) {
  const std::pair<std::string, std::string> halves = absl::StrSplit(cookie, '.');
  std::string text;
  const bool valid = site.IsSigned(halves.first, halves.second) &&
                     absl::WebSafeBase64Unescape(halves.first, &text);
  const std::vector<std::string> parts = absl::StrSplit(valid ? text : "\n\n\n", '\n');
  std::int64_t end = 0;
  (void)absl::SimpleAtoi(parts.back(), &end);
  return {parts[0], parts[1], parts[2], absl::FromUnixSeconds(end)};
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

// Whether a browser of this machine sent the request, as it should in development. Another name
// that leads here is an attack by DNS. A proxy's headers mean that strangers may be behind it.
bool IsLocal(const Request& request, const std::string& token_header) {
  for (const auto& [name, value] : request.headers) {
    const bool by_proxy = RE2::FullMatch(name, "forwarded|x-forwarded-.*|x-auth-request-.*");
    if (by_proxy || name == token_header) return false;
  }
  return RE2::FullMatch(Get(request.headers, "host"), R"((localhost|127\.0\.0\.1|\[::1\])(:\d+)?)");
}

// Part of the addresses of style and script: browsers keep them until it changes.
const std::string& Version() {
  static const auto* const kVersion = new std::string(absl::StrCat(std::hash<std::string>()(
      absl::StrCat(Embedded().at("style.css"), Embedded().at("page.js")))));
  return *kVersion;
}

// Passes the events of one person's requests on to one page.
class Watch : public grpc::ClientReadReactor<v1::WatchContactChangesResponse> {
 public:
  Watch(const Visit& visit, EventStream stream) : send_(std::move(stream)) {
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
      send_(absl::StrCat("id: ", response_.resume_token(),
                         "\nevent: ", response_.has_event() ? "change" : "begin",
                         "\ndata: ", response_.event().contact_change_id(), "\n\n"));
    }
    begun_ = true;
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override {
    // Without an id, the browser starts from now when it connects again.
    if (status.error_code() == grpc::StatusCode::OUT_OF_RANGE) {
      send_("id\nevent: begin\ndata\n\n");
    } else if (!client::IsWorthReopening(status)) {
      send_("retry: 60000\n\n");  // Such as the end of the proxy's session.
    }
    send_("");
    self_.reset();
  }

 private:
  const EventStream send_;
  grpc::ClientContext context_;
  v1::WatchContactChangesRequest request_;
  v1::WatchContactChangesResponse response_;
  bool begun_ = false;
  std::shared_ptr<Watch> self_;
};

Response ShowSignIn(Visit& visit, int status, const std::string& error) {
  const Request& request = visit.request;
  // A proxy signs people in before it passes a request on. A stream of events just ends.
  if (!visit.site.options.development || request.path == "/events") {
    return visit.Failed(401, visit.say("ERROR_REASON_UNAUTHENTICATED"));
  }
  const bool direct = request.path == "/sign-in";
  const std::string next =
      direct ? Get(request.sent(), "next") : visit.With("token", Get(request.sent(), "token"));
  Page page(visit, "sign_in", visit.say("Sign in"));
  page.status = status;
  page.error = error;
  Set(page.body, {{"NEXT", IsOwnPath(next) ? next : "/contacts"},
                  {"ACCOUNT_ID", Get(request.sent(), "account")}});
  if (!direct) page.body.ShowSection("GO_ON");
  return visit.Show(page);
}

Response SignIn(Visit& visit) {
  const std::string text = absl::AsciiStrToLower(Get(visit.request.form, "account"));
  const absl::string_view account = absl::StripAsciiWhitespace(text);
  visit.caller.account = client::IsMetadataValue(account) ? std::string(account) : "?";
  v1::GetProfileResponse profile;
  const grpc::Status status = visit.Call(&Stub::GetProfile, {}, profile);
  if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED) {
    return ShowSignIn(visit, 400, RowSentence("", "", visit.say));
  }
  if (!status.ok()) return ShowSignIn(visit, HttpStatus(status), Sentence(status, visit.say));
  // A new id: anybody who could plant a cookie knows the one before.
  visit.session = {client::NewUuid(), profile.account().id(), profile.account().language_code(),
                   absl::Now() + visit.site.options.session_time};
  visit.renew = true;
  const std::string next = Get(visit.request.form, "next");
  return Visit::Redirect(IsOwnPath(next) ? next : "/contacts");
}

Response SignOut(Visit& visit) {
  visit.session = {client::NewUuid(), "", "", absl::Now() + visit.site.options.session_time};
  visit.renew = true;
  return Visit::Redirect("/sign-in");
}

Response Asset(Visit& visit) {
  const bool style = visit.request.path == "/style.css";
  // The address of another version must not keep the present file.
  const bool current = Get(visit.request.query, "v") == Version();
  visit.renew = false;
  return {200,
          {{"Cache-Control", current ? "public, max-age=31536000, immutable" : "no-cache"},
           {"Content-Type", style ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8"}},
          std::string(Embedded().at(visit.request.path.substr(1)))};
}

Response Health(Visit&) { return {200, {}, "ok\n"}; }

Response Events(Visit& visit) {
  Site& site = visit.site;
  const std::lock_guard<std::mutex> hold(site.lock);
  int& open = site.streams[visit.account];
  if (open >= kMostStreams) return visit.Failed(429, visit.say("ERROR_REASON_QUOTA_EXCEEDED"));
  ++open;
  const auto start = [&stub = *site.stubs[1 + site.turn++ % (site.stubs.size() - 1)],
                      visit](const EventStream& send) {
    send("retry: 1000\n\n");
    const auto watch = std::make_shared<Watch>(visit, send);
    watch->Start(stub, watch);
    return [watch, &site = visit.site, account = visit.account] {
      watch->Stop();
      const std::lock_guard<std::mutex> held(site.lock);
      if (--site.streams[account] == 0) site.streams.erase(account);
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

std::vector<Route> Routes(const SiteOptions& options) {
  std::vector<Route> routes = {
      {"GET", "/", [](Visit&) { return Visit::Redirect("/contacts"); }, false},
      {"GET", "/style.css", Asset, false},
      {"GET", "/page.js", Asset, false},
      {"GET", "/healthz", Health, false},
      {"GET", "/sign-in", [](Visit& visit) { return ShowSignIn(visit, 200, ""); }, false},
      {"POST", "/sign-out", SignOut},
      {"GET", "/events", Events}};
  if (options.development) routes.push_back({"POST", "/sign-in", SignIn, false});
  AddContactPages(routes);
  if (!options.mail_folder.empty()) AddMailPages(routes);
  return routes;
}

void Identify(Visit& visit) {
  const Site& site = visit.site;
  const absl::Time now = absl::Now();
  visit.session = Open(site, Get(visit.request.cookies, SessionCookie(site)));
  if (visit.session.end <= now) visit.session = {client::NewUuid(), "", "", now};
  visit.renew = visit.session.end - now < site.options.session_time / 2;
  if (visit.renew) visit.session.end = now + site.options.session_time;
  if (site.options.development) {
    visit.account = visit.caller.account = visit.session.account;
    return;
  }
  const std::string header = Get(visit.request.headers, site.options.token_header);
  absl::string_view token = absl::StripAsciiWhitespace(header);
  if (absl::StartsWithIgnoreCase(token, "Bearer ")) token.remove_prefix(7);
  if (token.empty() || !client::IsMetadataValue(token)) return;
  visit.caller.bearer_token = std::string(token);
  visit.account = absl::AsciiStrToLower(Claim(token, site.options.account_claim));
  visit.session.language = Claim(token, "locale");
}

Response Dispatch(Visit& visit) {
  static const auto* const kRoutes = new std::vector<Route>(Routes(visit.site.options));
  const Request& request = visit.request;
  const Words& say = visit.say;
  const SiteOptions& options = visit.site.options;
  if (options.development && !IsLocal(request, options.token_header)) {
    return visit.Failed(
        421, say("This site is set up for development: open it in a browser on this machine, "
                 "at localhost and without a proxy."));
  }
  std::string path = request.path;
  std::string rest;
  if (RE2::FullMatch(request.path, "/contact-changes/([^/]+)(/.*)?", &visit.id, &rest)) {
    path = "/contact-changes/{id}" + rest;
  }
  bool known = false;
  for (const Route& route : *kRoutes) {
    known = known || path == route.path;
    if (path != route.path || request.method != route.method) continue;
    visit.route = path;
    if (route.signed_in && visit.account.empty()) return ShowSignIn(visit, 401, "");
    // Browsers tell where a form comes from. The token tells it too.
    const std::string from = Get(request.headers, "sec-fetch-site");
    if (request.method == "POST" &&
        (from == "cross-site" || from == "same-site" ||
         !visit.site.IsSigned(visit.Token("form " + visit.account), Get(request.form, "form")))) {
      const std::string why =
          say("This form is too old, or was not sent from this page. Go back, load the page again, "
              "and send it once more.");
      // Another page of the browser may have begun another session meanwhile.
      return path == "/sign-in" ? ShowSignIn(visit, 403, why) : visit.Failed(403, why);
    }
    return route.handler(visit);
  }
  return visit.Failed(known ? 405 : 404, say("There is no such page."));
}

}  // namespace

int HttpStatus(const grpc::Status& status) {
  // By gRPC's codes, OK to UNAUTHENTICATED.
  constexpr int kStatuses[] = {200, 500, 500, 400, 504, 404, 409, 403, 429,
                               409, 409, 400, 500, 500, 503, 500, 401};
  const auto code = static_cast<std::size_t>(status.error_code());
  return code < std::size(kStatuses) ? kStatuses[code] : 500;
}

std::string Site::Sign(const std::string& text, std::size_t key) const {
  const auto* bytes = reinterpret_cast<const guchar*>(keys[key].data());
  char* hex = g_compute_hmac_for_string(G_CHECKSUM_SHA256, bytes, keys[key].size(), text.data(),
                                        static_cast<gssize>(text.size()));
  std::string signature = hex;
  g_free(hex);
  return signature;
}

bool Site::IsSigned(const std::string& text, const std::string& signature) const {
  for (std::size_t key = 0; key < keys.size(); ++key) {
    const std::string wanted = Sign(text, key);
    if (wanted.size() == signature.size() &&
        CRYPTO_memcmp(wanted.data(), signature.data(), wanted.size()) == 0) {
      return true;
    }
  }
  return false;
}

Response Site::Handle(const Request& request) {
  const absl::Time begin = absl::Now();
  Visit visit{*this, request, client::NewUuid(), Languages().front()};
  Identify(visit);
  // A switch of the language holds for later pages.
  const Words* chosen = LanguageOf(Get(request.query, "lang"));
  const std::string tags =
      absl::StrCat(Get(request.cookies, kLanguageCookie), ",",
                   Get(request.headers, "accept-language"), ",", visit.session.language, ",en");
  visit.say = chosen == nullptr ? *LanguageOf(tags) : *chosen;
  Response response;
  try {
    response = Dispatch(visit);
  } catch (const CallFailed& failed) {
    response = visit.Failed(HttpStatus(failed.status), Sentence(failed.status, visit.say));
  } catch (const std::exception&) {
    response = visit.Failed(500, visit.say("Something went wrong on our side. Try again soon."));
  }
  Parameters& headers = response.headers;
  headers.insert(headers.begin(), std::begin(kHeaders), std::end(kHeaders));
  const auto set_cookie = [&](const std::string& name, const std::string& value,
                              absl::Duration age) {
    headers.emplace_back(
        "Set-Cookie",
        absl::StrCat(name, "=", value, "; Path=/; HttpOnly; SameSite=Lax; Max-Age=",
                     absl::ToInt64Seconds(age), options.development ? "" : "; Secure"));
  };
  if (chosen != nullptr) set_cookie(kLanguageCookie, chosen->tag, absl::Hours(24 * 365));
  if (visit.renew) {
    set_cookie(SessionCookie(*this), Seal(*this, visit.session), options.session_time);
  }
  if (!options.development) headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
  headers.emplace_back("X-Request-Id", visit.call_id);
  // No address, query, cookie or header: they hold tokens.
  const std::string line = absl::StrFormat(
      R"({"time":"%s","request_id":"%s","method":"%s","route":"%s","status":%d,"calls":%d,"ms":%.1f})"
      "\n",
      absl::FormatTime(begin, absl::UTCTimeZone()), visit.call_id, request.method, visit.route,
      response.status, visit.calls, absl::ToDoubleMilliseconds(absl::Now() - begin));
  std::fwrite(line.data(), 1, line.size(), stderr);
  return response;
}

Response Visit::Show(Page& page) const {
  const Words& words = say;
  ctemplate::TemplateDictionary& layout = page.layout;
  Set(layout, {{"LANGUAGE", words.tag}, {"VERSION", Version()}});
  layout.SetTemplateGlobalValue("TITLE", page.title);
  layout.SetTemplateGlobalValue("FORM_TOKEN", site.Sign(Token("form " + account)));
  layout.SetTemplateGlobalValue("ME", account);
  if (!account.empty()) Add(layout, "SIGNED_IN");
  if (site.options.development) layout.ShowSection("SIGN_OUT");
  if (!site.options.mail_folder.empty()) Add(layout, "MAIL");
  // Marks the page's own link.
  layout.ShowSection("AT_" + absl::AsciiStrToUpper(request.path.substr(1)));
  for (const Words& other : Languages()) {
    if (&other == &words || request.method != "GET") continue;
    Add(layout, "OTHER_LANGUAGE",
        {{"URL", With("lang", other.tag)}, {"TAG", other.tag}, {"NAME", other.name}});
  }
  if (!page.error.empty()) Add(layout, "ERROR", {{"TEXT", page.error}});
  // The effect of the form that led here.
  const std::string done = page.done.empty() ? Done() : page.done;
  if (!done.empty() && page.error.empty()) Add(layout, "DONE", {{"TEXT", say(done)}});
  if (!Get(request.query, "page").empty()) Add(page.body, "FIRST", {{"URL", With("page", "")}});
  if (!page.next_page.empty()) Add(page.body, "NEXT", {{"URL", With("page", page.next_page)}});
  std::string text;
  ctemplate::ExpandTemplate(words.tag + "/layout", ctemplate::STRIP_BLANK_LINES, &layout, &text);
  return {page.status, {{"Content-Type", "text/html; charset=utf-8"}}, text};
}

Response Visit::Failed(int status, const std::string& sentence) const {
  Page page(*this, "message", say("This did not work"));
  page.status = status;
  page.error = sentence;
  return Show(page);
}

Response Visit::Redirect(const std::string& path, const std::string& done) const {
  return Redirect(absl::StrCat(path, absl::StrContains(path, '?') ? "&" : "?", "done=", done, ".",
                               site.Sign(Token("done " + done))));
}

std::string Visit::Done() const {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(Get(request.query, "done"), absl::MaxSplits('.', 1));
  const std::string words = "done " + parts.first;
  return site.IsSigned(Token(words), parts.second) ? words : "";
}

std::string Visit::With(const std::string& name, const std::string& value) const {
  Parameters query;
  for (const auto& parameter : request.query) {
    if (parameter.first != name && parameter.first != "done") query.push_back(parameter);
  }
  if (!value.empty()) query.emplace_back(name, value);
  return absl::StrCat(id.empty() ? request.path : "/contact-changes/" + id, "?", Encoded(query));
}

}  // namespace contacts::web
