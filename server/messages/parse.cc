#include "server/messages/parse.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>
#include <google/protobuf/wire_format_lite.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"

namespace contacts::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// The largest request, with 1,000 assignments, has some 4,000 fields.
constexpr int kMaxFields = 20'000;

// Empties every string that is not UTF-8 and adds its field to the violations. Returns false if
// `bytes` is not a message.
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
    const int before = counts[field.number()]++;
    if (known->is_repeated()) absl::StrAppend(&path, "[", before, "]");
    std::string& value = *field.mutable_length_delimited();
    if (known->type() == FieldDescriptor::TYPE_MESSAGE) {
      FieldViolations inner;
      if (!EmptyBadText(*known->message_type(), path + ".", value, inner)) return false;
      // A mask counts as one field.
      const bool mask = known->message_type() == google::protobuf::FieldMask::descriptor();
      if (mask && !inner.empty()) inner = {{path, inner.front().description}};
      violations.insert(violations.end(), inner.begin(), inner.end());
    } else if (known->type() == FieldDescriptor::TYPE_STRING && !CountCodePoints(value)) {
      if (known->is_repeated() || before == 0) {
        violations.push_back({path, "not valid UTF-8; want text"});
      }
      value.clear();
    }
  }
  bytes.clear();
  return fields.SerializeToString(&bytes);
}

// Subtracts the number of fields of a message, including nested ones, from `allowed`. Returns false
// if there are more. Malformed bytes are counted up to the fault.
bool CountFields(const Descriptor& message, CodedInputStream& in, int& allowed) {
  while (const uint32_t tag = in.ReadTag()) {
    if (--allowed < 0) return false;
    const auto kind = WireFormatLite::GetTagWireType(tag);
    // Fields in a group are counted with the fields around it.
    if (kind == WireFormatLite::WIRETYPE_START_GROUP ||
        kind == WireFormatLite::WIRETYPE_END_GROUP) {
      continue;
    }
    const FieldDescriptor* known =
        message.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    const bool nested = known != nullptr && known->type() == FieldDescriptor::TYPE_MESSAGE &&
                        kind == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if (!nested) {
      if (!WireFormatLite::SkipField(&in, tag)) return true;
      continue;
    }
    int size = 0;
    if (!in.ReadVarintSizeAsInt(&size)) return true;
    const auto limit = in.PushLimit(size);
    if (!CountFields(*known->message_type(), in, allowed)) return false;
    in.Skip(in.BytesUntilLimit());
    in.PopLimit(limit);
  }
  return true;
}

}  // namespace

FieldViolations ParseRequest(const std::string& bytes, google::protobuf::Message& request) {
  // A field has at least two bytes, and may need fifty once it is parsed.
  if (bytes.size() > std::size_t{2} * kMaxFields) {
    CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                        static_cast<int>(bytes.size()));
    int allowed = kMaxFields;
    if (!CountFields(*request.GetDescriptor(), in, allowed)) {
      return {{"", absl::StrCat("more than ", kMaxFields, " fields; want no more")}};
    }
  }
  if (request.ParseFromString(bytes)) {
    request.DiscardUnknownFields();
    return {};
  }
  const Descriptor& type = *request.GetDescriptor();
  FieldViolations violations;
  std::string repaired = bytes;
  if (!EmptyBadText(type, "", repaired, violations) || !request.ParseFromString(repaired)) {
    return {{"", absl::StrCat("malformed message; want a serialized ", type.full_name())}};
  }
  request.DiscardUnknownFields();
  return violations;
}

}  // namespace contacts::server
