#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/ctl/enum_names.h"
#include "client/ctl/render.h"

namespace contacts::client {
namespace {

using v1::ContactService;

struct ServiceFilter {
  std::vector<std::string> roles;
  std::string prefix;
  std::string contact;
  Paging paging;
};

int ListServices(Client& client, const ServiceFilter& filter) {
  v1::ListServicesRequest request;
  for (const std::string& role : filter.roles)
    request.add_roles(*EnumFromName<v1::ContactRole>(role));
  request.set_id_prefix(filter.prefix);
  request.set_contact(filter.contact);
  return client.RunList({.action = "list the services"}, &ContactService::Stub::ListServices,
                        request, filter.paging,
                        [](const v1::ListServicesResponse& response, const RenderOptions& options,
                           std::ostream& out) {
                          if (response.services().empty()) out << "No services.\n";
                          RenderServices(response.services(), options, out);
                        });
}

int ShowService(Client& client, const std::string& service) {
  v1::GetServiceRequest request;
  request.set_service(service);
  return client.Run(
      {.action = absl::StrCat("read the service ", service)}, Retry::kWhileUnavailable,
      &ContactService::Stub::GetService, request,
      [](const v1::GetServiceResponse& response, const RenderOptions& options, std::ostream& out) {
        RenderService(response.service(), options, out);
        if (response.pending_contact_change_ids().empty()) return;
        out << "\nContact changes pending on it:\n";
        for (const std::string& id : response.pending_contact_change_ids()) {
          out << "  contactctl show " << id << '\n';
        }
      });
}

int ShowContactHistory(Client& client, const std::string& service, const Paging& paging) {
  v1::ListContactHistoryRequest request;
  request.set_service(service);
  return client.RunList(
      {.action = absl::StrCat("read the history of the contacts of ", service)},
      &ContactService::Stub::ListContactHistory, request, paging,
      [](const v1::ListContactHistoryResponse& response, const RenderOptions& options,
         std::ostream& out) { RenderMoves(response.moves(), options, out); });
}

int UpdateOwner(Client& client, const std::string& service, const OwnerChange& change,
                const std::string& etag) {
  if (change.mask.paths().empty()) {
    return client.UsageError("nothing to update: give at least one of the owner's details");
  }
  v1::UpdateServiceOwnerRequest request;
  request.set_service(service);
  *request.mutable_owner() = change.owner;
  *request.mutable_update_mask() = change.mask;
  request.set_etag(etag);
  return client.Run({.action = absl::StrCat("update the owner of ", service)}, Retry::kNever,
                    &ContactService::Stub::UpdateServiceOwner, request,
                    [](const v1::UpdateServiceOwnerResponse& response, const RenderOptions& options,
                       std::ostream& out) { RenderService(response.service(), options, out); });
}

void AddOwner(CLI::App& app, Action& chosen) {
  CLI::App& owner = AddCommand(app, "owner", "Updates whom a service belongs to",
                               "contactctl owner update example.com --city=Roubaix");
  owner.require_subcommand(1);
  CLI::App& update = AddCommand(
      owner, "update",
      "Updates the owner's details of a service; for its admin. An empty value clears a detail",
      "contactctl owner update example.com --name='Alice Martin' --phone=+33972101007");
  auto service = std::make_shared<std::string>();
  auto change = std::make_shared<OwnerChange>();
  auto etag = std::make_shared<std::string>();
  update.add_option("SERVICE", *service, "Service id")->required()->type_name("");
  AddOwnerOptions(update, "--", *change);
  update.add_option("--etag", *etag, "Updates only a service that has this etag, as read before")
      ->type_name("TEXT");
  Choose(update, chosen, [service, change, etag](Client& client) {
    return UpdateOwner(client, *service, *change, *etag);
  });
}

}  // namespace

void AddServiceCommands(CLI::App& app, Action& chosen) {
  CLI::App& services =
      AddCommand(app, "services", "Lists the services on which the acting account holds a role",
                 "contactctl services --role=admin,tech --prefix=shop --all");
  auto filter = std::make_shared<ServiceFilter>();
  AddRepeated(services, "--role", filter->roles, "Only where it holds one of these roles")
      ->check(CLI::IsMember(EnumNames<v1::ContactRole>()));
  services.add_option("--prefix", filter->prefix, "Only services whose id begins with this")
      ->type_name("TEXT");
  services
      .add_option("--contact", filter->contact,
                  "Only services on which this account holds a role too")
      ->type_name("ACCOUNT");
  AddPaging(services, filter->paging);
  Choose(services, chosen, [filter](Client& client) { return ListServices(client, *filter); });

  CLI::App& service = AddCommand(app, "service", "Shows one service and what is pending on it",
                                 "contactctl service example.com");
  auto id = std::make_shared<std::string>();
  service.add_option("SERVICE", *id, "Service id")->required()->type_name("");
  Choose(service, chosen, [id](Client& client) { return ShowService(client, *id); });

  CLI::App& history =
      AddCommand(app, "service-history",
                 "Lists every move of the contacts of a service, newest first; for its admin",
                 "contactctl service-history example.com --all");
  auto service_of_history = std::make_shared<std::string>();
  auto paging = std::make_shared<Paging>();
  history.add_option("SERVICE", *service_of_history, "Service id")->required()->type_name("");
  AddPaging(history, *paging);
  Choose(history, chosen, [service_of_history, paging](Client& client) {
    return ShowContactHistory(client, *service_of_history, *paging);
  });

  AddOwner(app, chosen);
}

}  // namespace contacts::client
