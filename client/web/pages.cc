#include <re2/re2.h>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/lib/awaited.h"
#include "client/lib/errors.h"
#include "client/lib/uuid.h"
#include "client/web/site.h"

namespace contacts::web {
namespace {

using ctemplate::TemplateDictionary;

constexpr int kServicesPerPage = 50;
constexpr int kChangesPerPage = 20;
constexpr int kItemsInLists = 3;

// A role, by the names that forms have for it.
struct Role {
  v1::ContactRole value;
  const char* key;  // The value of a tick box has its first letter.
  const char* label;
  const std::string& (v1::Service::*holder)() const;
};
constexpr Role kRoles[] = {
    {v1::CONTACT_ROLE_ADMIN, "admin", Text("Administrative contact"), &v1::Service::admin},
    {v1::CONTACT_ROLE_TECH, "tech", Text("Technical contact"), &v1::Service::tech},
    {v1::CONTACT_ROLE_BILLING, "billing", Text("Billing contact"), &v1::Service::billing}};

// Adds the roles with their holders on `service`. Those whose letters are in `marked` are MARKED.
void AddRoles(TemplateDictionary& parent, const v1::Service& service, absl::string_view marked,
              const Visit& visit) {
  for (const Role& role : kRoles) {
    const std::string& holder = (service.*role.holder)();
    TemplateDictionary& added = Add(
        parent, "ROLE", {{"KEY", role.key}, {"NAME", visit.say(role.label)}, {"HOLDER", holder}});
    added.ShowSection(absl::StrContains(marked, role.key[0]) ? "MARKED" : "UNMARKED");
    if (!holder.empty()) added.ShowSection("HELD");
    if (holder == visit.account) added.ShowSection("MINE");
    if (absl::c_linear_search(service.pending_roles(), role.value)) added.ShowSection("PENDING");
  }
}

// Letters of the roles that an account may move: all for the administrator, else its own.
std::string MayMove(const v1::Service& service, const std::string& account) {
  std::string letters;
  for (const Role& role : kRoles) {
    const bool may = service.admin() == account || (service.*role.holder)() == account;
    if (may) letters += role.key[0];
  }
  return letters;
}

std::string Trimmed(const std::string& text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

// Asks for the rows that the ticked boxes of the check have, or those of the form for new contacts.
v1::ChangeContactsRequest RowsOf(const Parameters& form) {
  v1::ChangeContactsRequest request;
  for (const auto& [name, value] : form) {
    const std::vector<std::string> parts = absl::StrSplit(value, ':');
    for (const Role& role : kRoles) {
      const std::string typed = absl::AsciiStrToLower(Trimmed(Get(form, role.key)));
      const bool ticked = name == "row" && parts.size() == 3 && parts[1] == role.key;
      const bool moves = name == "service" && parts.size() == 2 && !typed.empty() &&
                         absl::StrContains(parts[1], role.key[0]);
      if (!ticked && !moves) continue;
      v1::ContactAssignment& assignment = *request.add_assignments();
      assignment.set_service(parts[0]);
      assignment.set_role(role.value);
      assignment.set_new_contact(ticked ? parts[2] : typed);
    }
  }
  return request;
}

// The wrong rows of a request.
struct WrongRows {
  WrongRows(const grpc::Status& status, const v1::ChangeContactsRequest& request,
            const Words& say) {
    if (status.ok()) return;
    client::Failure failure = client::ExplainFailure(status, {});
    for (const client::Violation& violation : failure.fields) {
      int place = 0;
      if (RE2::PartialMatch(violation.where, R"(^assignments\[(\d+)\])", &place) &&
          place < request.assignments_size()) {
        why[place] = RowSentence(violation.what, request.assignments(place).new_contact(), say);
      }
    }
    // The server lists as many as there is room for, and says how many there are.
    const bool cut =
        absl::SimpleAtoi(failure.metadata["violations"], &count) && count > failure.fields.size();
    if (!cut) count = why.size();
    all_known = !why.empty() && !cut;
  }

  std::map<int, std::string> why{};  // By place.
  std::size_t count = 0;
  bool all_known = true;  // Whether rows without an entry in `why` are in order.
};

// The id that the form brought, so that a second click does nothing more. Once its call failed
// (`failed`) a new one, unless it may have been done nevertheless: the next try is the same
// request.
std::string RequestId(const Request& request, const grpc::Status& failed = grpc::Status::OK) {
  const std::string id = Get(request.form, "request_id");
  const bool unsure = failed.error_code() == grpc::StatusCode::UNAVAILABLE ||
                      failed.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  return client::IsUuid(id) && (failed.ok() || unsure) ? id : client::NewUuid();
}

// Adds what lists and the page of one request tell of it.
void AddCard(const Visit& visit, const v1::ContactChange& change, TemplateDictionary& body) {
  TemplateDictionary& card = Include(body, "CARD", "card", visit.say);
  Fill(card, change, visit.say, visit.account);
  Set(card, {{"MATTER", Matter(change, visit.say)},
             {"REQUEST_ID", client::NewUuid()},
             {"NAMES", absl::StrJoin(client::AwaitedAccounts(change), ", ")}});
  card.ShowSection(visit.id.empty() ? "LISTED" : "ALONE");
  // An open change is seen by its requester, its new contact, and administrators of its services,
  // who may withdraw it too.
  const bool may = change.requester() == visit.account || change.new_contact() != visit.account;
  if (may) card.ShowSection("WITHDRAW");
}

Response Contacts(Visit& visit) {
  const Parameters& query = visit.request.query;
  v1::ListServicesRequest request;
  std::string only;
  for (const Role& role : kRoles) {
    if (!absl::EqualsIgnoreCase(Get(query, "role"), role.key)) continue;
    only = role.key[0];
    request.add_roles(role.value);
  }
  request.set_id_prefix(absl::AsciiStrToLower(Trimmed(Get(query, "prefix"))));
  request.set_page_size(kServicesPerPage);
  request.set_page_token(Get(query, "page"));
  const auto reply = visit.Read(&Stub::ListServices, request);

  Page page(visit, "contacts", visit.say("My contacts"));
  Fill(page.body, request, visit.say, visit.account);
  TemplateDictionary& table = Add(page.body, reply.services().empty() ? "EMPTY" : "TABLE");
  AddRoles(page.body, v1::Service(), only, visit);
  for (const v1::Service& service : reply.services()) {
    TemplateDictionary& row =
        Add(table, "SERVICE", {{"MAY_MOVE", MayMove(service, visit.account)}});
    Fill(row, service, visit.say, visit.account);
    AddRoles(row, service, "", visit);
  }
  page.next_page = reply.next_page_token();
  return visit.Show(page);
}

Response ChangeForm(Visit& visit) {
  const Words& say = visit.say;
  std::vector<std::pair<std::string, std::string>> services;  // And the letters of the roles.
  for (const auto& [name, value] : visit.request.query) {
    if (name == "service") services.push_back(absl::StrSplit(value, absl::MaxSplits(':', 1)));
  }
  if (services.empty()) return visit.Failed(400, say("Select at least one service."));
  const bool one = services.size() == 1;
  v1::Service service;
  if (one) {
    v1::GetServiceRequest request;
    request.set_service(services[0].first);
    service = visit.Read(&Stub::GetService, request).service();
    services[0].second = MayMove(service, visit.account);
  }
  Page page(visit, "change",
            say(one ? Text("Change the contacts of $service")
                    : Text("Change the contacts of $count services"),
                {{"$service", services[0].first}, {"$count", absl::StrCat(services.size())}}));
  TemplateDictionary& about = Add(page.body, one ? "ONE" : "MANY");
  if (one) Fill(about, service, say, visit.account);
  std::string letters;
  for (const auto& [id, may_move] : services) {
    Add(page.body, "SERVICE", {{"ID", id}, {"MAY_MOVE", may_move}});
    letters += may_move;
  }
  AddRoles(page.body, service, letters, visit);
  return visit.Show(page);
}

Response Change(Visit& visit) {
  const Words& say = visit.say;
  const Parameters& form = visit.request.form;
  v1::ChangeContactsRequest request = RowsOf(form);
  if (request.assignments().empty()) {
    return visit.Failed(400,
                        say("Nothing to ask for: write at least one new contact, or tick a row."));
  }
  const bool ask = Get(form, "step") == "ask";
  request.set_validate_only(!ask);
  if (ask) request.set_request_id(RequestId(visit.request));
  v1::ChangeContactsResponse reply;
  const grpc::Status status = visit.Call(&Stub::ChangeContacts, request, reply);
  if (status.ok() && ask) return visit.Redirect("/requests?tab=mine", "asked");

  const WrongRows wrong(status, request, say);
  Page page(visit, "check", say("Check your request"), status);
  if (!wrong.why.empty()) page.error.clear();  // Rows tell for themselves.
  Set(page.body, {{"REQUEST_ID", RequestId(visit.request, status)},
                  {"WRONG_COUNT", absl::StrCat(wrong.count)},
                  {"COUNT", absl::StrCat(request.assignments_size())}});
  page.body.ShowSection(!wrong.why.empty() ? "SOME_WRONG" : status.ok() ? "ALL_FINE" : "NONE");
  for (int i = 0; i < request.assignments_size(); ++i) {
    const v1::ContactAssignment& assignment = request.assignments(i);
    TemplateDictionary& row = Add(page.body, "ROW", {{"KEY", kRoles[assignment.role() - 1].key}});
    Fill(row, assignment, say, visit.account);
    const auto found = wrong.why.find(i);
    if (found != wrong.why.end()) {
      Add(row, "WRONG", {{"WHY", found->second}});
      continue;
    }
    row.ShowSection("TICKED");
    const bool own = assignment.new_contact() == visit.account;
    Add(row, wrong.all_known ? "FINE" : "UNKNOWN",
        {{"VALIDATORS", absl::StrCat(visit.account, own ? "" : ", " + assignment.new_contact())}});
  }
  if (static_cast<int>(wrong.why.size()) < request.assignments_size()) {
    page.body.ShowSection("MAY_ASK");
  }
  return visit.Show(page);
}

Response Requests(Visit& visit) {
  const Parameters& query = visit.request.query;
  const std::string tab = Get(query, "tab");
  v1::ListContactChangesRequest request;
  request.set_involvement(tab == "all"    ? v1::INVOLVEMENT_UNSPECIFIED
                          : tab == "mine" ? v1::INVOLVEMENT_REQUESTER
                                          : v1::INVOLVEMENT_AWAITING_MY_VALIDATION);
  request.set_service(Get(query, "service"));
  request.set_page_size(kChangesPerPage);
  request.set_page_token(Get(query, "page"));
  request.set_max_items(kItemsInLists);
  const auto reply = visit.Read(&Stub::ListContactChanges, request);

  Page page(visit, "requests", visit.say("My requests"));
  page.body.ShowSection(v1::Involvement_Name(request.involvement()));
  Fill(page.body, request, visit.say, visit.account);
  if (reply.contact_changes().empty()) page.body.ShowSection("EMPTY");
  for (const v1::ContactChange& change : reply.contact_changes()) {
    AddCard(visit, change, page.body);
  }
  page.next_page = reply.next_page_token();
  return visit.Show(page);
}

// The page of one request, also after a form of it that failed.
Response ShowRequest(Visit& visit, const grpc::Status& failed = grpc::Status::OK) {
  v1::ListContactChangeEventsRequest request;
  request.set_contact_change_id(visit.id);
  request.set_page_token(Get(visit.request.query, "page"));
  const auto reply = visit.Read(&Stub::ListContactChangeEvents, request);
  const v1::ContactChange& change = reply.contact_change();
  const Words& say = visit.say;
  // Later pages have the rest of the history alone.
  const bool first = reply.has_contact_change();
  Page page(visit, "request", first ? Matter(change, say) : say("History"), failed);
  page.next_page = reply.next_page_token();
  Fill(page.body, reply, say, visit.account);
  if (first) AddCard(visit, change, page.body);
  const Parameters& sent = visit.request.sent();
  const bool answered = !Get(visit.request.form, "answer").empty();
  Set(page.body, {{"ID", visit.id},
                  {"TOKEN", Get(sent, "token")},
                  {"REASON", Get(sent, "reason")},
                  {"REQUEST_ID", answered ? RequestId(visit.request, failed) : client::NewUuid()}});
  if (!first) page.body.ShowSection("REST");
  if (Get(sent, "answer") == "refuse") page.body.ShowSection("REFUSING");
  const bool awaited = absl::c_linear_search(client::AwaitedAccounts(change), visit.account);
  if (first && !awaited && !Get(sent, "token").empty() && failed.ok()) page.done = "done before";
  const bool effective = change.state() == v1::CONTACT_CHANGE_STATE_DONE;
  if (effective && visit.Done() == "done accepted") page.done = "done effective";
  return visit.Show(page);
}

// The profile, also after a form of it that failed.
Response ShowProfile(Visit& visit, const grpc::Status& failed = grpc::Status::OK) {
  const auto reply = visit.Read(&Stub::GetProfile, {});
  const Words& say = visit.say;
  const v1::Account& account = reply.account();
  Page page(visit, "profile", say("Profile"), failed);
  Fill(page.body, account, say, visit.account);
  const std::string typed = Get(visit.request.form, "email");
  const Words* present = LanguageOf(account.language_code());
  Set(page.body, {{"TYPED_EMAIL", typed.empty() ? account.email() : typed},
                  {"TOKEN", Get(visit.request.sent(), "token")},
                  {"PRESENT_LANGUAGE", present == nullptr ? "" : present->tag}});
  // A link that was used, or is too old.
  if (visit.request.path == "/confirm-email" && account.pending_email().empty() && failed.ok()) {
    page.error = say("ERROR_REASON_NO_PENDING_EMAIL");
  }
  for (const Words& language : Languages()) {
    TemplateDictionary& choice =
        Add(page.body, "CHOICE", {{"TAG", language.tag}, {"NAME", language.name}});
    if (&language == present) choice.ShowSection("CHOSEN");
  }
  return visit.Show(page);
}

// Makes a call whose fields are named as those of the form, and shows the page of the form: `done`
// says what was done.
template <typename Request, typename Reply>
Response Act(Visit& visit, Visit::Method<Request, Reply> method, const std::string& done) {
  Request request;
  client::Retry retry = client::Retry::kNever;
  const google::protobuf::Descriptor& fields = *Request::descriptor();
  for (int i = 0; i < fields.field_count(); ++i) {
    const std::string& name = fields.field(i)->name();
    std::string value = Trimmed(Get(visit.request.form, name));
    if (name == "contact_change_id") value = visit.id;
    if (name == "request_id") {
      value = RequestId(visit.request);
      retry = client::Retry::kWhileUnavailable;
    }
    request.GetReflection()->SetString(&request, fields.field(i), value);
  }
  Reply reply;
  const grpc::Status status = visit.Call(method, request, reply, retry);
  const bool profile = visit.id.empty();
  if (!status.ok()) return profile ? ShowProfile(visit, status) : ShowRequest(visit, status);
  return visit.Redirect(profile ? "/profile" : "/contact-changes/" + visit.id, done);
}

Response AnswerRequest(Visit& visit) {
  return Get(visit.request.form, "answer") == "accept"
             ? Act(visit, &Stub::AcceptContactChange, "accepted")
             : Act(visit, &Stub::RefuseContactChange, "refused");
}

Response SaveProfile(Visit& visit) {
  const Parameters& form = visit.request.form;
  v1::UpdateProfileRequest request;
  v1::Account& account = *request.mutable_account();
  account.set_etag(Get(form, "etag"));
  for (const char* name : {"email", "language_code"}) {
    const std::string value = Trimmed(Get(form, name));
    const auto* field = v1::Account::descriptor()->FindFieldByName(name);
    account.GetReflection()->SetString(&account, field, value);
    if (value != Get(form, absl::StrCat("present_", name))) {
      request.mutable_update_mask()->add_paths(name);
    }
  }
  v1::UpdateProfileResponse reply;
  const grpc::Status status =
      request.update_mask().paths().empty()
          ? grpc::Status::OK
          : visit.Call(&Stub::UpdateProfile, request, reply, client::Retry::kNever);
  return status.ok() ? visit.Redirect("/profile", "saved") : ShowProfile(visit, status);
}

}  // namespace

void AddContactPages(std::vector<Route>& routes) {
  const auto add = [&](const char* method, const char* path, auto page) {
    routes.push_back({method, path, page});
  };
  add("GET", "/contacts", Contacts);
  add("GET", "/change", ChangeForm);
  add("POST", "/change", Change);
  add("GET", "/requests", Requests);
  add("GET", "/contact-changes/{id}", [](Visit& visit) { return ShowRequest(visit); });
  add("POST", "/contact-changes/{id}/answer", AnswerRequest);
  add("POST", "/contact-changes/{id}/resend",
      [](Visit& visit) { return Act(visit, &Stub::ResendValidation, "resent"); });
  add("POST", "/contact-changes/{id}/withdraw",
      [](Visit& visit) { return Act(visit, &Stub::CancelContactChange, "withdrawn"); });
  add("GET", "/profile", [](Visit& visit) { return ShowProfile(visit); });
  add("POST", "/profile", SaveProfile);
  add("GET", "/confirm-email", [](Visit& visit) { return ShowProfile(visit); });
  add("POST", "/confirm-email",
      [](Visit& visit) { return Act(visit, &Stub::ConfirmEmail, "confirmed"); });
}

}  // namespace contacts::web
