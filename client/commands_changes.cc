#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands.h"
#include "client/render.h"
#include "client/session.h"
#include "client/words.h"

namespace contacts::client {
namespace {

using v1::ContactService;

// A change of 300 services is summed up where the person has just typed them.
constexpr std::size_t kItemsShown = 20;
constexpr std::size_t kAllItems = std::numeric_limits<std::size_t>::max();

struct ChangeInput {
  std::vector<std::string> services;
  std::vector<std::string> roles;
  std::string new_contact;
  AssignmentSource source;
  bool validate_only = false;
};

// Tells who has to do what for `change` to take effect.
void SayWhatFollows(const v1::ContactChange& change, std::ostream& out) {
  const std::string awaited = AwaitedAccounts(change);
  if (awaited.empty()) return;
  out << "\nAn e-mail with a token goes to: " << awaited
      << ".\nEach answers with the link in it, or: contactctl accept " << change.id() << " TOKEN\n";
}

int AskForChange(Session& session, const ChangeInput& input) {
  const bool crossed = !input.services.empty();
  if (crossed != !input.roles.empty() || crossed != !input.new_contact.empty()) {
    return session.UsageError("--service, --role and --to go together");
  }
  auto collected = CollectAssignments(input.source, session.in());
  if (!collected.ok()) return session.UsageError(collected.status().message());
  std::vector<Assignment> assignments;
  for (const std::string& service : input.services) {
    for (const std::string& role : input.roles) {
      assignments.push_back({service, *FromWord<v1::ContactRole>(role), input.new_contact});
    }
  }
  assignments.insert(assignments.end(), collected->begin(), collected->end());
  if (assignments.empty()) {
    return session.UsageError(
        "nothing to change: give --service, --role and --to, or --assign, or --from-file");
  }

  v1::ChangeContactsRequest request;
  request.set_request_id(session.RequestId());
  request.set_validate_only(input.validate_only);
  for (const Assignment& assignment : assignments) {
    v1::ContactAssignment* added = request.add_assignments();
    added->set_service(assignment.service);
    added->set_role(assignment.role);
    added->set_new_contact(assignment.new_contact);
  }
  return session.Run(
      {.action = input.validate_only ? "check the contact changes" : "ask for contact changes",
       .request_id = input.validate_only ? "" : request.request_id(),
       .assignments = std::move(assignments)},
      Repeat::kSafe, &ContactService::Stub::ChangeContacts, request,
      [&input](const v1::ChangeContactsResponse& response, const Look& look, std::ostream& out) {
        if (input.validate_only) out << "Nothing was created. Without --validate-only would be:\n";
        bool first = !input.validate_only;
        for (const v1::ContactChange& change : response.contact_changes()) {
          if (!std::exchange(first, false)) out << '\n';
          RenderChange(change, kItemsShown, look, out);
          if (!input.validate_only) SayWhatFollows(change, out);
        }
      });
}

struct ChangeFilter {
  std::vector<std::string> states;
  std::string involvement;
  std::string service;
  Paging paging;
};

// The contract's words, but for one that is too long to be typed.
constexpr char kAwaiting[] = "awaiting";

std::vector<std::string> InvolvementWords() {
  std::vector<std::string> words = AllWords<v1::Involvement>();
  for (std::string& word : words) {
    if (word == Word(v1::INVOLVEMENT_AWAITING_MY_VALIDATION)) word = kAwaiting;
  }
  return words;
}

v1::Involvement InvolvementOf(const std::string& word) {
  if (word == kAwaiting) return v1::INVOLVEMENT_AWAITING_MY_VALIDATION;
  return FromWord<v1::Involvement>(word).value_or(v1::INVOLVEMENT_UNSPECIFIED);
}

int ListChanges(Session& session, const ChangeFilter& filter) {
  v1::ListContactChangesRequest request;
  for (const std::string& state : filter.states) {
    request.add_states(*FromWord<v1::ContactChangeState>(state));
  }
  request.set_involvement(InvolvementOf(filter.involvement));
  request.set_service(filter.service);
  return session.RunList(
      {.action = "list the contact changes"}, &ContactService::Stub::ListContactChanges, request,
      filter.paging,
      [](const v1::ListContactChangesResponse& response, const Look& look, std::ostream& out) {
        if (response.contact_changes().empty()) out << "No contact changes.\n";
        RenderChanges(response.contact_changes(), look, out);
      });
}

int ShowChange(Session& session, const std::string& id) {
  v1::GetContactChangeRequest request;
  request.set_contact_change_id(id);
  return session.Run(
      {.action = absl::StrCat("read the contact change ", id), .contact_change_id = id},
      Repeat::kSafe, &ContactService::Stub::GetContactChange, request,
      [](const v1::GetContactChangeResponse& response, const Look& look, std::ostream& out) {
        RenderChange(response.contact_change(), kAllItems, look, out);
      });
}

int ShowHistory(Session& session, const std::string& id, Paging paging) {
  // Half a history misleads: a part of it comes only where one asks for a part.
  if (paging.page_size == 0 && paging.page_token.empty()) paging.all = true;
  v1::ListContactChangeEventsRequest request;
  request.set_contact_change_id(id);
  return session.RunList({.action = absl::StrCat("read the history of the contact change ", id),
                          .contact_change_id = id},
                         &ContactService::Stub::ListContactChangeEvents, request, paging,
                         [](const v1::ListContactChangeEventsResponse& response, const Look& look,
                            std::ostream& out) { RenderEvents(response.events(), look, out); });
}

void AddChange(CLI::App& app, Action& chosen) {
  CLI::App& change = AddCommand(
      app, "change", "Asks for contact changes, all of them or none",
      "contactctl change --service=example.com,example.org --role=tech --to=bb222222-ovh\n"
      "  contactctl change --assign example.com:billing=cc333333-ovh --validate-only\n"
      "  contactctl change --from-file moves.txt");
  auto input = std::make_shared<ChangeInput>();
  AddRepeated(change, "--service", input->services, "Services of which --role goes to --to");
  AddRepeated(change, "--role", input->roles, "Roles to move, of every --service")
      ->check(CLI::IsMember(AllWords<v1::ContactRole>()));
  change.add_option("--to", input->new_contact, "Account that is to hold them; oneself takes over")
      ->type_name("ACCOUNT");
  AddAssignmentOptions(change, input->source);
  change.add_flag("--validate-only", input->validate_only,
                  "Checks everything and shows what would be created; creates and sends nothing");
  Choose(change, chosen, [input](Session& session) { return AskForChange(session, *input); });
}

void AddChanges(CLI::App& app, Action& chosen) {
  CLI::App& changes = AddCommand(
      app, "changes", "Lists the contact changes that concern the acting account, newest first",
      "contactctl changes --involvement=awaiting --all");
  auto filter = std::make_shared<ChangeFilter>();
  AddRepeated(changes, "--state", filter->states, "Only those in one of these states")
      ->check(CLI::IsMember(AllWords<v1::ContactChangeState>()));
  changes
      .add_option("--involvement", filter->involvement,
                  "Only those that concern the acting account in this way")
      ->check(CLI::IsMember(InvolvementWords()));
  changes.add_option("--service", filter->service, "Only those of this service")
      ->type_name("SERVICE");
  AddPaging(changes, filter->paging);
  Choose(changes, chosen, [filter](Session& session) { return ListChanges(session, *filter); });
}

}  // namespace

void AddChangeCommands(CLI::App& app, Action& chosen) {
  AddChange(app, chosen);
  AddChanges(app, chosen);

  CLI::App& show = AddCommand(app, "show", "Shows one contact change",
                              "contactctl show 01920000-0000-7000-8000-000000000001");
  auto show_id = std::make_shared<std::string>();
  AddChangeId(show, *show_id);
  Choose(show, chosen, [show_id](Session& session) { return ShowChange(session, *show_id); });

  CLI::App& history =
      AddCommand(app, "history",
                 "Lists everything that happened to one contact change, oldest first; all of it, "
                 "unless a page is asked for",
                 "contactctl history 01920000-0000-7000-8000-000000000001");
  auto history_id = std::make_shared<std::string>();
  auto paging = std::make_shared<Paging>();
  AddChangeId(history, *history_id);
  AddPaging(history, *paging);
  Choose(history, chosen, [history_id, paging](Session& session) {
    return ShowHistory(session, *history_id, *paging);
  });
}

}  // namespace contacts::client
