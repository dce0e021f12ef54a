#include "server/messages/validation.h"

#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "contacts/v1/contact_service.pb.h"
#include "contacts/v1/directory_service.pb.h"
#include "contacts/v1/support_service.pb.h"
#include "server/messages/page_token.h"

namespace contacts::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsWellKnown(const FieldDescriptor& field) {
  return field.message_type() == google::protobuf::Timestamp::descriptor() ||
         field.message_type() == google::protobuf::FieldMask::descriptor();
}

// Whether a rule of this form fits a field of this type.
bool Fits(const Form& form, const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: return std::holds_alternative<TextForm>(form);
    case FieldDescriptor::CPPTYPE_INT32: return std::holds_alternative<NumberForm>(form);
    case FieldDescriptor::CPPTYPE_ENUM: return std::holds_alternative<EnumForm>(form);
    case FieldDescriptor::CPPTYPE_BOOL: return std::holds_alternative<FlagForm>(form);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type() == google::protobuf::Timestamp::descriptor()) {
        return std::holds_alternative<TimestampForm>(form);
      }
      if (field.message_type() == google::protobuf::FieldMask::descriptor()) {
        return std::holds_alternative<MaskForm>(form);
      }
      return std::holds_alternative<ListForm>(form);
    default: return false;
  }
}

// The update mask's paths, written from the request down: "account.email".
std::set<std::string> MaskedPaths(const Message& request, const std::vector<FieldRule>& masks) {
  std::set<std::string> masked;
  for (const FieldRule& rule : masks) {
    const auto& form = std::get<MaskForm>(rule.form);
    const auto* field = request.GetDescriptor()->FindFieldByName("update_mask");
    const auto& mask = static_cast<const google::protobuf::FieldMask&>(
        request.GetReflection()->GetMessage(request, field));
    for (const std::string& path : mask.paths()) masked.insert(form.target + "." + path);
  }
  return masked;
}

bool ValidateOnly(const Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("validate_only");
  return field != nullptr && request.GetReflection()->GetBool(request, field);
}

}  // namespace

struct RequestValidator::Node {
  const FieldDescriptor* field;
  FieldRule rule;  // Empty for a single message without a rule, whose fields have their own.
  std::vector<Node> children;
};

// The check of one request.
class RequestValidator::Walk {
 public:
  Walk(Message& request, const std::vector<Node>& nodes) : validate_only_(ValidateOnly(request)) {
    std::vector<FieldRule> masks;
    for (const Node& node : nodes) {
      if (std::holds_alternative<MaskForm>(node.rule.form)) masks.push_back(node.rule);
    }
    masked_ = MaskedPaths(request, masks);
    CheckMessage(request, nodes, "");
  }

  FieldViolations TakeViolations() { return std::move(violations_); }

 private:
  void CheckMessage(Message& message, const std::vector<Node>& nodes, const std::string& prefix) {
    for (const Node& node : nodes) {
      const std::string path = prefix + node.field->name();
      // An alternative of a oneof that was not chosen has nothing to check.
      if (node.field->containing_oneof() != nullptr &&
          !message.GetReflection()->HasField(message, node.field)) {
        continue;
      }
      if (node.field->is_repeated()) {
        CheckList(message, node, path);
      } else if (!node.children.empty()) {
        CheckChild(message, node, path);
      } else {
        CheckValue(message, node, path, -1);
      }
    }
  }

  // A message that was left out is checked as an empty one.
  void CheckChild(Message& message, const Node& node, const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    if (reflection.HasField(message, node.field)) {
      CheckMessage(*reflection.MutableMessage(&message, node.field), node.children, path + ".");
      return;
    }
    const std::unique_ptr<Message> empty(reflection.GetMessage(message, node.field).New());
    CheckMessage(*empty, node.children, path + ".");
  }

  void CheckList(Message& message, const Node& node, const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    const int count = reflection.FieldSize(message, node.field);
    if (count == 0 && Needed(node.rule, path)) Add(path, "empty; want at least one");
    if (count > node.rule.max_count) {
      return Add(path, absl::StrCat(count, " values; want at most ", node.rule.max_count));
    }
    for (int i = 0; i < count; ++i) {
      const std::string item = absl::StrCat(path, "[", i, "]");
      if (node.children.empty()) {
        CheckValue(message, node, item, i);
      } else {
        CheckMessage(*reflection.MutableRepeatedMessage(&message, node.field, i), node.children,
                     item + ".");
      }
    }
  }

