#include "client/web/view.h"

#include <ctemplate/template.h>
#include <re2/re2.h>

#include <algorithm>
#include <stdexcept>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "client/lib/errors.h"
#include "client/lib/time_text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"

namespace contacts::web {
namespace {

constexpr char kReason[] = "ERROR_REASON_";

// A template with each [[text]] in a language, and with the token in each form that is sent.
std::string Translated(absl::string_view page, const Words& say) {
  const std::vector<absl::string_view> parts = absl::StrSplit(page, "[[");
  std::string whole(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::pair<std::string, absl::string_view> halves =
        absl::StrSplit(parts[i], absl::MaxSplits("]]", 1));
    absl::StrAppend(
        &whole,
        absl::StrReplaceAll(say(halves.first), {{"&", "&amp;"}, {"<", "&lt;"}, {"\"", "&quot;"}}),
        halves.second);
  }
  RE2::GlobalReplace(&whole, R"(<form [^>]*method="post"[^>]*>)",
                     R"(\0<input type="hidden" name="form" value="{{FORM_TOKEN}}">)");
  return whole;
}

}  // namespace

Words::Words(const std::string& its_tag, const std::string& its_name)
    : tag(its_tag), name(its_name) {
  std::string id;
  bool of_id = false;
  const std::vector<std::string> lines = absl::StrSplit(Embedded().at(tag + ".po"), '\n');
  for (const std::string& line : lines) {
    std::string key;
    std::string text;
    if (!RE2::FullMatch(line, R"re((msgid |msgstr |)"(.*)")re", &key, &text)) continue;
    if (!key.empty()) of_id = key == "msgid ";
    if (key == "msgid ") id.clear();
    absl::CUnescape(text, &text);
    (of_id ? id : texts[id]) += text;
  }
  for (const auto& [file, content] : Embedded()) {
    std::string page;
    if (!RE2::FullMatch(file, R"(templates/(\w+)\.html)", &page)) continue;
    if (!ctemplate::StringToTemplateCache(absl::StrCat(tag, "/", page), Translated(content, *this),
                                          ctemplate::STRIP_BLANK_LINES)) {
      throw std::logic_error(file);
    }
  }
}

std::string Words::operator()(const std::string& id, const Values& values) const {
  const auto found = texts.find(id);
  return absl::StrReplaceAll(found == texts.end() ? id : found->second, values);
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
      if (language.tag == lower) return &language;
    }
  }
  return nullptr;
}

void Fill(ctemplate::TemplateDictionary& dictionary, const google::protobuf::Message& message,
          const Words& say, const std::string& me) {
  using google::protobuf::FieldDescriptor;
  using google::protobuf::Timestamp;
  const google::protobuf::Reflection& values = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  values.ListFields(message, &fields);
  Words::Values texts = {{"$actor", say("The support desk")}};
  for (const FieldDescriptor* field : fields) {
    const std::string name = absl::AsciiStrToUpper(field->name());
    std::string& text = texts["$" + field->name()];
    dictionary.ShowSection("HAS_" + name);
    const bool is_message = field->message_type() != nullptr;
    if (field->is_repeated()) {
      for (int i = 0; is_message && i < values.FieldSize(message, field); ++i) {
        Fill(Add(dictionary, name), values.GetRepeatedMessage(message, field, i), say, me);
      }
    } else if (field->type() == FieldDescriptor::TYPE_STRING) {
      text = values.GetString(message, field);
      dictionary.ShowSection(name + (text == me ? "_MINE" : "_OTHER"));
    } else if (is_message && field->message_type() == Timestamp::descriptor()) {
      const absl::Time time =
          client::ToTime(static_cast<const Timestamp&>(values.GetMessage(message, field)));
      const absl::Duration wait = std::max(time - absl::Now(), absl::ZeroDuration());
      text = DateAndTime(time, say);
      dictionary.ShowSection(name + (wait > absl::ZeroDuration() ? "_FUTURE" : "_PAST"));
      dictionary.SetValue(name + "_WAIT", say("in $wait", {{"$wait", Wait(wait, say)}}));
    } else if (is_message) {
      Fill(Add(dictionary, name), values.GetMessage(message, field), say, me);
    }
    dictionary.SetValue(name, text);
  }
  for (const FieldDescriptor* field : fields) {
    if (field->enum_type() == nullptr || field->is_repeated()) continue;
    const std::string& value = values.GetEnum(message, field)->name();
    const std::string name = absl::AsciiStrToUpper(field->name());
    dictionary.ShowSection(value);
    dictionary.SetValue(name, say(value, texts));
    dictionary.SetValue(name + "_NAME", value);
  }
}

