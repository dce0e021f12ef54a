#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/lib/health.h"
#include "client/lib/terminal_text.h"
#include "nlohmann/json.hpp"

namespace contacts::client {
namespace {

int ShowHealth(Client& client, const std::string& service) {
  std::string state;
  const grpc::Status status =
      CheckHealth(client.channel(), service, absl::Now() + client.options().timeout, state);
  const std::string& server = client.options().server;
  if (!status.ok()) {
    const CallPurpose purpose{.action = absl::StrCat("check the health of ", server),
                              .exit_status = kOtherFailure};
    return client.Fail(status, purpose, Speaker::kAccount);
  }
  if (state != kServing) {
    PrintError(state, absl::StrCat("the health of ", server, " is ", state, "; want ", kServing),
               kOtherFailure, client.error_format(), client.err());
    return kOtherFailure;
  }
  if (client.options().json) {
    client.out() << nlohmann::json({{"status", state}}).dump() << '\n';
  } else {
    client.out() << state << '\n';
  }
  return client.Finish();
}

}  // namespace

void AddHealthCommand(CLI::App& app, Action& chosen) {
  CLI::App& health = AddCommand(
      app, "health",
      "Checks whether the server is ready, once, by grpc.health.v1. Exit status 0 if it is "
      "SERVING, otherwise 1",
      "contactctl health --timeout=2s\n"
      "  contactctl health contacts.v1.ContactService");
  auto service = std::make_shared<std::string>();
  health
      .add_option("SERVICE", *service,
                  "Name that the server's health service knows; by default the whole server")
      ->type_name("");
  Choose(health, chosen, [service](Client& client) { return ShowHealth(client, *service); });
}

}  // namespace contacts::client
