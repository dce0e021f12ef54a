#ifndef CONTACTS_CLIENT_WEB_VIEW_H_
#define CONTACTS_CLIENT_WEB_VIEW_H_

// ctemplate's headers use strlen without including it.
#include <cstring>

#include <ctemplate/template_dictionary.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "contacts/v1/contacts.pb.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/status.h"

namespace contacts::web {

// The templates, styles, script and catalogues of this folder, by their names.
const std::map<std::string, absl::string_view>& Embedded();

// Marks an English text that is translated later. web_words_test compares these, and those that
// say("...") translates, with the catalogues.
constexpr const char* Text(const char* english) { return english; }

// One language of the pages: a catalogue of gettext's form. Its ids are the English texts, and the
// names of the contract's values, such as CONTACT_ROLE_TECH and ERROR_REASON_TOKEN_INVALID.
class Words {
 public:
  // Also loads the templates, with each [[text]] in this language.
  Words(std::string tag, std::string name);

  const std::string& tag() const { return tag_; }    // Such as "fr".
  const std::string& name() const { return name_; }  // In the language itself.
  // The text of `id` in this language, with the values' names, such as $wait, replaced; `id` if the
  // catalogue lacks it.
  using Values = std::map<std::string, std::string>;
  std::string operator()(const std::string& id, const Values& values = {}) const;
  bool Has(const std::string& id) const { return texts_.contains(id); }

 private:
  const std::string tag_;
  const std::string name_;
  Values texts_;
};

// Every language, English first.
const std::vector<Words>& Languages();
// The language for a tag such as "fr-CH", or for the first tag of an Accept-Language header that
// has one; null if there is none.
const Words* LanguageOf(absl::string_view tags);

// Sets values, each after its name.
inline void Set(ctemplate::TemplateDictionary&) {}
template <typename... Rest>
void Set(ctemplate::TemplateDictionary& dictionary, const char* name, const std::string& value,
         const Rest&... rest) {
  dictionary.SetValue(name, value);
  Set(dictionary, rest...);
}
// Shows a section once more, with these values.
template <typename... Values>
ctemplate::TemplateDictionary& Add(ctemplate::TemplateDictionary& parent, const char* section,
                                   const Values&... values) {
  ctemplate::TemplateDictionary& added = *parent.AddSectionDictionary(section);
  Set(added, values...);
  return added;
}
// Sets a value for each field of `message` that is set, named like the field in upper case, and
// shows the section HAS_FIELD. Messages in it are sections. Times and values of enumerations are in
// words, which may have other fields in them as $field; FIELD_NAME is the contract's name of the
// value.
void Fill(ctemplate::TemplateDictionary& dictionary, const google::protobuf::Message& message,
          const Words& say);
// Shows the template NAME.html where the parent has {{>PLACE}}.
ctemplate::TemplateDictionary& Include(ctemplate::TemplateDictionary& parent, const char* place,
                                       const std::string& name, const Words& say);
std::string Expand(const std::string& name, const Words& say,
                   const ctemplate::TemplateDictionary& dictionary);

// The services and roles of a change: "example.com (technical)", "example.com (billing) and 2
// more".
std::string Matter(const v1::ContactChange& change, const Words& say);
// As the e-mails write it.
std::string DateAndTime(absl::Time time, const Words& say);
// Rounded up to whole seconds, minutes or hours.
std::string Wait(absl::Duration wait, const Words& say);
// Why a call failed, and what the person can do. Empty for OK.
std::string Sentence(const grpc::Status& status, const Words& say);
// The same for one row of a request. `description` begins with the reason, if it has one.
std::string RowSentence(absl::string_view description, const std::string& new_contact,
                        const Words& say);

}  // namespace contacts::web

#endif  // CONTACTS_CLIENT_WEB_VIEW_H_
