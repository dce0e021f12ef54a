#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/utf8.h"
#include "core/letter/letter.h"

namespace contacts {
namespace {

// Length in characters of UTF-8 text.
std::size_t CharacterCount(absl::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += IsContinuationByte(c) ? 0 : 1;
  return count;
}

std::string Sentences(const std::vector<Phrase>& sentences) {
  return absl::StrJoin(sentences, " ", [](std::string* out, const Phrase& phrase) {
    out->append(FillIn(phrase.format, phrase.values));
  });
}

class TextWriter {
 public:
  explicit TextWriter(Language language) : language_(language) {}

  void operator()(const Paragraph& paragraph) {
    absl::StrAppend(&text_, Sentences(paragraph.sentences), "\n\n");
  }

  void operator()(const List& list) {
    Heading(list.heading);
    for (const ListRow& row : list.rows) {
      absl::StrAppend(&text_, "  - ", row.service, " – ", absl::StrJoin(row.details, ", "));
      if (!row.reasons.empty()) {
        absl::StrAppend(&text_, " (", absl::StrJoin(row.reasons, ", "), ")");
      }
      text_ += "\n";
    }
    if (!list.more.empty()) absl::StrAppend(&text_, "    ", list.more, "\n");
    text_ += "\n";
  }

  void operator()(const Quote& quote) {
    Heading(quote.heading);
    // Every line is marked, so that user text cannot look like the service's own text.
    for (const absl::string_view line : absl::StrSplit(Displayable(quote.words), '\n')) {
      absl::StrAppend(&text_, "  > ", line, "\n");
    }
    text_ += "\n";
  }

  void operator()(const TokenBox& box) {
    Heading(box.label);
    absl::StrAppend(&text_, "\n    ", box.token, "\n\n");
    for (const TokenLink& link : box.links) {
      absl::StrAppend(&text_, link.sentence, "\n", link.url, "\n\n");
    }
    absl::StrAppend(&text_, FillIn(box.until.format, box.until.values), "\n\n");
  }

  void Title(const std::string& title) {
    absl::StrAppend(&text_, title, "\n", std::string(CharacterCount(title), '-'), "\n\n");
  }

  std::string Take() { return std::move(text_); }

 private:
  void Heading(absl::string_view heading) {
    absl::StrAppend(&text_, heading, language_ == Language::kFrench ? "\u00a0:\n" : ":\n");
  }

  const Language language_;
  std::string text_;
};

// Length of the sequence at the begin of `text` that must not be shown: a C1
// control character, a line or paragraph separator, or a direction mark.
std::size_t HiddenSequence(absl::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9F) return 2;
  if (byte(0) != 0xE2) return 0;
  const bool separator_or_mark = byte(1) == 0x80 && (byte(2) == 0x8E || byte(2) == 0x8F ||
                                                     (byte(2) >= 0xA8 && byte(2) <= 0xAE));
  const bool isolate = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return separator_or_mark || isolate ? 3 : 0;
}

}  // namespace

std::string WritePlainText(const Letter& letter) {
  TextWriter writer(letter.language);
  writer.Title(letter.title);
  for (const Block& block : letter.blocks) std::visit(writer, block);
  // The usual mark of a signature.
  std::string text = absl::StrCat(writer.Take(), "-- \n");
  for (const Phrase& line : letter.footer) {
    absl::StrAppend(&text, FillIn(line.format, line.values), "\n");
  }
  return text;
}

std::string Displayable(absl::string_view text) {
  std::string shown;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t hidden = HiddenSequence(text.substr(i));
    if (hidden > 0) {
      i += hidden;
      continue;
    }
    const char c = text[i++];
    const bool line_end = c == '\n' || (c == '\r' && !(i < text.size() && text[i] == '\n'));
    if (line_end) {
      shown += '\n';
    } else if (c == '\t') {
      shown += ' ';
    } else if (!absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      shown += c;
    }
  }
  return std::string(absl::StripAsciiWhitespace(shown));
}

}  // namespace contacts
