#ifndef CONTACTS_CLIENT_WEB_VIEW_H_
#define CONTACTS_CLIENT_WEB_VIEW_H_

// ctemplate's headers use strlen without including it.
#include <cstring>

#include <ctemplate/template_dictionary.h>

#include <map>
#include <string>
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
struct Words {
  using Values = std::map<std::string, std::string>;

  // Also loads the templates, with each [[text]] in this language.
  Words(const std::string& its_tag, const std::string& its_name);

  // The text of `id` in this language, with the values' names, such as $wait, replaced; `id` if the
  // catalogue lacks it.
  std::string operator()(const std::string& id, const Values& values = {}) const;
  bool Has(const std::string& id) const { return texts.contains(id); }

  const std::string tag;   // Such as "fr".
  const std::string name;  // In the language itself.
  Values texts{};
};

// Every language, English first.
const std::vector<Words>& Languages();
// The language for a tag such as "fr-CH", or for the first tag of an Accept-Language header that
// has one; null if there is none.
const Words* LanguageOf(absl::string_view tags);

void Set(ctemplate::TemplateDictionary& dictionary, const Words::Values& values);
// Shows a section once more, with these values.
ctemplate::TemplateDictionary& Add(ctemplate::TemplateDictionary& parent,
                                   const std::string& section, const Words::Values& values = {});
// Sets a value for each field of `message` that is set, named like the field in upper case, and
// shows the section HAS_FIELD. Messages in it are sections.
// - An account's id shows FIELD_MINE if it is `me`, else FIELD_OTHER.
// - A time is in words. It shows FIELD_PAST or FIELD_FUTURE; FIELD_WAIT says how long until then.
// - The value of an enumeration is in words, which may have other fields in them as $field. The
//   section of its name in the contract is shown, which FIELD_NAME is too.
void Fill(ctemplate::TemplateDictionary& dictionary, const google::protobuf::Message& message,
          const Words& say, const std::string& me);
// Shows the template NAME.html where the parent has {{>PLACE}}.
ctemplate::TemplateDictionary& Include(ctemplate::TemplateDictionary& parent, const char* place,
                                       const std::string& name, const Words& say);

// The services and roles of a change: "example.com (technical)", "example.com (billing) and 2
// more".
std::string Matter(const v1::ContactChange& change, const Words& say);
// As the e-mails write it.
std::string DateAndTime(absl::Time time, const Words& say);
// Such as "1 h 5 min". Rounded up to whole seconds.
std::string Wait(absl::Duration wait, const Words& say);
// Why a call failed, and what the person can do. Empty for OK.
std::string Sentence(const grpc::Status& status, const Words& say);
// The same for one row of a request. `description` begins with the reason, if it has one.
std::string RowSentence(absl::string_view description, const std::string& new_contact,
                        const Words& say);

}  // namespace contacts::web

#endif  // CONTACTS_CLIENT_WEB_VIEW_H_
