#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "client/ctl/answer.h"
#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/ctl/render.h"

namespace contacts::client {
namespace {

using v1::ContactService;

int ShowProfile(Client& client) {
  return client.Run({.action = "read the profile"}, Retry::kWhileUnavailable,
                    &ContactService::Stub::GetProfile, v1::GetProfileRequest(),
                    [](const v1::GetProfileResponse& response, const RenderOptions& options,
                       std::ostream& out) { RenderAccount(response.account(), options, out); });
}

int UpdateProfile(Client& client, const AccountChange& change, const std::string& etag) {
  if (change.mask.paths().empty()) {
    return client.UsageError("nothing to update: give --email or --language");
  }
  v1::UpdateProfileRequest request;
  *request.mutable_account() = change.account;
  request.mutable_account()->set_etag(etag);
  *request.mutable_update_mask() = change.mask;
  return client.Run({.action = "update the profile"}, Retry::kNever,
                    &ContactService::Stub::UpdateProfile, request,
                    [](const v1::UpdateProfileResponse& response, const RenderOptions& options,
                       std::ostream& out) {
                      RenderAccount(response.account(), options, out);
                      if (!response.account().pending_email().empty()) {
                        out << "\nThe new address is not in use yet: a token was sent to it. "
                               "Confirm it: contactctl confirm-email TOKEN\n";
                      }
                    });
}

int ConfirmEmail(Client& client, const std::vector<std::string>& words) {
  const absl::StatusOr<std::string> token = ReadConfirmation(words, client.in());
  if (!token.ok()) return client.UsageError(token.status().message());
  v1::ConfirmEmailRequest request;
  request.set_token(*token);
  return client.Run({.action = "confirm the e-mail address", .confirms_email = true}, Retry::kNever,
                    &ContactService::Stub::ConfirmEmail, request,
                    [](const v1::ConfirmEmailResponse& response, const RenderOptions& options,
                       std::ostream& out) {
                      out << "Confirmed. E-mails now go to this address.\n\n";
                      RenderAccount(response.account(), options, out);
                    });
}

}  // namespace

void AddProfileCommands(CLI::App& app, Action& chosen) {
  CLI::App& profile = AddCommand(app, "profile", "Shows or updates the acting account's profile",
                                 "contactctl profile");
  profile.require_subcommand(0, 1);
  Choose(profile, chosen, ShowProfile);

  CLI::App& update =
      AddCommand(profile, "update", "Updates the acting account's e-mail address or language",
                 "contactctl profile update --email=alice@example.com --language=fr");
  auto change = std::make_shared<AccountChange>();
  auto etag = std::make_shared<std::string>();
  AddAccountOptions(update, *change, /*with_billing=*/false);
  update.add_option("--etag", *etag, "Updates only what has this etag, as read before")
      ->type_name("TEXT");
  Choose(update, chosen,
         [change, etag](Client& client) { return UpdateProfile(client, *change, *etag); });

  CLI::App& confirm =
      AddCommand(app, "confirm-email", "Puts a new e-mail address in use, by the token sent to it",
                 "contactctl confirm-email 7H2KQ-0M9XT-4RWVB-E8N3C-ZJ5PD-G\n"
                 "  contactctl confirm-email - <link.txt");
  auto words = std::make_shared<std::vector<std::string>>();
  confirm
      .add_option("TOKEN_OR_LINK", *words,
                  "The token, or the link in quotes, from the e-mail; - reads it from the input")
      ->required()
      ->type_name("");
  Choose(confirm, chosen, [words](Client& client) { return ConfirmEmail(client, *words); });
}

}  // namespace contacts::client
