#include "client/bulk/records.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/bulk/csv_reader.h"
#include "client/lib/terminal_text.h"
#include "google/protobuf/reflection.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

namespace contacts::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using nlohmann::json;

constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr char kType[] = "type";
constexpr absl::string_view kOwnerPrefix = "owner_";

// The names of an enum's values but the unspecified one, as an error message lists them.
std::string EnumNames(const google::protobuf::EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 1; i < type.value_count(); ++i) names.push_back(type.value(i)->name());
  return absl::StrJoin(names, " or ");
}

// Sets a field of type string or enum. Returns what is wrong with `text`; "" if nothing is.
std::string SetString(Message& message, const FieldDescriptor& field, const std::string& text) {
  const auto& reflection = *message.GetReflection();
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    if (field.is_repeated()) {
      reflection.AddString(&message, &field, text);
    } else {
      reflection.SetString(&message, &field, text);
    }
    return "";
  }
  if (field.type() == FieldDescriptor::TYPE_ENUM) {
    const auto* value = field.enum_type()->FindValueByName(text);
    if (value == nullptr) {
      return absl::StrCat("\"", text, "\"; want ", EnumNames(*field.enum_type()));
    }
    reflection.SetEnum(&message, &field, value);
    return "";
  }
  return "want no string";
}

// What is wrong with a record: "FIELD: what was wanted" for each field.
using FieldErrors = std::vector<std::string>;

std::string Joined(const FieldErrors& errors) { return absl::StrJoin(errors, "; "); }

void SetFields(Message& message, const json& object, const std::string& path, FieldErrors& errors);

// `path` is the name of the field in the whole record.
void SetField(Message& message, const FieldDescriptor& field, const json& value,
              const std::string& path, FieldErrors& errors) {
  const auto want = [&](const char* wanted) {
    errors.push_back(absl::StrCat(path, ": want ", wanted));
  };
  // Times are set by the server alone; its own responses may be imported.
  if (value.is_null() || field.message_type() == google::protobuf::Timestamp::descriptor()) return;
  if (field.message_type() != nullptr) {
    SetFields(*message.GetReflection()->MutableMessage(&message, &field), value, path, errors);
    return;
  }
  if (field.is_repeated() && !value.is_array()) return want("a list");
  for (const json& item : field.is_repeated() ? value : json::array({value})) {
    if (!item.is_string()) return want(field.is_repeated() ? "a list of texts" : "text in quotes");
    const std::string error = SetString(message, field, item.get_ref<const std::string&>());
    if (!error.empty()) errors.push_back(absl::StrCat(path, ": ", error));
  }
}

// `path` is the name of `object` in the whole record; empty for the record itself.
void SetFields(Message& message, const json& object, const std::string& path, FieldErrors& errors) {
  if (!object.is_object()) {
    errors.push_back(absl::StrCat(path, path.empty() ? "" : ": ", "want a JSON object"));
    return;
  }
  for (const auto& [name, value] : object.items()) {
    const std::string inner = absl::StrCat(path, path.empty() ? "" : ".", name);
    const auto* field = message.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr) {
      errors.push_back(absl::StrCat(inner, ": there is no such field"));
    } else {
      SetField(message, *field, value, inner, errors);
    }
  }
}

// Parses JSON. Rejects an object with the same name twice: another parser could use the other
// value. Throws json::exception if `text` is no JSON in UTF-8.
json ParseJson(absl::string_view text, FieldErrors& errors) {
  std::vector<std::set<std::string>> names;
  return json::parse(text.begin(), text.end(),
                     [&](int /*depth*/, json::parse_event_t event, json& parsed) {
                       if (event == json::parse_event_t::object_start) names.emplace_back();
                       if (event == json::parse_event_t::object_end) names.pop_back();
                       if (event == json::parse_event_t::key) {
                         const auto& name = parsed.get_ref<const std::string&>();
                         if (!names.back().insert(name).second) {
                           errors.push_back(absl::StrCat(name, ": given twice"));
                         }
                       }
                       return true;
                     });
}

class JsonLinesReader final : public RecordReader {
 public:
  explicit JsonLinesReader(std::istream& in) : RecordReader(in) {}

  std::optional<FileRecord> Next() override {
    std::string text;
    while (std::getline(in_, text)) {
      offset_ += static_cast<int64_t>(text.size()) + 1;
      absl::string_view content = text;
      if (++line_ == 1) absl::ConsumePrefix(&content, kByteOrderMark);
      content = absl::StripAsciiWhitespace(content);
      if (content.empty()) continue;
      FileRecord record{.line = line_, .offset = offset_};
      FieldErrors errors;
      try {
        const json object = ParseJson(content, errors);
        SetFields(record.request, object, "", errors);
      } catch (const json::exception&) {
        errors = {"no JSON object in UTF-8"};
      }
      record.error = Joined(errors);
      if (record.error.empty() && record.request.record_case() == 0) {
        record.error = R"(want {"account": {...}} or {"service": {...}})";
      }
      return record;
    }
    return std::nullopt;
  }

 private:
  int64_t line_ = 0;
  int64_t offset_ = 0;
};

// A CSV column: the field that its cells are for, in each message that has it.
struct Column {
  std::string name;
  const FieldDescriptor* of_account;  // Null: an account has no such field.
  const FieldDescriptor* of_service;
  const FieldDescriptor* of_owner;
};

