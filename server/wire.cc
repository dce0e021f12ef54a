#include "server/wire.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "server/forms.h"

namespace contacts::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Empties every string that is not UTF-8 and names it. Returns false where
// `bytes` is no message.
bool EmptyBadText(const Descriptor& message, const std::string& prefix, std::string& bytes,
                  FieldViolations& violations) {
  UnknownFieldSet fields;
  if (!fields.ParseFromString(bytes)) return false;
  std::map<int, int> counts;
  for (int i = 0; i < fields.field_count(); ++i) {
    UnknownField& field = *fields.mutable_field(i);
    const FieldDescriptor* known = message.FindFieldByNumber(field.number());
    if (known == nullptr || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    std::string path = prefix + known->name();
    if (known->is_repeated()) absl::StrAppend(&path, "[", counts[field.number()]++, "]");
    std::string& value = *field.mutable_length_delimited();
    if (known->type() == FieldDescriptor::TYPE_MESSAGE) {
      FieldViolations inner;
      if (!EmptyBadText(*known->message_type(), path + ".", value, inner)) return false;
      // A mask counts as one field.
      const bool mask = known->message_type() == google::protobuf::FieldMask::descriptor();
      if (mask && !inner.empty()) inner = {{path, inner.front().description}};
      violations.insert(violations.end(), inner.begin(), inner.end());
    } else if (known->type() == FieldDescriptor::TYPE_STRING && !CodePoints(value)) {
      violations.push_back({path, "not valid UTF-8; want text"});
      value.clear();
    }
  }
  bytes.clear();
  return fields.SerializeToString(&bytes);
}

}  // namespace

FieldViolations ParseRequest(const std::string& bytes, google::protobuf::Message& request) {
  if (request.ParseFromString(bytes)) return {};
  const Descriptor& type = *request.GetDescriptor();
  FieldViolations violations;
  std::string repaired = bytes;
  if (!EmptyBadText(type, "", repaired, violations) || !request.ParseFromString(repaired)) {
    return {{"", absl::StrCat("malformed message; want a serialized ", type.full_name())}};
  }
  return violations;
}

}  // namespace contacts::server
