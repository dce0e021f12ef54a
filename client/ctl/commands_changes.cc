#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/ctl/assignments.h"
#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/ctl/enum_names.h"
#include "client/ctl/render.h"

namespace contacts::client {
namespace {

using v1::ContactService;

// Shown after a change is asked for: the person has just given all items.
constexpr std::size_t kItemsShown = 20;
constexpr std::size_t kAllItems = std::numeric_limits<std::size_t>::max();

struct ChangeInput {
  std::vector<std::string> services;
  std::vector<std::string> roles;
  std::string new_contact;
  AssignmentSource source;
  bool validate_only = false;
};

// Prints who has to answer before `change` takes effect, and how.
void PrintNextSteps(const v1::ContactChange& change, std::ostream& out) {
  const std::string awaited = AwaitedNames(change);
  if (awaited.empty()) return;
  out << "\nAn e-mail with a token goes to: " << awaited
      << ".\nEach answers with the link in it, or: contactctl accept " << change.id() << " TOKEN\n";
}

int AskForChange(Client& client, const ChangeInput& input) {
  const bool crossed = !input.services.empty();
  if (crossed != !input.roles.empty() || crossed != !input.new_contact.empty()) {
    return client.UsageError("--service, --role and --to go together");
  }
  auto collected = CollectAssignments(input.source, client.in());
  if (!collected.ok()) return client.UsageError(collected.status().message());
  std::vector<v1::ContactAssignment> assignments;
  for (const std::string& service : input.services) {
    for (const std::string& role : input.roles) {
      v1::ContactAssignment& assignment = assignments.emplace_back();
      assignment.set_service(service);
      assignment.set_role(*EnumFromName<v1::ContactRole>(role));
      assignment.set_new_contact(input.new_contact);
    }
  }
  assignments.insert(assignments.end(), collected->begin(), collected->end());
  if (assignments.empty()) {
    return client.UsageError(
        "nothing to change: give --service, --role and --to, or --assign, or --from-file");
  }

  v1::ChangeContactsRequest request;
  request.set_request_id(client.RequestId());
  request.set_validate_only(input.validate_only);
  request.mutable_assignments()->Assign(assignments.begin(), assignments.end());
  return client.Run(
      {.action = input.validate_only ? "check the contact changes" : "ask for contact changes",
       .request_id = input.validate_only ? "" : request.request_id(),
       .assignments = DescribeAssignments(assignments)},
      Retry::kWhileUnavailable, &ContactService::Stub::ChangeContacts, request,
      [&input](const v1::ChangeContactsResponse& response, const RenderOptions& options,
               std::ostream& out) {
        if (input.validate_only) out << "Nothing was created. Without --validate-only would be:\n";
        bool first = !input.validate_only;
        for (const v1::ContactChange& change : response.contact_changes()) {
          if (!std::exchange(first, false)) out << '\n';
          RenderChange(change, kItemsShown, options, out);
          if (!input.validate_only) PrintNextSteps(change, out);
        }
      });
}

struct ChangeFilter {
  std::vector<std::string> states;
  std::string involvement;
  std::string service;
  int max_items = 0;
  Paging paging;
};

// Short for awaiting-my-validation. The other involvements have the contract's names.
constexpr char kAwaiting[] = "awaiting";

std::vector<std::string> InvolvementNames() {
  std::vector<std::string> names = EnumNames<v1::Involvement>();
  std::replace(names.begin(), names.end(), EnumName(v1::INVOLVEMENT_AWAITING_MY_VALIDATION),
               std::string(kAwaiting));
  return names;
}

v1::Involvement InvolvementOf(const std::string& name) {
  if (name == kAwaiting) return v1::INVOLVEMENT_AWAITING_MY_VALIDATION;
  return EnumFromName<v1::Involvement>(name).value_or(v1::INVOLVEMENT_UNSPECIFIED);
}

int ListChanges(Client& client, const ChangeFilter& filter) {
  v1::ListContactChangesRequest request;
  for (const std::string& state : filter.states) {
    request.add_states(*EnumFromName<v1::ContactChangeState>(state));
  }
  request.set_involvement(InvolvementOf(filter.involvement));
  request.set_service(filter.service);
  request.set_max_items(filter.max_items);
  return client.RunList({.action = "list the contact changes"},
                        &ContactService::Stub::ListContactChanges, request, filter.paging,
                        [](const v1::ListContactChangesResponse& response,
                           const RenderOptions& options, std::ostream& out) {
                          if (response.contact_changes().empty()) out << "No contact changes.\n";
                          RenderChanges(response.contact_changes(), options, out);
                        });
}

int ShowChange(Client& client, const std::string& id) {
  v1::GetContactChangeRequest request;
  request.set_contact_change_id(id);
  return client.Run(
      {.action = absl::StrCat("read the contact change ", id), .contact_change_id = id},
      Retry::kWhileUnavailable, &ContactService::Stub::GetContactChange, request,
      [](const v1::GetContactChangeResponse& response, const RenderOptions& options,
         std::ostream& out) { RenderChange(response.contact_change(), kAllItems, options, out); });
}

int ShowHistory(Client& client, const std::string& id, Paging paging) {
  // A part of a history misleads: it is shown only if the person asks for a page.
  if (paging.page_size == 0 && paging.page_token.empty()) paging.all = true;
  v1::ListContactChangeEventsRequest request;
  request.set_contact_change_id(id);
  return client.RunList(
      {.action = absl::StrCat("read the history of the contact change ", id),
       .contact_change_id = id},
      &ContactService::Stub::ListContactChangeEvents, request, paging,
      [](const v1::ListContactChangeEventsResponse& response, const RenderOptions& options,
         std::ostream& out) { RenderEvents(response.events(), options, out); });
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
      ->check(CLI::IsMember(EnumNames<v1::ContactRole>()));
  change.add_option("--to", input->new_contact, "Account that is to hold them; oneself takes over")
      ->type_name("ACCOUNT");
  AddAssignmentOptions(change, input->source);
  change.add_flag("--validate-only", input->validate_only,
                  "Checks everything and shows what would be created; creates and sends nothing");
  Choose(change, chosen, [input](Client& client) { return AskForChange(client, *input); });
}

void AddChanges(CLI::App& app, Action& chosen) {
  CLI::App& changes = AddCommand(
      app, "changes", "Lists the contact changes that concern the acting account, newest first",
      "contactctl changes --involvement=awaiting --all");
  auto filter = std::make_shared<ChangeFilter>();
  AddRepeated(changes, "--state", filter->states, "Only those in one of these states")
      ->check(CLI::IsMember(EnumNames<v1::ContactChangeState>()));
  changes
      .add_option("--involvement", filter->involvement,
                  "Only those that concern the acting account in this way")
      ->check(CLI::IsMember(InvolvementNames()));
  changes.add_option("--service", filter->service, "Only those of this service")
      ->type_name("SERVICE");
  changes
      .add_option("--max-items", filter->max_items,
                  "Reads this many items of each change at most: faster for large changes")
      ->check(CLI::PositiveNumber)
      ->type_name("NUMBER");
  AddPaging(changes, filter->paging);
  Choose(changes, chosen, [filter](Client& client) { return ListChanges(client, *filter); });
}

}  // namespace

void AddChangeCommands(CLI::App& app, Action& chosen) {
  AddChange(app, chosen);
  AddChanges(app, chosen);

  CLI::App& show = AddCommand(app, "show", "Shows one contact change",
                              "contactctl show 01920000-0000-7000-8000-000000000001");
  auto show_id = std::make_shared<std::string>();
  AddChangeId(show, *show_id);
  Choose(show, chosen, [show_id](Client& client) { return ShowChange(client, *show_id); });

  CLI::App& history =
      AddCommand(app, "history",
                 "Lists everything that happened to one contact change, oldest first; all of it, "
                 "unless a page is asked for",
                 "contactctl history 01920000-0000-7000-8000-000000000001");
  auto history_id = std::make_shared<std::string>();
  auto paging = std::make_shared<Paging>();
  AddChangeId(history, *history_id);
  AddPaging(history, *paging);
  Choose(history, chosen, [history_id, paging](Client& client) {
    return ShowHistory(client, *history_id, *paging);
  });
}

}  // namespace contacts::client
