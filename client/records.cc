#include "client/records.h"

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
#include "client/csv.h"
#include "client/text.h"
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

// Sets one value given as text. Returns what is wrong with it, "" for nothing.
std::string SetText(Message& message, const FieldDescriptor& field, const std::string& text) {
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
      return absl::StrCat("\"", text, "\" is no ", field.enum_type()->name());
    }
    reflection.SetEnum(&message, &field, value);
    return "";
  }
  return "want no text";
}

// What is wrong with a record: "PATH: what was wanted" for each field.
using Wrong = std::vector<std::string>;

std::string TextOf(const Wrong& wrong) { return absl::StrJoin(wrong, "; "); }

void SetFields(Message& message, const json& object, const std::string& path, Wrong& wrong);

// `path` names the field.
void SetField(Message& message, const FieldDescriptor& field, const json& value,
              const std::string& path, Wrong& wrong) {
  const auto want = [&](const char* wanted) {
    wrong.push_back(absl::StrCat(path, ": want ", wanted));
  };
  // Only the server sets times. Its own answers may be given back.
  if (value.is_null() || field.message_type() == google::protobuf::Timestamp::descriptor()) return;
  if (field.message_type() != nullptr) {
    SetFields(*message.GetReflection()->MutableMessage(&message, &field), value, path, wrong);
    return;
  }
  if (field.is_repeated() && !value.is_array()) return want("a list");
  for (const json& item : field.is_repeated() ? value : json::array({value})) {
    if (!item.is_string()) return want(field.is_repeated() ? "a list of texts" : "text in quotes");
    const std::string error = SetText(message, field, item.get_ref<const std::string&>());
    if (!error.empty()) wrong.push_back(absl::StrCat(path, ": ", error));
  }
}

// `path` names the object that `message` stands for; empty for the whole record.
void SetFields(Message& message, const json& object, const std::string& path, Wrong& wrong) {
  if (!object.is_object()) {
    wrong.push_back(absl::StrCat(path, path.empty() ? "" : ": ", "want a JSON object"));
    return;
  }
  for (const auto& [name, value] : object.items()) {
    const std::string inner = absl::StrCat(path, path.empty() ? "" : ".", name);
    const auto* field = message.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr) {
      wrong.push_back(absl::StrCat(inner, ": there is no such field"));
    } else {
      SetField(message, *field, value, inner, wrong);
    }
  }
}

// Parses JSON. A name that an object has twice is wrong: two readers could take either.
json ParseJson(absl::string_view text, Wrong& wrong) {
  std::vector<std::set<std::string>> names;
  return json::parse(text.begin(), text.end(),
                     [&](int /*depth*/, json::parse_event_t event, json& parsed) {
                       if (event == json::parse_event_t::object_start) names.emplace_back();
                       if (event == json::parse_event_t::object_end) names.pop_back();
                       if (event == json::parse_event_t::key) {
                         const auto& name = parsed.get_ref<const std::string&>();
                         if (!names.back().insert(name).second) {
                           wrong.push_back(absl::StrCat(name, ": given twice"));
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
      Wrong wrong;
      try {
        const json object = ParseJson(content, wrong);
        SetFields(record.request, object, "", wrong);
      } catch (const json::exception&) {
        wrong = {"no JSON object in UTF-8"};
      }
      record.error = TextOf(wrong);
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

// A CSV column, as the message that it belongs to and the field there.
struct Column {
  std::string name;
  const FieldDescriptor* of_account;  // Null where an account has none such.
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

// What a file is written with, in this order.
const std::vector<Column>& Columns() {
  static const auto& columns = *[] {
    auto* made = new std::vector<Column>;
    for (const char* name :
         {"id", "email", "language_code", "billing_standing", "kind", "admin", "tech", "billing",
          "owner_name", "owner_organisation", "owner_email", "owner_phone", "owner_address_lines",
          "owner_city", "owner_postal_code", "owner_country_code"}) {
      made->push_back(ColumnOf(name));
    }
    return made;
  }();
  return columns;
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
        return absl::StrCat("there are two columns \"", Printable(name), "\"; nothing was read");
      }
      columns_.push_back(ColumnOf(name));
      const Column& column = columns_.back();
      typed = typed || name == kType;
      with_owner_ = with_owner_ || column.of_owner != nullptr;
      if (name != kType && column.of_account == nullptr && column.of_service == nullptr &&
          column.of_owner == nullptr) {
        return absl::StrCat("there is no column \"", Printable(name), "\"; nothing was read");
      }
    }
    return typed ? "" : "no column is called type; want account or service in it";
  }

  std::string ReadRow(const std::vector<std::string>& cells, v1::ImportDirectoryRequest& request) {
    if (cells.size() != columns_.size()) {
      return absl::StrCat(cells.size(), " cells; want ", columns_.size());
    }
    std::string type;
    Wrong wrong;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!IsUtf8(cells[i])) wrong.push_back(columns_[i].name + ": not UTF-8");
      if (columns_[i].name == kType) type = cells[i];
    }
    if (!wrong.empty()) return TextOf(wrong);
    if (type != "account" && type != "service") return "type: want account or service";
    if (type == "account") request.mutable_account();
    // The owner's columns are there: what they leave empty is empty.
    if (type == "service") request.mutable_service();
    if (type == "service" && with_owner_) request.mutable_service()->mutable_owner();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty() || columns_[i].name == kType) continue;
      const std::string error = SetCell(request, columns_[i], cells[i]);
      if (!error.empty()) wrong.push_back(absl::StrCat(columns_[i].name, ": ", error));
    }
    return TextOf(wrong);
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
    if (field == nullptr) return "a record of this type has none";
    if (field->message_type() != nullptr) return "";  // Only the server sets it.
    if (!field->is_repeated()) return SetText(*message, *field, cell);
    for (const auto line : absl::StrSplit(cell, '\n')) {
      SetText(*message, *field, std::string(absl::StripSuffix(line, "\r")));
    }
    return "";
  }

  CsvReader rows_;
  std::vector<Column> columns_;
  bool with_owner_ = false;
  bool broken_header_ = false;
};

