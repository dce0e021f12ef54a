#include "core/letter/letter_writer.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/utf8.h"

namespace contacts {
namespace {

using Dictionary = ctemplate::TemplateDictionary;

// The names that templates use. ctemplate computes the hash of such a one once.
using Name = ctemplate::StaticTemplateString;
const Name kPart = STS_INIT(kPart, "part");
const Name kText = STS_INIT(kText, "text");
const Name kValue = STS_INIT(kValue, "value");
const Name kBold = STS_INIT(kBold, "bold");
const Name kBlock = STS_INIT(kBlock, "block");
const Name kParagraph = STS_INIT(kParagraph, "paragraph");
const Name kAside = STS_INIT(kAside, "aside");
const Name kFooterLine = STS_INIT(kFooterLine, "footer_line");
const Name kCode = STS_INIT(kCode, "code");
const Name kQuote = STS_INIT(kQuote, "quote");
const Name kList = STS_INIT(kList, "list");
const Name kRow = STS_INIT(kRow, "row");
const Name kDetail = STS_INIT(kDetail, "detail");
const Name kHeld = STS_INIT(kHeld, "held");
const Name kService = STS_INIT(kService, "service");
const Name kHeading = STS_INIT(kHeading, "heading");
const Name kHeadingColon = STS_INIT(kHeadingColon, "heading_colon");
const Name kTitle = STS_INIT(kTitle, "title");
const Name kUnderline = STS_INIT(kUnderline, "underline");
const Name kLanguage = STS_INIT(kLanguage, "language");
const Name kToken = STS_INIT(kToken, "token");
const Name kUrl = STS_INIT(kUrl, "url");
const Name kButton = STS_INIT(kButton, "button");
const Name kSentence = STS_INIT(kSentence, "sentence");
const Name kPrimary = STS_INIT(kPrimary, "primary");
const Name kSecondary = STS_INIT(kSecondary, "secondary");
const Name kLine = STS_INIT(kLine, "line");
const Name kWords = STS_INIT(kWords, "words");
const Name kReasons = STS_INIT(kReasons, "reasons");
const Name kReason = STS_INIT(kReason, "reason");
const Name kWhy = STS_INIT(kWhy, "why");
const Name kMore = STS_INIT(kMore, "more");
const Name kOthers = STS_INIT(kOthers, "others");
const Name kLogo = STS_INIT(kLogo, "logo");
const Name kLogoWidth = STS_INIT(kLogoWidth, "logo_width");
const Name kNoLogo = STS_INIT(kNoLogo, "no_logo");
const Name kBrand = STS_INIT(kBrand, "brand");

Dictionary& Child(Dictionary& parent, const Name& section) {
  return *parent.AddSectionDictionary(section);
}

}  // namespace

void LetterWriter::Title(const Message& title) {
  const std::string text = say_.Text(title);
  content_->SetValue(kTitle, text);
  const auto characters =
      std::count_if(text.begin(), text.end(), [](char byte) { return !IsContinuationByte(byte); });
  content_->SetValue(kUnderline, std::string(static_cast<std::size_t>(characters), '-'));
}

void LetterWriter::Paragraph(const std::vector<Message>& sentences) {
  AddParts(Block(kParagraph), sentences);
}

void LetterWriter::Aside(const std::vector<Message>& sentences) {
  AddParts(Block(kAside), sentences);
}

void LetterWriter::Quote(const Message& heading, const std::string& words) {
  Dictionary& quote = Block(kQuote);
  SetHeading(quote, heading);
  // Each line is one of its own, so that user text cannot look like the service's own text.
  for (const absl::string_view line : absl::StrSplit(Displayable(words), '\n')) {
    Child(quote, kLine).SetValue(kWords, ctemplate::TemplateString(line.data(), line.size()));
  }
}

void LetterWriter::Code(const Message& heading, const std::string& token,
                        const std::vector<TokenLink>& links, const Message& until) {
  Dictionary& code = Block(kCode);
  SetHeading(code, heading);
  code.SetValue(kToken, token);
  AddParts(code, {until});
  for (const TokenLink& link : links) {
    Dictionary& added = Child(code, &link == &links.front() ? kPrimary : kSecondary);
    added.SetValue(kUrl, link.url);
    added.SetValue(kButton, say_.Text(link.button));
    added.SetValue(kSentence, say_.Text(link.sentence));
  }
}

void LetterWriter::List(const Message& heading, const ListRows& rows, std::size_t total) {
  Dictionary& list = Block(kList);
  SetHeading(list, heading);
  std::size_t listed = 0;
  for (const auto& [service, row] : rows) {
    if (listed == kListedServices) break;
    ++listed;
    Dictionary& added = Child(list, kRow);
    added.SetValue(kService, service.text());
    for (const std::string& detail : row.details) {
      Child(added, kDetail).SetValue(kHeld, detail);
    }
    if (row.reasons.empty()) continue;
    Dictionary& reasons = Child(added, kReasons);
    for (const std::string& reason : row.reasons) {
      Child(reasons, kReason).SetValue(kWhy, reason);
    }
  }
  if (const auto more = static_cast<int64_t>(total - listed); more > 0) {
    // Translators: below a list of 20 services.
    Child(list, kMore)
        .SetValue(kOthers, say_.Text(N("and {count} more service ({total} in all)",
                                       "and {count} more services ({total} in all)", more,
                                       {{"count", say_.Number(more)},
                                        {"total", say_.Number(static_cast<int64_t>(total))}})));
  }
}

void LetterWriter::Footer(const Message& line) { AddParts(Child(*content_, kFooterLine), {line}); }

Letter LetterWriter::Finish(const Brand& brand) {
  for (const std::string& line : brand.footer) {
    Child(Child(*content_, kFooterLine), kPart).SetValue(kText, line);
  }
  content_->SetValue(kLanguage, say_.tag());
  if (brand.logo != nullptr) {
    Child(*content_, kLogo).SetIntValue(kLogoWidth, brand.logo_width);
  } else if (!brand.name.empty()) {
    content_->ShowSection(kNoLogo);
  }
  if (!brand.name.empty()) content_->SetValue(kBrand, brand.name);
  return {.subject = std::move(subject_), .content = std::move(content_)};
}

Dictionary& LetterWriter::Block(const Name& kind) {
  Dictionary& block = Child(*content_, kBlock);
  block.ShowSection(kind);
  return block;
}

// Each part is text and the value behind it.
void LetterWriter::AddParts(Dictionary& to, const std::vector<Message>& sentences) {
  std::string text;
  for (const Message& sentence : sentences) {
    if (!text.empty()) text += ' ';
    for (const Part& part : say_.Parts(sentence)) {
      if (!part.is_value) {
        text += part.text;
        continue;
      }
      Dictionary& added = Child(to, kPart);
      added.SetValue(kText, std::exchange(text, ""));
      added.SetValue(kValue, part.text);
      added.ShowSection(kBold);
    }
  }
  if (!text.empty()) Child(to, kPart).SetValue(kText, text);
}

void LetterWriter::SetHeading(Dictionary& block, const Message& heading) {
  const std::string text = say_.Text(heading);
  block.SetValue(kHeading, text);
  // Translators: a heading in an e-mail of plain text.
  block.SetValue(kHeadingColon, say_.Text(T("{heading}:", {{"heading", text}})));
}

std::string Displayable(absl::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::optional<CodePoint> next = DecodeCodePoint(text);
    const absl::string_view bytes = text.substr(0, next ? next->size : 1);
    text.remove_prefix(bytes.size());
    if (!next) continue;
    const auto c = static_cast<UChar32>(next->value);
    const int8_t type = u_charType(c);
    if (c == '\n' || (c == '\r' && !absl::StartsWith(text, "\n"))) {
      shown += '\n';
    } else if (c == '\t') {
      shown += ' ';
    } else if (type != U_CONTROL_CHAR && type != U_LINE_SEPARATOR &&
               type != U_PARAGRAPH_SEPARATOR && u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL) == 0) {
      absl::StrAppend(&shown, bytes);
    }
  }
  return std::string(absl::StripAsciiWhitespace(shown));
}

}  // namespace contacts
