#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "core/letter/letter.h"

namespace contacts {
namespace {

// Mail clients support tables and inline styles best. Classes are used only for the dark colours,
// which override the inline ones.
constexpr char kHead[] = R"html(<!DOCTYPE html>
<html lang="$0">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>$1</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background-color: #12161b !important; }
  .card { background-color: #1d232b !important; border-color: #333c46 !important; }
  .text { color: #e7ebef !important; }
  .soft { color: #a7b1bc !important; }
  .line { border-color: #333c46 !important; }
  .box { background-color: #272f39 !important; border-color: #3c4753 !important; }
  .accept { background-color: #2272c3 !important; }
  .refuse { background-color: #1d232b !important; border-color: #7d8894 !important; }
}
@media (max-width: 480px) {
  .inside { padding-left: 20px !important; padding-right: 20px !important; }
  .outside { padding: 12px 8px !important; }
  .code { font-size: 14px !important; letter-spacing: 0 !important; }
  .first { display: block !important; padding: 8px 0 0 0 !important; border-bottom: 0 !important; }
  .second { display: block !important; padding: 0 0 8px 0 !important; text-align: left !important; }
}
@media (max-width: 350px) {
  .code { font-size: 12px !important; }
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background-color:#eef1f4;">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background-color:#eef1f4;">
<tr><td class="outside" align="center" style="padding:32px 16px;">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;background-color:#ffffff;border:1px solid #dde2e8;border-radius:8px;">
<tr><td class="inside text" style="padding:32px 36px 8px 36px;font-family:'Segoe UI',Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;color:#1c2630;">
<h1 class="text" style="margin:0 0 20px 0;font-size:23px;line-height:1.3;font-weight:600;color:#1c2630;">$1</h1>
)html";

constexpr char kFoot[] = R"html(</td></tr>
<tr><td class="inside soft line" style="padding:16px 36px 24px 36px;border-top:1px solid #dde2e8;font-family:'Segoe UI',Helvetica,Arial,sans-serif;font-size:13px;line-height:1.5;color:#5a6672;word-break:break-word;">
$0
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
)html";

constexpr char kParagraph[] =
    R"html(<p class="text" style="margin:0 0 16px 0;color:#1c2630;word-break:break-word;">$0</p>
)html";
constexpr char kAside[] =
    R"html(<p class="soft" style="margin:0 0 16px 0;font-size:14px;color:#5a6672;word-break:break-word;">$0</p>
)html";
constexpr char kHeading[] =
    R"html(<p class="soft" style="margin:24px 0 6px 0;font-size:13px;font-weight:600;color:#5a6672;">$0</p>
)html";

constexpr char kListBegin[] =
    R"html(<table role="presentation" class="line" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 24px 0;border-top:1px solid #dde2e8;">
)html";
constexpr char kListRow[] =
    R"html(<tr><td class="first text line" valign="top" style="padding:8px 12px 8px 0;border-bottom:1px solid #dde2e8;font-size:15px;line-height:1.4;color:#1c2630;word-break:break-word;">$0</td><td class="second text line" valign="top" align="right" style="padding:8px 0;border-bottom:1px solid #dde2e8;font-size:15px;line-height:1.4;color:#1c2630;">$1</td></tr>
)html";
constexpr char kReason[] =
    R"html(<br><span class="soft" style="font-size:13px;color:#5a6672;">$0</span>)html";
constexpr char kListMore[] =
    R"html(<tr><td class="soft" colspan="2" style="padding:8px 0;font-size:14px;color:#5a6672;">$0</td></tr>
)html";

constexpr char kQuote[] =
    R"html(<blockquote class="text box" dir="auto" style="margin:0 0 24px 0;padding:12px 16px;background-color:#f4f6f8;border-left:4px solid #9aa5b1;border-radius:4px;color:#1c2630;word-break:break-word;">$0</blockquote>
)html";

// $0: label; $1: token; $2: the buttons; $3: the deadline.
constexpr char kTokenBox[] =
    R"html(<table role="presentation" class="box" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:24px 0;background-color:#f4f6f8;border:1px solid #dde2e8;border-radius:8px;">
