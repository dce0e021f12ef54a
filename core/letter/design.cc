#include "core/letter/design.h"

#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/utf8.h"
#include "core/letter/compose.h"
#include "core/letter/embedded.h"
#include "core/letter/samples.h"

namespace contacts {
namespace {

constexpr std::size_t kMaxFiles = 200;
constexpr std::size_t kMaxDepth = 20;

// The names that Compose sets. A template must use the first ones.
const std::set<absl::string_view>& NeededNames() {
  static const auto& names = *new std::set<absl::string_view>{
      "title", "block",   "paragraph",   "part",    "text",     "list",
      "row",   "held",    "quote",       "words",   "code",     "token",
      "url",   "service", "footer_line", "primary", "secondary"};
  return names;
}
const std::set<absl::string_view>& OtherNames() {
  static const auto& names = *new std::set<absl::string_view>{"aside",
                                                              "accent",
                                                              "accent_dark",
                                                              "accent_text",
                                                              "background",
                                                              "background_dark",
                                                              "bold",
                                                              "brand",
                                                              "button",
                                                              "detail",
                                                              "detail_separator",
                                                              "heading",
                                                              "heading_colon",
                                                              "language",
                                                              "line",
                                                              "line_separator",
                                                              "footer_line_separator",
                                                              "logo",
                                                              "logo_width",
                                                              "more",
                                                              "no_logo",
                                                              "others",
                                                              "reason",
                                                              "reason_separator",
                                                              "reasons",
                                                              "sentence",
                                                              "underline",
                                                              "value",
                                                              "why",
                                                              "BI_NEWLINE",
                                                              "BI_SPACE"};
  return names;
}

absl::Status Wrong(const std::string& path, absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", reason));
}
absl::Status WrongAt(const std::string& path, std::size_t line, absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat(path, ":", line, ": ", reason));
}

// Whether the text is UTF-8 without control characters, and without a mark of its byte order.
absl::Status CheckCharacters(const std::string& path, absl::string_view text) {
  constexpr uint32_t kByteOrderMark = 0xFEFF;
  for (std::size_t line = 1; !text.empty();) {
    const std::optional<CodePoint> next = DecodeCodePoint(text);
    if (!next) return WrongAt(path, line, "want UTF-8");
    const bool control = next->value < 0x20 && !absl::StrContains("\t\r\n", text[0]);
    if (control || next->value == 0x7F || next->value == kByteOrderMark) {
      return WrongAt(path, line, "a control character or a byte order mark");
    }
    if (next->value == '\n') ++line;
    text.remove_prefix(next->size);
  }
  return absl::OkStatus();
}

// ctemplate says neither the line of an error nor that a name is unknown, and has marks that would
// leave a value without escapes.
absl::Status CheckMarks(const std::string& path, const std::string& text) {
  static const LazyRE2 kMark = {R"(([#/]?)([A-Za-z0-9_]*))"};
  std::vector<std::pair<std::string, std::size_t>> open;
  std::set<absl::string_view> unused = NeededNames();
  std::size_t counted = 0, line = 1;
  for (std::size_t at = text.find("{{"); at != std::string::npos; at = text.find("{{", at)) {
    line +=
        static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                            text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted = at;
    const std::size_t end = text.find("}}", at);
    const std::string mark = text.substr(at + 2, end - at - 2);
    if (end == std::string::npos || absl::StrContains(mark, "{{")) {
      return WrongAt(path, line, "{{ without }}");
    }
    at = end + 2;
    if (absl::StartsWith(mark, "!")) continue;
    std::string kind, name;
    if (!RE2::FullMatch(mark, *kMark, &kind, &name) || name.empty()) {
      return WrongAt(path, line,
                     absl::StrCat("{{", mark, "}}: want {{name}}, {{#name}} or {{/name}}"));
    }
    if (!NeededNames().contains(name) && !OtherNames().contains(name)) {
      return WrongAt(path, line, absl::StrCat("{{", mark, "}}: no such name"));
    }
    unused.erase(name);
    if (kind == "#") open.emplace_back(name, line);
    if (open.size() > kMaxDepth) return WrongAt(path, line, "sections in more than 20 others");
    if (kind != "/") continue;
    if (open.empty() || open.back().first != name) {
      return WrongAt(path, line,
                     open.empty() ? absl::StrCat("{{/", name, "}} without {{#", name, "}}")
                                  : absl::StrCat("{{/", name, "}}, where {{/", open.back().first,
                                                 "}} is wanted for line ", open.back().second));
    }
    open.pop_back();
  }
  if (!open.empty()) {
    return WrongAt(
        path, open.back().second,
        absl::StrCat("{{#", open.back().first, "}} without {{/", open.back().first, "}}"));
  }
  if (!unused.empty()) {
    return WrongAt(path, 1, absl::StrCat("{{", *unused.begin(), "}} is missing"));
  }
  return absl::OkStatus();
}

std::string Expand(const ctemplate::Template& from, const ctemplate::TemplateDictionary& content) {
  std::string text;
  from.Expand(&text, &content);
  return text;
}

}  // namespace