  void CheckValue(Message& message, const Node& node, const std::string& path, int index) {
    const Reflection& reflection = *message.GetReflection();
    const FieldDescriptor* field = node.field;
    if (const auto* text = std::get_if<TextForm>(&node.rule.form)) {
      CheckText(message, node, *text, path, index);
    } else if (const auto* number = std::get_if<NumberForm>(&node.rule.form)) {
      const int64_t value = reflection.GetInt32(message, field);
      if (value < number->least || value > number->most) {
        Add(path, absl::StrCat(value, "; want ", number->least, " to ", number->most));
      }
    } else if (std::holds_alternative<EnumForm>(node.rule.form)) {
      CheckEnum(message, node, path, index);
    } else if (std::holds_alternative<TimestampForm>(node.rule.form)) {
      CheckTimestamp(reflection.GetMessage(message, field), path);
    } else if (const auto* mask = std::get_if<MaskForm>(&node.rule.form)) {
      CheckMask(reflection.GetMessage(message, field), *mask, path);
    }
  }

  void CheckText(Message& message, const Node& node, const TextForm& form, const std::string& path,
                 int index) {
    const Reflection& reflection = *message.GetReflection();
    std::string scratch;
    const std::string& given =
        index < 0 ? reflection.GetStringReference(message, node.field, &scratch)
                  : reflection.GetRepeatedStringReference(message, node.field, index, &scratch);
    if (given.empty()) {
      if (Needed(node.rule, path)) Add(path, absl::StrCat("empty; want ", form.wanted));
      return;
    }
    std::string value = form.canonical == nullptr ? given : form.canonical(given);
    if (!form.matches(value)) {
      Add(path, absl::StrCat(form.secret ? "malformed" : Echo(given), "; want ", form.wanted));
    } else if (value != given) {
      reflection.SetString(&message, node.field, std::move(value));
    }
  }

  void CheckEnum(const Message& message, const Node& node, const std::string& path, int index) {
    const Reflection& reflection = *message.GetReflection();
    const int value = index < 0 ? reflection.GetEnumValue(message, node.field)
                                : reflection.GetRepeatedEnumValue(message, node.field, index);
    if (value == 0 && index < 0 && !Needed(node.rule, path)) return;
    const auto* type = node.field->enum_type();
    if (value != 0 && type->FindValueByNumber(value) != nullptr) return;
    Add(path, absl::StrCat(value == 0 ? "unspecified" : absl::StrCat(value),
                           "; want a defined value of ", type->name()));
  }

  void CheckTimestamp(const Message& message, const std::string& path) {
    constexpr int64_t kLeast = -62135596800;  // 0001-01-01T00:00:00Z
    constexpr int64_t kMost = 253402300799;   // 9999-12-31T23:59:59Z
    const auto& time = static_cast<const google::protobuf::Timestamp&>(message);
    if (time.seconds() < kLeast || time.seconds() > kMost || time.nanos() < 0 ||
        time.nanos() > 999'999'999) {
      Add(path, absl::StrCat(time.seconds(), " s, ", time.nanos(),
                             " ns; want a time of the years 1 to 9999"));
    }
  }

  void CheckMask(const Message& message, const MaskForm& form, const std::string& path) {
    const auto& mask = static_cast<const google::protobuf::FieldMask&>(message);
    const std::string wanted =
        absl::StrCat("; want one or more of ", absl::StrJoin(form.paths, ", "), ", each once");
    if (mask.paths().empty()) return Add(path, "empty" + wanted);
    std::set<std::string> seen;
    for (const std::string& name : mask.paths()) {
      const bool known = std::find(form.paths.begin(), form.paths.end(), name) != form.paths.end();
      if (!known || !seen.insert(name).second) {
        return Add(path, absl::StrCat(known ? "repeated " : "unknown ", Echo(name), wanted));
      }
    }
  }

  bool Needed(const FieldRule& rule, const std::string& path) const {
    return rule.need == Need::kRequired ||
           (rule.need == Need::kRequiredInMask && masked_.contains(path)) ||
           (rule.need == Need::kRequiredUnlessValidateOnly && !validate_only_);
  }

  void Add(const std::string& path, std::string description) {
    violations_.push_back({path, std::move(description)});
  }

  const bool validate_only_;
  std::set<std::string> masked_;
  FieldViolations violations_;
};