<tr><td align="center" style="padding:20px 12px 24px 12px;">
<p class="soft" style="margin:0 0 6px 0;font-size:13px;font-weight:600;color:#5a6672;">$0</p>
<p class="text code" style="margin:0 0 20px 0;font-family:Consolas,Menlo,'DejaVu Sans Mono',monospace;font-size:18px;line-height:1.5;font-weight:600;letter-spacing:0.5px;white-space:nowrap;-webkit-user-select:all;user-select:all;color:#1c2630;">$1</p>
<table role="presentation" cellpadding="0" cellspacing="0" border="0">
<tr>$2</tr>
</table>
<p class="soft" style="margin:18px 0 0 0;font-size:14px;color:#5a6672;">$3</p>
</td></tr>
</table>
)html";
// $0: link; $1: its text.
constexpr char kFirstButton[] =
    R"html(<td class="accept" bgcolor="#0b5cad" style="background-color:#0b5cad;border-radius:6px;"><a href="$0" style="display:inline-block;padding:12px 26px;font-size:16px;line-height:1.25;font-weight:600;color:#ffffff;text-decoration:none;border-radius:6px;">$1</a></td>)html";
constexpr char kSecondButton[] =
    R"html(
<td width="12" style="font-size:0;">&nbsp;</td>
<td class="refuse" bgcolor="#ffffff" style="background-color:#ffffff;border:1px solid #7d8894;border-radius:6px;"><a class="text" href="$0" style="display:inline-block;padding:11px 25px;font-size:16px;line-height:1.25;font-weight:600;color:#1c2630;text-decoration:none;border-radius:6px;">$1</a></td>)html";

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string Html(const Phrase& phrase) {
  std::vector<std::string> values;
  for (const std::string& value : phrase.values) {
    values.push_back(absl::StrCat("<strong>", Escaped(value), "</strong>"));
  }
  return FillIn(Escaped(phrase.format), values);
}

std::string JoinEscaped(const std::vector<std::string>& texts, absl::string_view separator) {
  return absl::StrJoin(texts, separator, [](std::string* out, const std::string& text) {
    out->append(Escaped(text));
  });
}

std::string JoinPhrases(const std::vector<Phrase>& phrases, absl::string_view separator) {
  return absl::StrJoin(phrases, separator,
                       [](std::string* out, const Phrase& phrase) { out->append(Html(phrase)); });
}

class HtmlWriter {
 public:
  void operator()(const Paragraph& paragraph) {
    html_ += FillIn(paragraph.aside ? kAside : kParagraph, {JoinPhrases(paragraph.sentences, " ")});
  }

  void operator()(const List& list) {
    absl::StrAppend(&html_, FillIn(kHeading, {Escaped(list.heading)}), kListBegin);
    for (const ListRow& row : list.rows) {
      std::string left = Escaped(row.service);
      for (const std::string& reason : row.reasons) left += FillIn(kReason, {Escaped(reason)});
      html_ += FillIn(kListRow, {left, JoinEscaped(row.details, "<br>")});
    }
    if (!list.more.empty()) html_ += FillIn(kListMore, {Escaped(list.more)});
    html_ += "</table>\n";
  }

  void operator()(const Quote& quote) {
    const std::string words =
        absl::StrReplaceAll(Escaped(Displayable(quote.words)), {{"\n", "<br>"}});
    absl::StrAppend(&html_, FillIn(kHeading, {Escaped(quote.heading)}), FillIn(kQuote, {words}));
  }

  void operator()(const TokenBox& box) {
    std::string buttons;
    for (const TokenLink& link : box.links) {
      buttons += FillIn(buttons.empty() ? kFirstButton : kSecondButton,
                        {Escaped(link.url), Escaped(link.button)});
    }
    html_ += FillIn(kTokenBox, {box.label, Escaped(box.token), buttons, Html(box.until)});
  }

  std::string Take() { return std::move(html_); }

 private:
  std::string html_;
};

}  // namespace

std::string WriteHtml(const Letter& letter) {
  HtmlWriter writer;
  for (const Block& block : letter.blocks) std::visit(writer, block);
  return absl::StrCat(
      FillIn(kHead, {texts::kLanguageTag.in(letter.language), Escaped(letter.title)}),
      writer.Take(), FillIn(kFoot, {JoinPhrases(letter.footer, "<br>")}));
}

}  // namespace contacts
