#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/ctl/enum_names.h"
#include "client/ctl/render.h"
#include "client/lib/time_text.h"

namespace contacts::client {
namespace {

using v1::SupportService;

constexpr std::size_t kItemsShown = 20;

struct Search {
  std::string account;
  std::string service;
  std::vector<std::string> states;
  std::string from;
  std::string before;
  int max_items = 1;
  Paging paging;
};

int SearchChanges(Client& client, const Search& search) {
  v1::SearchContactChangesRequest request;
  request.set_account(search.account);
  request.set_service(search.service);
  for (const std::string& state : search.states) {
    request.add_states(*EnumFromName<v1::ContactChangeState>(state));
  }
  if (!search.from.empty() && !ParseTime(search.from, *request.mutable_create_time_from())) {
    return client.UsageError("--from: want a time such as 2026-06-01T00:00:00Z");
  }
  if (!search.before.empty() && !ParseTime(search.before, *request.mutable_create_time_before())) {
    return client.UsageError("--before: want a time such as 2026-06-01T00:00:00Z");
  }
  request.set_max_items(search.max_items);
  return client.RunList({.action = "search the contact changes"},
                        &SupportService::Stub::SearchContactChanges, request, search.paging,
                        [](const v1::SearchContactChangesResponse& response,
                           const RenderOptions& options, std::ostream& out) {
                          if (response.contact_changes().empty()) out << "No contact changes.\n";
                          RenderChanges(response.contact_changes(), options, out);
                        });
}

int Lookup(Client& client, const std::string& id) {
  v1::LookupContactChangeRequest request;
  request.set_contact_change_id(id);
  return client.Run(
      {.action = absl::StrCat("read the contact change ", id), .contact_change_id = id},
      Retry::kWhileUnavailable, &SupportService::Stub::LookupContactChange, request,
      [](const v1::LookupContactChangeResponse& response, const RenderOptions& options,
         std::ostream& out) {
        RenderChange(response.contact_change(), kItemsShown, options, out);
        out << '\n';
        RenderEvents(response.events(), options, out);
      });
}

int Resend(Client& client, const std::string& id, const std::string& account) {
  v1::ResendValidationForRequest request;
  request.set_contact_change_id(id);
  request.set_account(account);
  return client.Run({.action = absl::StrCat("send the validation e-mail to ", account, " again"),
                     .contact_change_id = id},
                    Retry::kNever, &SupportService::Stub::ResendValidationFor, request,
                    [&](const v1::ResendValidationForResponse& response,
                        const RenderOptions& options, std::ostream& out) {
                      RenderChange(response.contact_change(), kItemsShown, options, out);
                      out << "\nAn e-mail with a new token goes to " << account << ".\n";
                    });
}

int Abort(Client& client, const std::string& id, const std::string& reason) {
  v1::AbortContactChangeRequest request;
  request.set_request_id(client.RequestId());
  request.set_contact_change_id(id);
  request.set_reason(reason);
  return client.Run({.action = absl::StrCat("abort the contact change ", id),
                     .contact_change_id = id,
                     .request_id = request.request_id()},
                    Retry::kWhileUnavailable, &SupportService::Stub::AbortContactChange, request,
                    [](const v1::AbortContactChangeResponse& response, const RenderOptions& options,
                       std::ostream& out) {
                      RenderChange(response.contact_change(), kItemsShown, options, out);
                    });
}

int ServiceHistory(Client& client, const std::string& service, const Paging& paging) {
  v1::ListServiceContactHistoryRequest request;
  request.set_service(service);
  return client.RunList(
      {.action = absl::StrCat("read the history of the contacts of ", service)},
      &SupportService::Stub::ListServiceContactHistory, request, paging,
      [](const v1::ListServiceContactHistoryResponse& response, const RenderOptions& options,
         std::ostream& out) { RenderMoves(response.moves(), options, out); });
}

struct OverrideSearch {
  std::string service;
  std::string account;
  Paging paging;
};

int ListOverrides(Client& client, const OverrideSearch& search) {
  v1::ListContactOverridesRequest request;
  request.set_service(search.service);
  request.set_account(search.account);
  return client.RunList({.action = "list the overrides of contacts"},
                        &SupportService::Stub::ListContactOverrides, request, search.paging,
                        [](const v1::ListContactOverridesResponse& response,
                           const RenderOptions& options, std::ostream& out) {
                          if (response.overrides().empty()) out << "No overrides.\n";
                          for (const v1::ContactOverride& record : response.overrides()) {
                            RenderOverride(record, options, out);
                          }
                        });
}

void AddSearch(CLI::App& group, Action& chosen) {
  CLI::App& command = AddCommand(
      group, "search", "Lists contact changes, newest first, by account, service or time",
      "contactctl support search --account=aa123456-ovh --state=validating");
  auto search = std::make_shared<Search>();
  command
      .add_option("--account", search->account,
                  "Only those with this requester, new contact or old contact")
      ->type_name("ACCOUNT");
  command.add_option("--service", search->service, "Only those of this service")
      ->type_name("SERVICE");
  AddRepeated(command, "--state", search->states, "Only those in one of these states")
      ->check(CLI::IsMember(EnumNames<v1::ContactChangeState>()));
  command.add_option("--from", search->from, "Only those asked for at this time or later")
      ->type_name("TIME");
  command.add_option("--before", search->before, "Only those asked for before this time")
      ->type_name("TIME");
  command.add_option("--max-items", search->max_items, "Items of each change that are read")
      ->capture_default_str()
      ->check(CLI::PositiveNumber)
      ->type_name("NUMBER");
  AddPaging(command, search->paging);
  Choose(command, chosen, [search](Client& client) { return SearchChanges(client, *search); });
}

void AddOneChange(CLI::App& group, Action& chosen) {
  CLI::App& show = AddCommand(group, "show", "Shows a contact change with its whole history",
                              "contactctl support show 01890a5d-ac96-774b-bcce-b302099a8057");
  auto shown = std::make_shared<std::string>();
  AddChangeId(show, *shown);
  Choose(show, chosen, [shown](Client& client) { return Lookup(client, *shown); });

  CLI::App& resend = AddCommand(
      group, "resend", "Sends a validator's e-mail again, with a new token",
      "contactctl support resend 01890a5d-ac96-774b-bcce-b302099a8057 --to=bb222222-ovh");
  auto resent = std::make_shared<std::string>();
  auto to = std::make_shared<std::string>();
  AddChangeId(resend, *resent);
  resend.add_option("--to", *to, "Validator to e-mail")->required()->type_name("ACCOUNT");
  Choose(resend, chosen, [resent, to](Client& client) { return Resend(client, *resent, *to); });

  CLI::App& abort = AddCommand(
      group, "abort", "Closes a pending contact change; requester and new contact are told why",
      "contactctl support abort 01890a5d-ac96-774b-bcce-b302099a8057 \\\n"
      "      --reason='the domain is disputed'");
  auto aborted = std::make_shared<std::string>();
  auto reason = std::make_shared<std::string>();
  AddChangeId(abort, *aborted);
  abort.add_option("--reason", *reason, "Why; shown to the people concerned")
      ->required()
      ->type_name("TEXT");
  Choose(abort, chosen,
         [aborted, reason](Client& client) { return Abort(client, *aborted, *reason); });
}

void AddHistories(CLI::App& group, Action& chosen) {
  CLI::App& history = AddCommand(group, "history",
                                 "Lists every move of a service's contacts, also if it was removed",
                                 "contactctl support history example.com --all");
  auto service = std::make_shared<std::string>();
  auto paging = std::make_shared<Paging>();
  history.add_option("SERVICE", *service, "Service id")->required()->type_name("");
  AddPaging(history, *paging);
  Choose(history, chosen,
         [service, paging](Client& client) { return ServiceHistory(client, *service, *paging); });

  CLI::App& overrides =
      AddCommand(group, "overrides", "Lists overrides by operators, with their reasons",
                 "contactctl support overrides --service=example.com");
  auto search = std::make_shared<OverrideSearch>();
  overrides.add_option("--service", search->service, "Only those of this service's roles")
      ->type_name("SERVICE");
  overrides
      .add_option("--account", search->account,
                  "Only those that took a role from this account or gave it one")
      ->type_name("ACCOUNT");
  AddPaging(overrides, search->paging);
  Choose(overrides, chosen, [search](Client& client) { return ListOverrides(client, *search); });
}

}  // namespace

void AddSupportCommands(CLI::App& app, Action& chosen) {
  CLI::App& group = AddCommand(app, "support", "What the support desk does; see its --help",
                               "contactctl support search --service=example.com");
  group.require_subcommand(1);
  AddSearch(group, chosen);
  AddOneChange(group, chosen);
  AddHistories(group, chosen);
}

}  // namespace contacts::client
