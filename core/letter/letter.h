#ifndef CONTACTS_CORE_LETTER_LETTER_H_
#define CONTACTS_CORE_LETTER_LETTER_H_

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/letter/texts.h"

// The content of an e-mail, before it is written as plain text or as HTML. All of it is plain
// text. Both writers escape user text themselves.
namespace contacts {

// A sentence with values in it. HTML shows the values in bold.
struct Phrase {
  Phrase() = default;
  Phrase(const char* text, std::vector<std::string> with = {})
      : format(text), values(std::move(with)) {}

  const char* format = "";
  std::vector<std::string> values;
};

struct Paragraph {
  std::vector<Phrase> sentences;
  bool aside = false;  // Less prominent than the rest.
};

// One service in a list.
struct ListRow {
  std::string service;
  std::vector<std::string> details;  // Its roles in one text, or the holder of each role.
  std::vector<std::string> reasons;  // Why items were skipped.
};
struct List {
  std::string heading;
  std::vector<ListRow> rows;
  std::string more;  // "and 280 more services (300 in all)", or empty.
};

// Text that a person wrote.
struct Quote {
  std::string heading;
  std::string words;
};

// A link that contains the token.
struct TokenLink {
  std::string url;
  std::string button;    // Its text in HTML.
  std::string sentence;  // Its introduction in plain text.
};

// The token and the links that contain it, one or two.
struct TokenBox {
  std::string label;
  std::string token;
  std::vector<TokenLink> links;
  Phrase until;
};

using Block = std::variant<Paragraph, List, Quote, TokenBox>;

struct Letter {
  Language language = Language::kEnglish;
  std::string subject;
  std::string title;
  std::vector<Block> blocks;
  std::vector<Phrase> footer;
};

// The body of the e-mail, in UTF-8 with LF. Pure.
std::string WritePlainText(const Letter& letter);
std::string WriteHtml(const Letter& letter);

// Makes text that a person wrote safe to show. Removes control characters and marks that change
// the direction of writing. Keeps line breaks.
std::string Displayable(absl::string_view text);

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_LETTER_H_