Column ColumnOf(const std::string& name) {
  Column column{name, v1::Account::descriptor()->FindFieldByName(name),
                v1::Service::descriptor()->FindFieldByName(name), nullptr};
  absl::string_view detail = name;
  if (absl::ConsumePrefix(&detail, kOwnerPrefix)) {
    column.of_owner = v1::Owner::descriptor()->FindFieldByName(std::string(detail));
  }
  return column;
}

class CsvRecordReader final : public RecordReader {
 public:
  explicit CsvRecordReader(std::istream& in) : RecordReader(in), rows_(in) {}

  std::optional<FileRecord> Next() override {
    std::vector<std::string> cells;
    if (!broken_header_ && columns_.empty()) {
      if (!rows_.Next(cells)) return std::nullopt;
      std::string error = ReadHeader(cells);
      if (!error.empty()) {
        broken_header_ = true;
        return FileRecord{.line = rows_.line(), .error = std::move(error)};
      }
    }
    if (broken_header_ || !rows_.Next(cells)) return std::nullopt;
    FileRecord record{.line = rows_.line(), .offset = rows_.offset(), .error = rows_.error()};
    if (record.error.empty()) record.error = ReadRow(cells, record.request);
    return record;
  }

 private:
  std::string ReadHeader(const std::vector<std::string>& names) {
    bool typed = false;
    for (const std::string& name : names) {
      if (std::count(names.begin(), names.end(), name) > 1) {
        return absl::StrCat("there are two columns \"", name, "\"; nothing was read");
      }
      columns_.push_back(ColumnOf(name));
      const Column& column = columns_.back();
      typed = typed || name == kType;
      with_owner_ = with_owner_ || column.of_owner != nullptr;
      if (name != kType && column.of_account == nullptr && column.of_service == nullptr &&
          column.of_owner == nullptr) {
        return absl::StrCat("there is no column \"", name, "\"; nothing was read");
      }
    }
    return typed ? "" : "no column is called type; want one with account or service in it";
  }

  std::string ReadRow(const std::vector<std::string>& cells, v1::ImportDirectoryRequest& request) {
    if (cells.size() != columns_.size()) {
      return absl::StrCat(cells.size(), " cells; want ", columns_.size());
    }
    std::string type;
    FieldErrors errors;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!IsUtf8(cells[i])) errors.push_back(columns_[i].name + ": not UTF-8");
      if (columns_[i].name == kType) type = cells[i];
    }
    if (!errors.empty()) return Joined(errors);
    if (type != "account" && type != "service")
      return absl::StrCat("type: \"", type, "\"; want account or service");
    if (type == "account") request.mutable_account();
    // A file with columns of the owner sets the whole owner: an empty cell clears its field.
    if (type == "service") request.mutable_service();
    if (type == "service" && with_owner_) request.mutable_service()->mutable_owner();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty() || columns_[i].name == kType) continue;
      const std::string error = SetCell(request, columns_[i], cells[i]);
      if (!error.empty()) errors.push_back(absl::StrCat(columns_[i].name, ": ", error));
    }
    return Joined(errors);
  }

  static std::string SetCell(v1::ImportDirectoryRequest& request, const Column& column,
                             const std::string& cell) {
    Message* message = nullptr;
    const FieldDescriptor* field = column.of_account;
    if (request.has_account()) {
      message = request.mutable_account();
    } else {
      field = column.of_service != nullptr ? column.of_service : column.of_owner;
      message = request.mutable_service();
      if (field == column.of_owner) message = request.mutable_service()->mutable_owner();
    }
    if (field == nullptr) return "a record of this type has no such field";
    if (field->message_type() != nullptr) return "";  // A time: the server alone sets it.
    if (!field->is_repeated()) return SetString(*message, *field, cell);
    for (const auto line : absl::StrSplit(cell, '\n')) {
      SetString(*message, *field, std::string(absl::StripSuffix(line, "\r")));
    }
    return "";
  }

  CsvReader rows_;
  std::vector<Column> columns_;
  bool with_owner_ = false;
  bool broken_header_ = false;
};

template <typename Record>
Record WithoutServerFields(Record record) {
  record.clear_etag();
  record.clear_create_time();
  record.clear_update_time();
  return record;
}

void WriteJsonLine(const v1::ImportDirectoryRequest& record, std::ostream& out) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  if (!google::protobuf::util::MessageToJsonString(record, &line, options).ok()) {
    out.setstate(std::ios::failbit);
    return;
  }
  out << line << '\n';
}

}  // namespace

std::unique_ptr<RecordReader> ReadRecords(std::istream& in, RecordFormat format) {
  if (format == RecordFormat::kCsv) return std::make_unique<CsvRecordReader>(in);
  return std::make_unique<JsonLinesReader>(in);
}

void WriteRecord(v1::Account account, std::ostream& out) {
  v1::ImportDirectoryRequest record;
  *record.mutable_account() = WithoutServerFields(std::move(account));
  WriteJsonLine(record, out);
}

void WriteRecord(v1::Service service, std::ostream& out) {
  v1::ImportDirectoryRequest record;
  *record.mutable_service() = WithoutServerFields(std::move(service));
  WriteJsonLine(record, out);
}

}  // namespace contacts::client