void Set(ctemplate::TemplateDictionary& dictionary, const Words::Values& values) {
  for (const auto& [name, value] : values) dictionary.SetValue(name, value);
}

ctemplate::TemplateDictionary& Add(ctemplate::TemplateDictionary& parent,
                                   const std::string& section, const Words::Values& values) {
  ctemplate::TemplateDictionary& added = *parent.AddSectionDictionary(section);
  Set(added, values);
  return added;
}

ctemplate::TemplateDictionary& Include(ctemplate::TemplateDictionary& parent, const char* place,
                                       const std::string& name, const Words& say) {
  ctemplate::TemplateDictionary& included = *parent.AddIncludeDictionary(place);
  included.SetFilename(absl::StrCat(say.tag, "/", name));
  return included;
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
                      more > 0 ? say(" and $count more", {{"$count", absl::StrCat(more)}}) : "");
}

std::string DateAndTime(absl::Time time, const Words& say) {
  const auto part = [&](const std::string& format) {
    return absl::FormatTime(format, time, absl::UTCTimeZone());
  };
  const std::string day(absl::StripLeadingAsciiWhitespace(part("%e")));
  return part(say("%A %e %B %Y at %R UTC",
                  {{"%A", say(part("%A"))}, {"%e", day}, {"%B", say(part("%B"))}}));
}

std::string Wait(absl::Duration wait, const Words& say) {
  return absl::StrReplaceAll(client::InWords(absl::Ceil(wait, absl::Seconds(1))),
                             {{" d", say(" d")}});
}

std::string Sentence(const grpc::Status& status, const Words& say) {
  if (status.ok()) return "";
  const client::Failure failure = client::ExplainFailure(status, {});
  const std::string& reason = failure.reason;
  for (const client::Violation& violation : failure.fields) {
    const std::string field = "field " + violation.where.substr(violation.where.rfind('.') + 1);
    if (reason == "INVALID_FIELD" && say.Has(field)) return say(field);
  }
  Words::Values values = {{"$account", ""}, {"$incident", ""}};
  for (const auto& [key, value] : failure.metadata) values["$" + key] = value;
  values["$state"] = say("CONTACT_CHANGE_STATE_" + absl::AsciiStrToUpper(values["$state"]));
  values["$wait"] = Wait(failure.retry_after.value_or(absl::Minutes(1)), say);
  std::string& subjects = values["$subjects"];
  for (const client::Violation& violation : failure.preconditions) {
    absl::StrAppend(&subjects, subjects.empty() ? "" : ", ", violation.where);
  }
  std::string id = kReason + reason;
  if (values["$superseded"] == "true") id += " superseded";
  if (reason == "QUOTA_EXCEEDED" && failure.retry_after) id += " wait";
  // Without a reason, the server was not reached or did not answer.
  const bool late = failure.code == grpc::StatusCode::DEADLINE_EXCEEDED;
  if (!say.Has(id)) id = absl::StrCat(kReason, late ? "DEADLINE_EXCEEDED" : "UNAVAILABLE");
  return say(id, values);
}

std::string RowSentence(absl::string_view description, const std::string& new_contact,
                        const Words& say) {
  std::string id = absl::StrCat(kReason, description.substr(0, description.find(':')));
  if (say.Has(id + " row")) id += " row";
  return say(say.Has(id) ? id : "field new_contact", {{"$account", new_contact}});
}

}  // namespace contacts::web