absl::StatusOr<DesignFiles> ReadDesignFiles(const std::string& directory,
                                            const std::string& brand_path, const FileReader& read) {
  namespace fs = std::filesystem;
  DesignFiles files;
  std::set<std::string> names;
  if (!directory.empty()) {
    std::error_code error;
    if ((fs::status(directory, error).permissions() & fs::perms::others_write) != fs::perms::none &&
        !error) {
      return Wrong(directory, "anyone may write it; want mode 0755 or less");
    }
    for (fs::directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
      static const LazyRE2 kName = {R"(mail\.(html|txt)|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\.mo)"};
      static const LazyRE2 kMeant = {R"([^.].*\.(html|txt|mo))"};
      const std::string path = at->path().string(), name = at->path().filename().string();
      if (!RE2::FullMatch(name, *kName)) {
        if (!RE2::FullMatch(name, *kMeant)) continue;
        return Wrong(path, "want mail.html, mail.txt or LANGUAGE.mo");
      }
      if (files.replacements.size() == kMaxFiles) return Wrong(directory, "want at most 200 files");
      if (!names.insert(absl::AsciiStrToLower(name)).second) {
        return Wrong(path, "another file has the same name in other letters");
      }
      absl::StatusOr<std::string> text = read(path);
      if (!text.ok()) return text.status();
      files.replacements.emplace(path, *std::move(text));
    }
    if (error) return absl::InvalidArgumentError(absl::StrCat(directory, ": ", error.message()));
  }
  if (brand_path.empty()) return files;
  absl::StatusOr<std::string> text = read(brand_path);
  if (!text.ok()) return text.status();
  files.brand_path = brand_path;
  files.brand = *std::move(text);
  const absl::StatusOr<Brand> brand = ParseBrand(files.brand);
  if (!brand.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(brand_path, ":", brand.status().message()));
  }
  if (brand->logo_file.empty()) return files;
  files.logo_path = (fs::path(brand_path).parent_path() / brand->logo_file).string();
  absl::StatusOr<std::string> logo = read(files.logo_path);
  if (!logo.ok()) return WrongAt(brand_path, brand->logo_line, logo.status().message());
  files.logo = *std::move(logo);
  return files;
}

absl::StatusOr<std::shared_ptr<const Design>> Design::Make(const DesignFiles& files) {
  const std::shared_ptr<Design> design(new Design);
  if (absl::Status status = design->SetBrand(files); !status.ok()) return status;
  // By name in lower case: path and text.
  std::map<std::string, std::pair<std::string, std::string>> all;
  for (const auto& [name, text] : EmbeddedDesign()) all[name] = {name, text};
  for (const auto& [path, text] : files.replacements) {
    all[absl::AsciiStrToLower(std::filesystem::path(path).filename().string())] = {path, text};
  }
  for (const char* name : {"mail.html", "mail.txt"}) {
    const auto& [path, text] = all.at(name);
    if (absl::Status status = design->SetTemplate(name, path, text); !status.ok()) return status;
  }
  Paths paths = {.html = all.at("mail.html").first, .text = all.at("mail.txt").first};
  absl::StatusOr<Catalogue> english = Catalogue::English();
  if (!english.ok()) return english.status();
  if (absl::Status status = design->Add(*std::move(english), paths); !status.ok()) return status;
  for (const auto& [name, file] : all) {
    if (!absl::EndsWith(name, ".mo")) continue;
    paths.catalogue = file.first;
    absl::StatusOr<Catalogue> made =
        Catalogue::Make(std::filesystem::path(paths.catalogue).stem().string(), file.second);
    if (!made.ok()) return Wrong(paths.catalogue, made.status().message());
    if (absl::Status status = design->Add(*std::move(made), paths); !status.ok()) return status;
  }
  return design;
}

