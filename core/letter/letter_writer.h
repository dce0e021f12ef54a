#ifndef CONTACTS_CORE_LETTER_LETTER_WRITER_H_
#define CONTACTS_CORE_LETTER_LETTER_WRITER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

// ctemplate's headers use strlen without including it.
#include <cstring>

#include <ctemplate/template_dictionary.h>

#include "absl/strings/string_view.h"
#include "core/domain/ids.h"
#include "core/letter/brand.h"
#include "core/letter/catalogue.h"

namespace contacts {

// The content of an e-mail, in one language. `content` has the names that templates use
// (core/letter/README.md); its values are not escaped, because templates escape them.
struct Letter {
  std::string subject;
  std::unique_ptr<ctemplate::TemplateDictionary> content;
};

// A link that contains the token.
struct TokenLink {
  std::string url;
  Message button;    // Its text in HTML.
  Message sentence;  // Its introduction in plain text.
};

// One service in a list.
struct ListRow {
  std::vector<std::string> details;  // Its roles in one text, or the holder of each role.
  std::vector<std::string> reasons;  // Why items were skipped.
};
using ListRows = std::map<ServiceId, ListRow>;

// Puts an e-mail together, block by block.
class LetterWriter {
 public:
  explicit LetterWriter(const Catalogue& say)
      : say_(say), content_(std::make_unique<Dictionary>("letter")) {}

  void Subject(const std::string& subject) { subject_ = subject; }
  void Title(const Message& title);
  void Paragraph(const std::vector<Message>& sentences);
  // Less prominent than a paragraph.
  void Aside(const std::vector<Message>& sentences);
  // Text that a person wrote.
  void Quote(const Message& heading, const std::string& words);
  // The token and the links that contain it, one or two. `until`: when it expires.
  void Code(const Message& heading, const std::string& token, const std::vector<TokenLink>& links,
            const Message& until);
  // The first 20 services of `rows`, and how many more there are of `total`.
  void List(const Message& heading, const ListRows& rows, std::size_t total);
  void Footer(const Message& line);

  Letter Finish(const Brand& brand);

 private:
  using Dictionary = ctemplate::TemplateDictionary;

  Dictionary& Block(const ctemplate::StaticTemplateString& kind);
  void AddParts(Dictionary& to, const std::vector<Message>& sentences);
  void SetHeading(Dictionary& block, const Message& heading);

  const Catalogue& say_;
  std::string subject_;
  std::unique_ptr<Dictionary> content_;
};

// The number of services that an e-mail lists.
inline constexpr std::size_t kListedServices = 20;

// Makes text that a person wrote safe to show. Removes control characters and marks that change
// the direction of writing. Keeps line breaks.
std::string Displayable(absl::string_view text);

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_LETTER_WRITER_H_
