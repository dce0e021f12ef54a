#include "client/web/view.h"

#include <ctemplate/template.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "client/lib/errors.h"
#include "client/lib/time_text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"

namespace contacts::web {
namespace {

using google::protobuf::Timestamp;

constexpr const char* kTemplates[] = {"layout",  "sign_in", "contacts", "change",
                                      "check",   "actions", "requests", "request",
                                      "profile", "message", "mail"};
constexpr char kReason[] = "ERROR_REASON_";

// The text between the quotation marks of a line of a catalogue.
std::string Quoted(absl::string_view line) {
  const std::size_t begin = line.find('"');
  const std::size_t end = line.rfind('"');
  if (begin == absl::string_view::npos || end <= begin) return "";
  return absl::StrReplaceAll(line.substr(begin + 1, end - begin - 1),
                             {{"\\n", "\n"}, {"\\\"", "\""}, {"\\\\", "\\"}});
}

}  // namespace

Words::Words(std::string tag, std::string name) : tag_(std::move(tag)), name_(std::move(name)) {
  std::string id;
  bool of_id = false;
  for (const absl::string_view line : absl::StrSplit(Embedded(tag_ + ".po"), '\n')) {
    if (absl::StartsWith(line, "msgid")) id.clear();
    if (absl::StartsWith(line, "msg")) of_id = absl::StartsWith(line, "msgid");
    if (!absl::StartsWith(line, "#")) (of_id ? id : texts_[id]) += Quoted(line);
  }
}

std::string Words::operator()(const std::string& id, const std::vector<std::string>& values) const {
  const auto found = texts_.find(id);
  std::vector<std::pair<std::string, std::string>> places;
  for (const std::string& value : values) {
    places.emplace_back(absl::StrCat("$", places.size()), value);
  }
  return absl::StrReplaceAll(found == texts_.end() ? id : found->second, places);
}

std::string Words::Translated(absl::string_view page) const {
  std::string whole;
  const std::vector<absl::string_view> parts = absl::StrSplit(page, "[[");
  for (const absl::string_view part : parts) {
    const std::size_t end = part.find("]]");
    if (end == absl::string_view::npos) {
      absl::StrAppend(&whole, part);
      continue;
    }
    const std::string text = (*this)(std::string(part.substr(0, end)));
    absl::StrAppend(&whole,
                    absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {"\"", "&quot;"}}),
                    part.substr(end + 2));
  }
  return whole;
}

const std::vector<Words>& Languages() {
  static const auto* const kLanguages =
      new std::vector<Words>{{"en", "English"}, {"fr", "Français"}};
  return *kLanguages;
}

const Words* LanguageOf(absl::string_view tags) {
  for (const absl::string_view tag : absl::StrSplit(tags, absl::ByAnyChar(", "))) {
    const std::string lower = absl::AsciiStrToLower(tag.substr(0, tag.find_first_of("-;")));
    for (const Words& language : Languages()) {
      if (language.tag() == lower) return &language;
    }
  }
  return nullptr;
}

std::string LoadTemplates() {
  for (const Words& language : Languages()) {
    for (const char* name : kTemplates) {
      std::string key = absl::StrCat(language.tag(), "/", name);
      const std::string text =
          language.Translated(Embedded(absl::StrCat("templates/", name, ".html")));
      if (text.empty() ||
          !ctemplate::StringToTemplateCache(key, text, ctemplate::STRIP_BLANK_LINES)) {
        return key;
      }
    }
  }
  return "";
}

void Fill(ctemplate::TemplateDictionary& dictionary, const google::protobuf::Message& message,
          const Words& say) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& values = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  values.ListFields(message, &fields);
  std::map<std::string, std::string> texts = {{"$actor", say("The support desk")}};
  for (const FieldDescriptor* field : fields) {
    const std::string name = absl::AsciiStrToUpper(field->name());
    dictionary.ShowSection("HAS_" + name);
    const bool is_message = field->message_type() != nullptr;
    if (field->is_repeated()) {
      for (int i = 0; is_message && i < values.FieldSize(message, field); ++i) {
        Fill(Add(dictionary, name.c_str()), values.GetRepeatedMessage(message, field, i), say);
      }
    } else if (field->type() == FieldDescriptor::TYPE_STRING) {
      texts["$" + field->name()] = values.GetString(message, field);
      dictionary.SetValue(name, texts["$" + field->name()]);
    } else if (is_message && field->message_type() == Timestamp::descriptor()) {
      const auto& time = static_cast<const Timestamp&>(values.GetMessage(message, field));
      texts["$" + field->name()] = DateAndTime(client::ToTime(time), say);
      dictionary.SetValue(name, texts["$" + field->name()]);
    } else if (is_message) {
      Fill(Add(dictionary, name.c_str()), values.GetMessage(message, field), say);
    }
  }
  for (const FieldDescriptor* field : fields) {
    if (field->enum_type() == nullptr || field->is_repeated()) continue;
    const std::string& value = values.GetEnum(message, field)->name();
    const std::string name = absl::AsciiStrToUpper(field->name());
    dictionary.SetValue(name, absl::StrReplaceAll(say(value), texts));
    dictionary.SetValue(name + "_NAME", value);
  }
}

