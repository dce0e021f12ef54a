#include "client/ctl/answer.h"

#include <istream>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/lib/uuid.h"

namespace contacts::client {
namespace {

std::string CommandOf(LinkAnswer answer) {
  return answer == LinkAnswer::kRefuse ? "refuse" : "accept";
}

std::string ReadLine(std::istream& in) {
  std::string line;
  std::getline(in, line);
  return line;
}

absl::StatusOr<Answer> AnswerFromLink(const std::string& text, LinkAnswer wanted) {
  const absl::StatusOr<Link> link = ParseLink(text);
  if (!link.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(link.status().message(),
                                                   "; put it in quotes, so that the shell leaves it"
                                                   " whole, or give CHANGE_ID TOKEN"));
  }
  if (link->answer != LinkAnswer::kUnspecified && link->answer != wanted) {
    return absl::InvalidArgumentError(absl::StrCat(
        "this is the link to ", CommandOf(link->answer), ", but the command is ", CommandOf(wanted),
        ": nothing was sent; use the other link, or contactctl ", CommandOf(link->answer)));
  }
  return Answer{link->contact_change_id, link->token};
}

}  // namespace

absl::StatusOr<Answer> ReadAnswer(const std::string& target, const std::vector<std::string>& rest,
                                  LinkAnswer wanted, std::istream& in) {
  if (rest.empty() && (target == "-" || LooksLikeLink(target))) {
    return AnswerFromLink(target == "-" ? ReadLine(in) : target, wanted);
  }
  std::string token = absl::StrJoin(rest, " ");
  if (!IsUuid(target) || absl::StrContains(token, "://")) {
    return absl::InvalidArgumentError(
        "give the contact change's id and then the token, or else the link by itself");
  }
  if (token == "-") token = ReadLine(in);
  token = TrimToken(token);
  if (token.empty()) {
    return absl::InvalidArgumentError(
        "give the token from the e-mail after the contact change's id");
  }
  return Answer{target, token};
}

absl::StatusOr<std::string> ReadConfirmation(const std::vector<std::string>& words,
                                             std::istream& in) {
  std::string text = absl::StrJoin(words, " ");
  if (text == "-") text = ReadLine(in);
  if (LooksLikeLink(text)) return ParseConfirmLink(text);
  std::string token = TrimToken(text);
  if (token.empty()) {
    return absl::InvalidArgumentError("give the token from the e-mail to the new address");
  }
  return token;
}

}  // namespace contacts::client
