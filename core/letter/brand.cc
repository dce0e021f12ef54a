#include "core/letter/brand.h"

#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/letter/letter_writer.h"

namespace contacts {
namespace {

constexpr std::size_t kMaxText = 200;
constexpr std::size_t kMaxFooterLines = 10;
constexpr std::size_t kMaxLogo = 256 * 1024;

absl::Status Wrong(const YAML::Node& at, absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat(at.Mark().line + 1, ": ", reason));
}

// One line of text of at most 200 bytes.
absl::StatusOr<std::string> Line(const std::string& name, const YAML::Node& key,
                                 const YAML::Node& value) {
  static const LazyRE2 kLine = {"[^[:cntrl:]]*"};
  const std::string text = value.IsScalar() ? value.Scalar() : "";
  if (value.IsNull()) return text;
  if (!value.IsScalar() || text.size() > kMaxText || !RE2::FullMatch(text, *kLine) ||
      Displayable(text) != absl::StripAsciiWhitespace(text)) {
    return Wrong(key, absl::StrCat(name, ": want one line of text, at most 200 bytes"));
  }
  return text;
}

absl::Status SetColors(const YAML::Node& key, const YAML::Node& value, Brand& brand) {
  if (!value.IsMap()) return Wrong(key, "colors: want NAME: \"#rrggbb\" lines");
  for (const auto& entry : value) {
    const std::string name = entry.first.Scalar();
    const auto color = brand.colors.find(name);
    if (color == brand.colors.end()) {
      return Wrong(entry.first,
                   absl::StrCat("colors: no \"", name, "\"; want ",
                                absl::StrJoin(brand.colors, ", ", [](std::string* out, auto& one) {
                                  out->append(one.first);
                                })));
    }
    static const LazyRE2 kColor = {"#[0-9A-Fa-f]{6}"};
    if (!entry.second.IsScalar() || !RE2::FullMatch(entry.second.Scalar(), *kColor)) {
      return Wrong(entry.first, absl::StrCat(name, ": want \"#rrggbb\", in quotes"));
    }
    color->second = entry.second.Scalar();
  }
  return absl::OkStatus();
}

absl::Status SetFooter(const YAML::Node& key, const YAML::Node& value, Brand& brand) {
  if (value.IsNull()) return absl::OkStatus();
  const std::string text = value.IsScalar() ? value.Scalar() : "";
  brand.footer = absl::StrSplit(text, '\n', absl::SkipWhitespace());
  for (const std::string& line : brand.footer) {
    if (const auto checked = Line("footer", key, YAML::Node(line)); !checked.ok()) {
      return Wrong(key, "footer: want lines of text, each of at most 200 bytes");
    }
  }
  if (!value.IsScalar() || brand.footer.size() > kMaxFooterLines) {
    return Wrong(key, "footer: want text of at most 10 lines");
  }
  return absl::OkStatus();
}

absl::Status Set(const std::string& name, const YAML::Node& key, const YAML::Node& value,
                 Brand& brand) {
  if (name == "colors") return SetColors(key, value, brand);
  if (name == "footer") return SetFooter(key, value, brand);
  const absl::StatusOr<std::string> line = Line(name, key, value);
  if (!line.ok()) return line.status();
  if (name == "name") {
    brand.name = *line;
  } else if (name == "logo") {
    brand.logo_file = *line;
    brand.logo_line = static_cast<std::size_t>(key.Mark().line) + 1;
  } else if (name == "logo_width") {
    if (!RE2::FullMatch(*line, "([0-9]{1,3})", &brand.logo_width) || brand.logo_width < 16 ||
        brand.logo_width > 520) {
      return Wrong(key, "logo_width: want 16 to 520");
    }
  } else if (name == "support") {
    if (!line->empty() && !IsOneAddress(*line))
      return Wrong(key, "support: want an e-mail address");
    brand.support = *line;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Brand> ParseBrand(const std::string& yaml) {
  Brand brand;
  brand.colors = {{"accent", "#0b5cad"},
                  {"accent_dark", "#2272c3"},
                  {"accent_text", "#ffffff"},
                  {"background", "#eef1f4"},
                  {"background_dark", "#12161b"}};
  constexpr absl::string_view kNames[] = {"name",       "support", "logo",
                                          "logo_width", "colors",  "footer"};
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(yaml);
    if (documents.empty() || documents.front().IsNull()) return brand;
    if (documents.size() > 1) return Wrong(documents[1], "a second document");
    const YAML::Node& root = documents.front();
    if (!root.IsMap()) return Wrong(root, "want NAME: VALUE lines");
    std::set<std::string> seen;
    for (const auto& entry : root) {
      const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
      if (!seen.insert(name).second) return Wrong(entry.first, absl::StrCat("a second ", name));
      if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) {
        return Wrong(entry.first,
                     absl::StrCat("no \"", name, "\"; want ", absl::StrJoin(kNames, ", ")));
      }
      if (absl::Status status = Set(name, entry.first, entry.second, brand); !status.ok())
        return status;
    }
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(error.mark.line + 1, ": ", error.msg));
  }
  return brand;
}

absl::StatusOr<Logo> ParseLogo(const std::string& bytes) {
  if (bytes.size() > kMaxLogo) return absl::InvalidArgumentError("want at most 256 KiB");
  for (const auto& [begin, type] :
       {std::pair<absl::string_view, const char*>("\x89PNG\r\n\x1a\n", "png"),
        {"\xff\xd8\xff", "jpeg"},
        {"GIF8", "gif"}}) {
    if (absl::StartsWith(bytes, begin)) return Logo{.type = type, .bytes = bytes};
  }
  return absl::InvalidArgumentError("want a PNG, JPEG or GIF");
}

}  // namespace contacts
