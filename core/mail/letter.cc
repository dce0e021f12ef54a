#include "core/mail/letter.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace contacts {
namespace {

using Kind = Letter::Block::Kind;

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"\"", "&quot;"},
                                    {"'", "&#39;"}});
}

// Mail clients drop style sheets now and then: what matters is inline, and the
// sheet only adds the dark colours and the narrow screen.
constexpr char kHead[] = R"(<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<style>
:root { color-scheme: light dark; }
@media (max-width: 480px) {
  .card { padding: 24px 20px !important; border-radius: 0 !important; }
  .page { padding: 0 !important; }
  .button { display: block !important; margin: 0 0 12px 0 !important; text-align: center; }
}
@media (prefers-color-scheme: dark) {
  body, .page { background: #14171c !important; }
  .card { background: #1f242c !important; color: #e6e9ee !important; }
  .code { background: #2a313b !important; color: #ffffff !important; border-color: #3b4552 !important; }
  .quiet, .label { color: #a7b0bd !important; }
  .quote { border-color: #4b5665 !important; }
  .second { background: #1f242c !important; color: #e6e9ee !important; border-color: #5a6675 !important; }
}
</style>)";

constexpr char kFont[] =
    "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
    "font-size:16px;line-height:1.5;";

std::string BlockHtml(const Letter::Block& block) {
  const std::string text = Escape(block.text);
  const std::string value = Escape(block.value);
  switch (block.kind) {
    case Kind::kParagraph: return absl::StrCat("<p style=\"margin:0 0 16px\">", text, "</p>\n");
    case Kind::kSmallPrint:
      return absl::StrCat("<p class=\"quiet\" style=\"margin:16px 0 0;font-size:14px;"
                          "color:#5b6573\">",
                          text, "</p>\n");
    case Kind::kList: {
      std::string html = "<ul style=\"margin:0 0 16px;padding:0 0 0 20px\">\n";
      for (const std::string& line : block.lines) {
        absl::StrAppend(&html, "<li style=\"margin:0 0 4px;overflow-wrap:anywhere\">",
                        Escape(line), "</li>\n");
      }
      return html + "</ul>\n";
    }
    case Kind::kCode:
      return absl::StrCat(
          "<p class=\"label\" style=\"margin:0 0 6px;font-size:14px;color:#5b6573\">", text,
          "</p>\n<p class=\"code\" style=\"margin:0 0 20px;padding:12px 16px;background:#f2f4f7;"
          "border:1px solid #d9dee5;border-radius:6px;font-family:ui-monospace,Menlo,Consolas,"
          "monospace;font-size:17px;letter-spacing:1px;overflow-wrap:anywhere\">",
          value, "</p>\n");
    case Kind::kQuote:
      return absl::StrCat(
          "<p class=\"label\" style=\"margin:0 0 6px;font-size:14px;color:#5b6573\">", text,
          "</p>\n<p class=\"quote\" style=\"margin:0 0 16px;padding:2px 0 2px 14px;"
          "border-left:3px solid #c3cad4;white-space:pre-line;overflow-wrap:anywhere\">",
          value, "</p>\n");
    case Kind::kButton:
      return absl::StrCat(
          "<a class=\"button", block.primary ? "" : " second", "\" href=\"", value,
          "\" style=\"display:inline-block;margin:0 12px 12px 0;padding:11px 26px;"
          "border-radius:6px;text-decoration:none;font-weight:600;",
          block.primary ? "background:#1a56db;border:1px solid #1a56db;color:#ffffff"
                        : "background:#ffffff;border:1px solid #a9b2bf;color:#28303b",
          "\">", text, "</a>\n");
  }
  return "";
}

}  // namespace

std::string WriteText(const Letter& letter) {
  std::string text;
  for (const Letter::Block& block : letter.blocks) {
    switch (block.kind) {
      case Kind::kParagraph:
      case Kind::kSmallPrint: absl::StrAppend(&text, block.text, "\n\n"); break;
      case Kind::kList:
        for (const std::string& line : block.lines) absl::StrAppend(&text, "  - ", line, "\n");
        text += "\n";
        break;
      case Kind::kCode:
      case Kind::kButton: absl::StrAppend(&text, block.text, ":\n  ", block.value, "\n\n"); break;
      case Kind::kQuote:
        absl::StrAppend(&text, block.text, ":\n  > ",
                        absl::StrReplaceAll(block.value, {{"\n", "\n  > "}}), "\n\n");
        break;
    }
  }
  return absl::StrCat(text, "-- \n", texts::kClosing.in(letter.language), "\n");
}

std::string WriteHtml(const Letter& letter) {
  std::string body;
  for (const Letter::Block& block : letter.blocks) absl::StrAppend(&body, BlockHtml(block));
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"", letter.language == Language::kFrench ? "fr" : "en",
      "\">\n<head>\n<title>", Escape(letter.subject), "</title>\n", kHead,
      "\n</head>\n<body style=\"margin:0;background:#eef1f5\">\n"
      "<table role=\"presentation\" class=\"page\" width=\"100%\" cellpadding=\"0\" "
      "cellspacing=\"0\" style=\"background:#eef1f5;padding:24px 12px\"><tr><td align=\"center\">\n"
      "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" "
      "style=\"max-width:600px\"><tr><td class=\"card\" style=\"background:#ffffff;"
      "border-radius:8px;padding:32px 36px;color:#1d232b;text-align:left;",
      kFont, "\">\n<h1 style=\"margin:0 0 20px;font-size:20px;line-height:1.3;"
      "overflow-wrap:anywhere\">", Escape(letter.subject), "</h1>\n", body,
      "<p class=\"quiet\" style=\"margin:24px 0 0;font-size:14px;color:#5b6573\">",
      Escape(texts::kClosing.in(letter.language)),
      "</p>\n</td></tr></table>\n</td></tr></table>\n</body>\n</html>\n");
}

}  // namespace contacts