std::shared_ptr<const Design> Design::Shipped() {
  static const auto& design = *new std::shared_ptr<const Design>(Make({}).value());
  return design;
}

absl::Status Design::SetBrand(const DesignFiles& files) {
  absl::StatusOr<Brand> brand = ParseBrand(files.brand);
  if (!brand.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(files.brand_path, ":", brand.status().message()));
  }
  brand_ = *std::move(brand);
  if (files.logo_path.empty()) return absl::OkStatus();
  absl::StatusOr<Logo> logo = ParseLogo(files.logo);
  if (!logo.ok()) {
    return WrongAt(files.brand_path, brand_.logo_line,
                   absl::StrCat(files.logo_path, ": ", logo.status().message()));
  }
  brand_.logo = std::make_shared<const Logo>(*std::move(logo));
  return absl::OkStatus();
}

absl::Status Design::SetTemplate(const std::string& name, const std::string& path,
                                 const std::string& text) {
  if (absl::Status status = CheckCharacters(path, text); !status.ok()) return status;
  if (absl::Status status = CheckMarks(path, text); !status.ok()) return status;
  const bool is_html = name == "mail.html";
  std::string colored = text;
  for (const auto& [color, value] : brand_.colors) {
    absl::StrReplaceAll({{absl::StrCat("{{", color, "}}"), value}}, &colored);
  }
  std::unique_ptr<ctemplate::Template>& parsed = is_html ? html_ : text_;
  parsed.reset(ctemplate::Template::StringToTemplate(
      absl::StrCat(is_html ? "{{%AUTOESCAPE context=\"HTML\"}}\n" : "", colored),
      ctemplate::STRIP_BLANK_LINES));
  if (parsed != nullptr && parsed->state() == ctemplate::TS_READY) return absl::OkStatus();
  return Wrong(path, "ctemplate cannot tell how to escape values in this HTML");
}

absl::Status Design::Add(Catalogue catalogue, const Paths& paths) {
  const AnswerLinks links = {.accept = "https://example.com/accept",
                             .refuse = "https://example.com/refuse",
                             .confirm = "https://example.com/confirm"};
  Brand brand = brand_;
  brand.support = "support@example.com";  // There is a message about it.
  std::set<std::string> missing;
  catalogue.CollectMissing(&missing);
  for (const Sample& sample : Samples()) {
    const MailFacts& facts = sample.facts;
    std::vector<std::string> shown;
    if (!facts.token.empty()) shown.push_back(facts.token);
    if (facts.mail.IsValidation()) shown.insert(shown.end(), {links.accept, links.refuse});
    if (facts.mail.HasToken() && !facts.mail.IsValidation()) shown.push_back(links.confirm);
    if (facts.change) shown.push_back(facts.change->items.front().service.text());
    if (facts.override_record) shown.push_back("Ticket 4711");  // Of the reason's second line.
    const Letter letter = Compose(facts, links, catalogue, brand);
    for (const auto& [path, text] :
         {std::pair(paths.html, Html(*letter.content)), {paths.text, Text(*letter.content)}}) {
      for (const std::string& wanted : shown) {
        if (absl::StrContains(text, wanted)) continue;
        return Wrong(path, absl::StrCat("the e-mail \"", sample.name, "\" does not show ", wanted));
      }
    }
  }
  catalogue.CollectMissing(nullptr);
  if (!missing.empty()) {
    return Wrong(paths.catalogue,
                 absl::StrCat("incomplete, or made for another version: no translation of \"",
                              *missing.begin(), "\" (", missing.size(), " such messages)"));
  }
  catalogues_.insert_or_assign(absl::AsciiStrToLower(catalogue.tag()), std::move(catalogue));
  return absl::OkStatus();
}

std::vector<std::string> Design::languages() const {
  std::vector<std::string> tags;
  for (const auto& entry : catalogues_) tags.push_back(entry.first);
  return tags;
}

const Catalogue& Design::For(absl::string_view tag) const {
  std::string wanted = absl::AsciiStrToLower(tag);
  for (;;) {
    if (const auto found = catalogues_.find(wanted); found != catalogues_.end()) {
      return found->second;
    }
    const std::size_t end = wanted.rfind('-');
    if (end == std::string::npos) return catalogues_.at("en");
    wanted.resize(end);
  }
}

std::string Design::Html(const ctemplate::TemplateDictionary& content) const {
  return Expand(*html_, content);
}
std::string Design::Text(const ctemplate::TemplateDictionary& content) const {
  return Expand(*text_, content);
}

}  // namespace contacts