ctemplate::TemplateDictionary& Include(ctemplate::TemplateDictionary& parent, const char* place,
                                       const std::string& name, const Words& say) {
  ctemplate::TemplateDictionary& included = *parent.AddIncludeDictionary(place);
  included.SetFilename(absl::StrCat(say.tag(), "/", name));
  return included;
}

std::string Expand(const std::string& name, const Words& say,
                   const ctemplate::TemplateDictionary& dictionary) {
  std::string text;
  ctemplate::ExpandTemplate(absl::StrCat(say.tag(), "/", name), ctemplate::STRIP_BLANK_LINES,
                            &dictionary, &text);
  return text;
}

std::string Matter(const v1::ContactChange& change, const Words& say) {
  if (change.items().empty()) return say("No service");
  const std::string& first = change.items(0).service();
  std::vector<std::string> roles;
  for (const v1::ContactChangeItem& item : change.items()) {
    if (item.service() == first) roles.push_back(say(v1::ContactRole_Name(item.role())));
  }
  const int more = change.item_count() - static_cast<int>(roles.size());
  return absl::StrCat(first, " (", absl::StrJoin(roles, ", "), ")",
                      more > 0 ? say(" and $0 more", {absl::StrCat(more)}) : "");
}

std::string DateAndTime(absl::Time time, const Words& say) {
  const auto part = [&](const char* format) {
    return absl::FormatTime(format, time, absl::UTCTimeZone());
  };
  const std::string day(absl::StripLeadingAsciiWhitespace(part("%e")));
  return say("$0 $1 $2 $3 at $4 UTC",
             {say(part("%A")), day, say(part("%B")), part("%Y"), part("%H:%M")});
}

std::string Wait(absl::Duration wait, const Words& say) {
  const auto in = [&](absl::Duration unit) {
    return absl::StrCat(absl::IDivDuration(absl::Ceil(wait, unit), unit, &wait));
  };
  if (wait <= absl::Seconds(90)) return say("$0 s", {in(absl::Seconds(1))});
  if (wait <= absl::Minutes(90)) return say("$0 min", {in(absl::Minutes(1))});
  return say("$0 h", {in(absl::Hours(1))});
}

std::string Sentence(const grpc::Status& status, const Words& say) {
  if (status.ok()) return "";
  const client::Failure failure = client::ExplainFailure(status, {});
  const auto metadata = [&](const char* key) {
    const auto found = failure.metadata.find(key);
    return found == failure.metadata.end() ? "" : found->second;
  };
  const std::string& reason = failure.reason;
  std::string id = kReason + reason;
  if (reason == "INVALID_FIELD") {
    for (const client::Violation& violation : failure.fields) {
      const std::string field = "field " + violation.where.substr(violation.where.rfind('.') + 1);
      if (say.Has(field)) return say(field);
    }
  }
  if (metadata("superseded") == "true") id += " superseded";
  if (reason == "QUOTA_EXCEEDED" && failure.retry_after) id += " wait";
  // Without a reason, the server was not reached or did not answer.
  if (!say.Has(id)) {
    const bool late = failure.code == grpc::StatusCode::DEADLINE_EXCEEDED;
    id = absl::StrCat(kReason, late ? "DEADLINE_EXCEEDED" : "UNAVAILABLE");
  }
  std::string detail = metadata(reason == "ACCOUNT_NOT_FOUND" ? "account" : "incident");
  if (reason == "CHANGE_CLOSED") {
    detail = say("CONTACT_CHANGE_STATE_" + absl::AsciiStrToUpper(metadata("state")));
  }
  for (const client::Violation& violation : failure.preconditions) {
    absl::StrAppend(&detail, detail.empty() ? "" : ", ", violation.where);
  }
  return say(id, {detail, Wait(failure.retry_after.value_or(absl::Minutes(1)), say)});
}

std::string RowSentence(absl::string_view description, const std::string& new_contact,
                        const Words& say) {
  std::string id = absl::StrCat(kReason, description.substr(0, description.find(':')));
  if (say.Has(id + " row")) id += " row";
  return say(say.Has(id) ? id : "field new_contact", {new_contact});
}

}  // namespace contacts::web