namespace {

bool Names(const FieldViolations& violations, absl::string_view field) {
  return std::any_of(violations.begin(), violations.end(),
                     [&](const auto& violation) { return violation.field == field; });
}

template <typename Request>
void CheckDuplicates(const Request& request, FieldViolations& violations) {
  std::set<std::pair<absl::string_view, int>> seen;
  for (int i = 0; i < request.assignments_size(); ++i) {
    const auto& assignment = request.assignments(i);
    if (assignment.service().empty() || assignment.role() == 0) continue;
    if (!seen.emplace(assignment.service(), assignment.role()).second) {
      violations.push_back({absl::StrCat("assignments[", i, "]"),
                            absl::StrCat("the same role of ", Echo(assignment.service()),
                                         " again; want each service and role once")});
    }
  }
}

// Rules about several fields together.
void CheckAcrossFields(const Message& request, const AccountId& acting,
                       FieldViolations& violations) {
  if (const auto* change = dynamic_cast<const v1::ChangeContactsRequest*>(&request)) {
    if (!Names(violations, "assignments")) CheckDuplicates(*change, violations);
  } else if (const auto* set = dynamic_cast<const v1::OverrideContactsRequest*>(&request)) {
    if (!Names(violations, "assignments")) CheckDuplicates(*set, violations);
  } else if (const auto* update = dynamic_cast<const v1::UpdateProfileRequest*>(&request)) {
    const std::string& id = update->account().id();
    if (!id.empty() && id != acting.text() && !Names(violations, "account.id")) {
      violations.push_back(
          {"account.id", absl::StrCat(Echo(id), "; want the acting account's id, ", "or nothing")});
    }
  }
  if (const auto* record = dynamic_cast<const v1::ImportDirectoryRequest*>(&request)) {
    if (record->record_case() == v1::ImportDirectoryRequest::RECORD_NOT_SET) {
      violations.push_back({"record", "missing; want an account or a service"});
    }
  }
  if (const auto* search = dynamic_cast<const v1::SearchContactChangesRequest*>(&request)) {
    if (search->account().empty() && search->service().empty() && !search->has_create_time_from()) {
      violations.push_back(
          {"account", "missing; want at least one of account, service and create_time_from"});
    }
  }
  const auto* token = request.GetDescriptor()->FindFieldByName("page_token");
  if (token != nullptr && !Names(violations, "page_token") && !OpenPageToken(request)) {
    violations.push_back({"page_token",
                          "malformed, or of another request; want the next_page_token of a request "
                          "with the same other fields"});
  }
}

}  // namespace

RequestValidator::RequestValidator(const std::vector<FieldRule>& rules) {
  absl::flat_hash_map<std::string, FieldRule> unused;
  for (const FieldRule& rule : rules) {
    if (!unused.emplace(rule.path, rule).second) gaps_.push_back("two rules: " + rule.path);
  }
  for (const Descriptor* request : RequestMessages()) {
    requests_[request] = Compile(*request, request->name() + ".", unused);
  }
  for (const auto& [path, rule] : unused) gaps_.push_back("a rule without a field: " + path);
}

RequestValidator::~RequestValidator() = default;

std::vector<RequestValidator::Node> RequestValidator::Compile(
    const Descriptor& message, const std::string& path,
    absl::flat_hash_map<std::string, FieldRule>& unused) {
  std::vector<Node> nodes;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor* field = message.field(i);
    const bool nested = field->message_type() != nullptr && !IsWellKnown(*field);
    Node node{field, FieldRule{path + field->name(), ListForm{}}, {}};
    if (auto rule = unused.extract(node.rule.path)) {
      node.rule = std::move(rule.mapped());
      if (!Fits(node.rule.form, *field))
        gaps_.push_back("a rule of another type: " + node.rule.path);
      if (field->is_repeated() && node.rule.max_count == 0) {
        gaps_.push_back("a list without a limit: " + node.rule.path);
      }
    } else if (!nested || field->is_repeated()) {
      gaps_.push_back("a field without a rule: " + node.rule.path);
    }
    if (nested) node.children = Compile(*field->message_type(), node.rule.path + ".", unused);
    nodes.push_back(std::move(node));
  }
  return nodes;
}

FieldViolations RequestValidator::Validate(Message& request, const AccountId& acting) const {
  FieldViolations violations =
      Walk(request, requests_.at(request.GetDescriptor())).TakeViolations();
  CheckAcrossFields(request, acting, violations);
  return violations;
}

std::vector<const Descriptor*> RequestMessages() {
  const auto* contacts = v1::GetProfileRequest::descriptor()->file();
  const auto* directory = v1::CreateAccountRequest::descriptor()->file();
  const auto* support = v1::SearchContactChangesRequest::descriptor()->file();
  std::vector<const Descriptor*> messages;
  for (const auto* service : {contacts->service(0), directory->service(0), support->service(0)}) {
    for (int i = 0; i < service->method_count(); ++i) {
      messages.push_back(service->method(i)->input_type());
    }
  }
  return messages;
}

}  // namespace contacts::server
