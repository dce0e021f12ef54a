#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/ctl/assignments.h"
#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/ctl/render.h"

namespace contacts::client {
namespace {

using v1::DirectoryService;

struct AccountInput {
  AccountChange change;
  std::string etag;
};

struct ServiceInput {
  v1::Service service;
  OwnerChange owner;
};

struct OverrideInput {
  AssignmentSource source;
  std::string reason;
};

int CreateAccount(Client& client, const AccountInput& input) {
  v1::CreateAccountRequest request;
  *request.mutable_account() = input.change.account;
  return client.Run({.action = absl::StrCat("register the account ", request.account().id())},
                    Retry::kNever, &DirectoryService::Stub::CreateAccount, request,
                    [](const v1::CreateAccountResponse& response, const RenderOptions& options,
                       std::ostream& out) { RenderAccount(response.account(), options, out); });
}

int ShowAccount(Client& client, const std::string& id) {
  v1::GetAccountRequest request;
  request.set_account(id);
  return client.Run({.action = absl::StrCat("read the account ", id)}, Retry::kWhileUnavailable,
                    &DirectoryService::Stub::GetAccount, request,
                    [](const v1::GetAccountResponse& response, const RenderOptions& options,
                       std::ostream& out) { RenderAccount(response.account(), options, out); });
}

int UpdateAccount(Client& client, const AccountInput& input) {
  if (input.change.mask.paths().empty()) {
    return client.UsageError("nothing to update: give --email, --language or --billing");
  }
  v1::UpdateAccountRequest request;
  *request.mutable_account() = input.change.account;
  request.mutable_account()->set_etag(input.etag);
  *request.mutable_update_mask() = input.change.mask;
  return client.Run({.action = absl::StrCat("update the account ", request.account().id())},
                    Retry::kNever, &DirectoryService::Stub::UpdateAccount, request,
                    [](const v1::UpdateAccountResponse& response, const RenderOptions& options,
                       std::ostream& out) { RenderAccount(response.account(), options, out); });
}

int DeleteAccount(Client& client, const std::string& id) {
  v1::DeleteAccountRequest request;
  request.set_account(id);
  return client.Run({.action = absl::StrCat("delete the account ", id)}, Retry::kNever,
                    &DirectoryService::Stub::DeleteAccount, request,
                    [&id](const v1::DeleteAccountResponse&, const RenderOptions&,
                          std::ostream& out) { out << "Deleted " << id << ".\n"; });
}

int CreateService(Client& client, const ServiceInput& input) {
  v1::CreateServiceRequest request;
  *request.mutable_service() = input.service;
  if (!input.owner.mask.paths().empty())
    *request.mutable_service()->mutable_owner() = input.owner.owner;
  return client.Run({.action = absl::StrCat("register the service ", input.service.id())},
                    Retry::kNever, &DirectoryService::Stub::CreateService, request,
                    [](const v1::CreateServiceResponse& response, const RenderOptions& options,
                       std::ostream& out) { RenderService(response.service(), options, out); });
}

int LookupService(Client& client, const std::string& id) {
  v1::LookupServiceRequest request;
  request.set_service(id);
  return client.Run({.action = absl::StrCat("read the service ", id)}, Retry::kWhileUnavailable,
                    &DirectoryService::Stub::LookupService, request,
                    [](const v1::LookupServiceResponse& response, const RenderOptions& options,
                       std::ostream& out) { RenderService(response.service(), options, out); });
}

int DeleteService(Client& client, const std::string& id) {
  v1::DeleteServiceRequest request;
  request.set_service(id);
  return client.Run({.action = absl::StrCat("remove the service ", id)}, Retry::kNever,
                    &DirectoryService::Stub::DeleteService, request,
                    [&id](const v1::DeleteServiceResponse&, const RenderOptions&,
                          std::ostream& out) { out << "Removed " << id << ".\n"; });
}

int OverrideContacts(Client& client, const OverrideInput& input) {
  auto assignments = CollectAssignments(input.source, client.in());
  if (!assignments.ok()) return client.UsageError(assignments.status().message());
  if (assignments->empty()) {
    return client.UsageError("nothing to set: give --assign or --from-file");
  }
  v1::OverrideContactsRequest request;
  request.set_request_id(client.RequestId());
  request.set_reason(input.reason);
  for (const v1::ContactAssignment& assignment : *assignments) {
    v1::OverrideAssignment* added = request.add_assignments();
    added->set_service(assignment.service());
    added->set_role(assignment.role());
    added->set_new_contact(assignment.new_contact());
  }
  return client.Run({.action = "set contacts",
                     .request_id = request.request_id(),
                     .assignments = DescribeAssignments(*assignments)},
                    Retry::kWhileUnavailable, &DirectoryService::Stub::OverrideContacts, request,
                    [](const v1::OverrideContactsResponse& response, const RenderOptions& options,
                       std::ostream& out) { RenderServices(response.services(), options, out); });
}

void AddAccounts(CLI::App& group, Action& chosen) {
  CLI::App& create = AddCommand(
      group, "create-account", "Registers an account",
      "contactctl operator create-account aa111111-ovh --email=alice@example.com --language=fr");
  auto created = std::make_shared<AccountInput>();
  create
      .add_option_function<std::string>(
          "ACCOUNT", [created](const std::string& id) { created->change.account.set_id(id); },
          "Account id")
      ->required()
      ->type_name("");
  AddAccountOptions(create, created->change, /*with_billing=*/true);
  create.get_option("--email")->required();
  Choose(create, chosen, [created](Client& client) { return CreateAccount(client, *created); });

  CLI::App& account =
      AddCommand(group, "account", "Shows any account", "contactctl operator account aa111111-ovh");
  auto id = std::make_shared<std::string>();
  account.add_option("ACCOUNT", *id, "Account id")->required()->type_name("");
  Choose(account, chosen, [id](Client& client) { return ShowAccount(client, *id); });

  CLI::App& update =
      AddCommand(group, "update-account", "Updates an account",
                 "contactctl operator update-account aa111111-ovh --billing=overdue");
  auto updated = std::make_shared<AccountInput>();
  update
      .add_option_function<std::string>(
          "ACCOUNT", [updated](const std::string& value) { updated->change.account.set_id(value); },
          "Account id")
      ->required()
      ->type_name("");
  AddAccountOptions(update, updated->change, /*with_billing=*/true);
  update.add_option("--etag", updated->etag, "Updates only what has this etag, as read before")
      ->type_name("TEXT");
  Choose(update, chosen, [updated](Client& client) { return UpdateAccount(client, *updated); });

  CLI::App& remove = AddCommand(
      group, "delete-account",
      "Deletes an account that holds no role, and erases its data; its pending changes end",
      "contactctl operator delete-account aa111111-ovh");
  auto removed = std::make_shared<std::string>();
  remove.add_option("ACCOUNT", *removed, "Account id")->required()->type_name("");
  Choose(remove, chosen, [removed](Client& client) { return DeleteAccount(client, *removed); });
}

// Adds a required option or positional that becomes a field of the service.
void AddServiceField(CLI::App& command, const std::string& name, const std::string& type,
                     const std::string& description,
                     const std::function<void(const std::string&)>& set) {
  command.add_option_function<std::string>(name, set, description)->required()->type_name(type);
}

void AddServices(CLI::App& group, Action& chosen) {
  CLI::App& create = AddCommand(
      group, "create-service", "Registers a service with its three contacts and its owner",
      "contactctl operator create-service example.com --kind=domain --admin=aa111111-ovh \\\n"
      "      --tech=aa111111-ovh --billing=bb222222-ovh --owner-name='Alice Martin'");
  auto created = std::make_shared<ServiceInput>();
  v1::Service& service = created->service;
  AddServiceField(create, "SERVICE", "", "Service id",
                  [&service](const std::string& value) { service.set_id(value); });
  AddServiceField(create, "--kind", "TEXT", "Kind, such as domain, hosting or vps",
                  [&service](const std::string& value) { service.set_kind(value); });
  AddServiceField(create, "--admin", "ACCOUNT", "Administrative contact",
                  [&service](const std::string& value) { service.set_admin(value); });
  AddServiceField(create, "--tech", "ACCOUNT", "Technical contact",
                  [&service](const std::string& value) { service.set_tech(value); });
  AddServiceField(create, "--billing", "ACCOUNT", "Billing contact",
                  [&service](const std::string& value) { service.set_billing(value); });
  AddOwnerOptions(create, "--owner-", created->owner);
  Choose(create, chosen, [created](Client& client) { return CreateService(client, *created); });

  CLI::App& show =
      AddCommand(group, "service", "Shows any service", "contactctl operator service example.com");
  auto shown = std::make_shared<std::string>();
  show.add_option("SERVICE", *shown, "Service id")->required()->type_name("");
  Choose(show, chosen, [shown](Client& client) { return LookupService(client, *shown); });

  CLI::App& remove = AddCommand(group, "delete-service",
                                "Removes a service; pending changes lose their items on it",
                                "contactctl operator delete-service example.com");
  auto removed = std::make_shared<std::string>();
  remove.add_option("SERVICE", *removed, "Service id")->required()->type_name("");
  Choose(remove, chosen, [removed](Client& client) { return DeleteService(client, *removed); });
}

void AddOverride(CLI::App& group, Action& chosen) {
  CLI::App& command = AddCommand(
      group, "override", "Sets contacts without validations; the people concerned are informed",
      "contactctl operator override --assign example.com:admin=cc333333-ovh \\\n"
      "      --reason='address of the former admin no longer exists'");
  auto input = std::make_shared<OverrideInput>();
  AddAssignmentOptions(command, input->source);
  command.add_option("--reason", input->reason, "Why; recorded, and shown to those informed")
      ->required()
      ->type_name("TEXT");
  Choose(command, chosen, [input](Client& client) { return OverrideContacts(client, *input); });
}

}  // namespace

void AddOperatorCommands(CLI::App& app, Action& chosen) {
  CLI::App& group = AddCommand(app, "operator", "What directory operators do; see its --help",
                               "contactctl operator service example.com");
  group.require_subcommand(1);
  AddAccounts(group, chosen);
  AddServices(group, chosen);
  AddOverride(group, chosen);
}

}  // namespace contacts::client
