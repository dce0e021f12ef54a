#ifndef CONTACTS_SERVER_MESSAGES_FIELD_RULES_H_
#define CONTACTS_SERVER_MESSAGES_FIELD_RULES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/domain/settings.h"
#include "server/messages/forms.h"

// The table of the allowed values of each field of each request.
namespace contacts::server {

// Text. It is brought into its canonical form before it is checked.
struct TextForm {
  std::function<bool(absl::string_view)> matches;
  std::string wanted;                                     // Completes "want ...".
  std::string (*canonical)(absl::string_view) = nullptr;  // Null: as it is.
  bool secret = false;                                    // Never shown in an error.
};
// An integer between two bounds, both allowed.
struct NumberForm {
  int64_t least;
  int64_t most;
};
// A defined value. 0 only if the field is optional, and never inside a list.
struct EnumForm {};
struct FlagForm {};
// Within the range of google.protobuf.Timestamp.
struct TimestampForm {};
// A google.protobuf.FieldMask: at least one path, each once, each one of these
// fields of the message beside it.
struct MaskForm {
  std::string target;  // Field that the paths are relative to.
  std::vector<std::string> paths;
};
// A list of messages. Their fields have their own rules.
struct ListForm {};

using Form =
    std::variant<TextForm, NumberForm, EnumForm, FlagForm, TimestampForm, MaskForm, ListForm>;

enum class Need {
  kOptional,
  kRequired,
  kRequiredInMask,              // Required if the update mask names it.
  kRequiredUnlessValidateOnly,  // Required unless the request has validate_only.
};

struct FieldRule {
  std::string path;  // Message name, then field names: "ChangeContactsRequest.assignments.role".
  Form form;
  Need need = Need::kOptional;
  int64_t max_count = 0;  // Of a repeated field.
};

// Returns the rule of every field of every request of the contract.
std::vector<FieldRule> FieldRules(const AccountIdForm& account_id, const Settings& settings);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_MESSAGES_FIELD_RULES_H_
