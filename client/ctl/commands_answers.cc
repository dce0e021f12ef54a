#include <cstddef>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/ctl/answer.h"
#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/ctl/render.h"

namespace contacts::client {
namespace {

using v1::ContactService;

constexpr std::size_t kAllItems = std::numeric_limits<std::size_t>::max();

struct AnswerInput {
  std::string target;
  std::vector<std::string> token_words;
  std::string reason;
};

// Prints what an acceptance has led to.
void PrintAcceptance(const v1::ContactChange& change, std::ostream& out) {
  switch (change.state()) {
    case v1::CONTACT_CHANGE_STATE_VALIDATING:
      out << "Accepted. Still awaited: " << AwaitedNames(change) << ".\n\n";
      break;
    case v1::CONTACT_CHANGE_STATE_DONE: out << "Accepted. The change has taken effect.\n\n"; break;
    case v1::CONTACT_CHANGE_STATE_ABORTED:
      out << "Accepted, but nothing could take effect any more.\n\n";
      break;
    default: break;
  }
}

int Accept(Client& client, const AnswerInput& input) {
  const absl::StatusOr<Answer> answer =
      ReadAnswer(input.target, input.token_words, LinkAnswer::kAccept, client.in());
  if (!answer.ok()) return client.UsageError(answer.status().message());
  v1::AcceptContactChangeRequest request;
  request.set_contact_change_id(answer->contact_change_id);
  request.set_token(answer->token);
  request.set_request_id(client.RequestId());
  return client.Run(
      {.action = absl::StrCat("accept the contact change ", answer->contact_change_id),
       .contact_change_id = answer->contact_change_id,
       .request_id = request.request_id()},
      Retry::kWhileUnavailable, &ContactService::Stub::AcceptContactChange, request,
      [](const v1::AcceptContactChangeResponse& response, const RenderOptions& options,
         std::ostream& out) {
        PrintAcceptance(response.contact_change(), out);
        RenderChange(response.contact_change(), kAllItems, options, out);
      });
}

int Refuse(Client& client, const AnswerInput& input) {
  const absl::StatusOr<Answer> answer =
      ReadAnswer(input.target, input.token_words, LinkAnswer::kRefuse, client.in());
  if (!answer.ok()) return client.UsageError(answer.status().message());
  v1::RefuseContactChangeRequest request;
  request.set_contact_change_id(answer->contact_change_id);
  request.set_token(answer->token);
  request.set_reason(input.reason);
  request.set_request_id(client.RequestId());
  return client.Run(
      {.action = absl::StrCat("refuse the contact change ", answer->contact_change_id),
       .contact_change_id = answer->contact_change_id,
       .request_id = request.request_id()},
      Retry::kWhileUnavailable, &ContactService::Stub::RefuseContactChange, request,
      [](const v1::RefuseContactChangeResponse& response, const RenderOptions& options,
         std::ostream& out) {
        out << "Refused. The change is closed and nothing of it takes effect.\n\n";
        RenderChange(response.contact_change(), kAllItems, options, out);
      });
}

int Resend(Client& client, const std::string& id, const std::string& to) {
  v1::ResendValidationRequest request;
  request.set_contact_change_id(id);
  request.set_account(to);
  return client.Run({.action = absl::StrCat("send the e-mail of the contact change ", id, " again"),
                     .contact_change_id = id},
                    Retry::kNever, &ContactService::Stub::ResendValidation, request,
                    [&to](const v1::ResendValidationResponse& response,
                          const RenderOptions& options, std::ostream& out) {
                      out << "A new e-mail goes to " << (to.empty() ? "the acting account" : to)
                          << ". The token sent before no longer works.\n\n";
                      RenderChange(response.contact_change(), kAllItems, options, out);
                    });
}

int Cancel(Client& client, const std::string& id) {
  v1::CancelContactChangeRequest request;
  request.set_contact_change_id(id);
  request.set_request_id(client.RequestId());
  return client.Run({.action = absl::StrCat("cancel the contact change ", id),
                     .contact_change_id = id,
                     .request_id = request.request_id()},
                    Retry::kWhileUnavailable, &ContactService::Stub::CancelContactChange, request,
                    [](const v1::CancelContactChangeResponse& response,
                       const RenderOptions& options, std::ostream& out) {
                      out << "Cancelled.\n\n";
                      RenderChange(response.contact_change(), kAllItems, options, out);
                    });
}

void AddAnswerInput(CLI::App& command, AnswerInput& input) {
  command
      .add_option("CHANGE_ID|LINK", input.target,
                  "Contact change id, followed by the token; or the e-mail's link by itself, in "
                  "quotes; or - to read the link from the standard input")
      ->required()
      ->type_name("");
  command
      .add_option("TOKEN", input.token_words,
                  "Token of the latest e-mail; spaces, hyphens and case do not matter; - reads it "
                  "from the standard input")
      ->type_name("");
}

}  // namespace

void AddAnswerCommands(CLI::App& app, Action& chosen) {
  CLI::App& accept = AddCommand(
      app, "accept", "Accepts a contact change. The last acceptance makes it take effect",
      "contactctl accept 01920000-0000-7000-8000-000000000001 TOKEN\n"
      "  contactctl accept 'https://…?token=…&answer=accept'");
  auto accepted = std::make_shared<AnswerInput>();
  AddAnswerInput(accept, *accepted);
  Choose(accept, chosen, [accepted](Client& client) { return Accept(client, *accepted); });

  CLI::App& refuse = AddCommand(
      app, "refuse", "Refuses a contact change and closes it",
      "contactctl refuse 01920000-0000-7000-8000-000000000001 TOKEN --reason='not mine'");
  auto refused = std::make_shared<AnswerInput>();
  AddAnswerInput(refuse, *refused);
  refuse.add_option("--reason", refused->reason, "Shown to the other people concerned")
      ->type_name("TEXT");
  Choose(refuse, chosen, [refused](Client& client) { return Refuse(client, *refused); });

  CLI::App& resend =
      AddCommand(app, "resend", "Sends a validation e-mail again, with a new token",
                 "contactctl resend 01920000-0000-7000-8000-000000000001 --to=bb222222-ovh");
  auto resend_id = std::make_shared<std::string>();
  auto to = std::make_shared<std::string>();
  AddChangeId(resend, *resend_id);
  resend.add_option("--to", *to, "The other validator, for the requester; or else oneself")
      ->type_name("ACCOUNT");
  Choose(resend, chosen,
         [resend_id, to](Client& client) { return Resend(client, *resend_id, *to); });

  CLI::App& cancel = AddCommand(app, "cancel", "Withdraws a contact change that is not yet done",
                                "contactctl cancel 01920000-0000-7000-8000-000000000001");
  auto cancel_id = std::make_shared<std::string>();
  AddChangeId(cancel, *cancel_id);
  Choose(cancel, chosen, [cancel_id](Client& client) { return Cancel(client, *cancel_id); });
}

}  // namespace contacts::client