std::string CellOf(const Message& message, const FieldDescriptor* field) {
  if (field == nullptr) return "";
  const auto& reflection = *message.GetReflection();
  if (field->is_repeated()) {
    return absl::StrJoin(reflection.GetRepeatedFieldRef<std::string>(message, field), "\n");
  }
  if (field->type() == FieldDescriptor::TYPE_ENUM) {
    const auto* value = reflection.GetEnum(message, field);
    return value->number() == 0 ? "" : value->name();
  }
  return reflection.GetString(message, field);
}

std::string CsvOf(const v1::ImportDirectoryRequest& record) {
  std::vector<std::string> cells = {record.has_account() ? "account" : "service"};
  for (const Column& column : Columns()) {
    if (record.has_account()) {
      cells.push_back(CellOf(record.account(), column.of_account));
    } else if (column.of_owner != nullptr) {
      cells.push_back(CellOf(record.service().owner(), column.of_owner));
    } else {
      cells.push_back(CellOf(record.service(), column.of_service));
    }
  }
  return CsvRow(cells);
}

}  // namespace

std::unique_ptr<RecordReader> ReadRecords(std::istream& in, RecordFormat format) {
  if (format == RecordFormat::kCsv) return std::make_unique<CsvRecordReader>(in);
  return std::make_unique<JsonLinesReader>(in);
}

RecordWriter::RecordWriter(std::ostream& out, RecordFormat format) : out_(out), format_(format) {
  if (format != RecordFormat::kCsv) return;
  std::vector<std::string> names = {kType};
  for (const Column& column : Columns()) names.push_back(column.name);
  out << CsvRow(names);
}

void RecordWriter::Write(v1::Account account) {
  account.clear_etag();
  account.clear_create_time();
  account.clear_update_time();
  v1::ImportDirectoryRequest record;
  *record.mutable_account() = std::move(account);
  WriteRecord(record);
}

void RecordWriter::Write(v1::Service service) {
  service.clear_etag();
  service.clear_create_time();
  service.clear_update_time();
  v1::ImportDirectoryRequest record;
  *record.mutable_service() = std::move(service);
  WriteRecord(record);
}

void RecordWriter::WriteRecord(const v1::ImportDirectoryRequest& record) {
  if (format_ == RecordFormat::kCsv) {
    out_ << CsvOf(record);
    return;
  }
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(record, &text, options).ok()) {
    out_.setstate(std::ios::failbit);
    return;
  }
  out_ << text << '\n';
}

}  // namespace contacts::client
