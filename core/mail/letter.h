#ifndef CONTACTS_CORE_MAIL_LETTER_H_
#define CONTACTS_CORE_MAIL_LETTER_H_

#include <string>
#include <utility>
#include <vector>

#include "core/mail/texts.h"

namespace contacts {

// What an e-mail says, before it is written as text or as HTML.
struct Letter {
  struct Block {
    enum class Kind { kParagraph, kList, kCode, kQuote, kButton, kSmallPrint };
    Kind kind = Kind::kParagraph;
    std::string text;                 // The label, for kCode, kQuote and kButton.
    std::vector<std::string> lines;   // kList.
    std::string value;                // The code, the quotation or the link.
    bool primary = false;             // kButton.
  };

  Language language = Language::kEnglish;
  std::string subject;
  std::vector<Block> blocks;

  void Say(std::string text) { blocks.push_back({.text = std::move(text)}); }
  void List(std::vector<std::string> lines) {
    blocks.push_back({.kind = Block::Kind::kList, .lines = std::move(lines)});
  }
  void Add(Block::Kind kind, std::string label, std::string value, bool primary = false) {
    blocks.push_back(
        {.kind = kind, .text = std::move(label), .value = std::move(value), .primary = primary});
  }
};

std::string WriteText(const Letter& letter);
// Everything that is filled in is escaped.
std::string WriteHtml(const Letter& letter);

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_LETTER_H_
