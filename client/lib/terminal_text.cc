#include "client/lib/terminal_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace contacts::client {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

// Reads the character that `text`, not empty, begins with.
Character FirstCharacter(absl::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  std::uint32_t code = lead & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte & 0x3F);
  }
  constexpr std::array<std::uint32_t, 5> kLowest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLowest[length] || code > 0x10FFFF || surrogate) return {};
  return {code, length, true};
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Coarse blocks of Unicode's tables: enough to align names and addresses.
constexpr Range kZeroWidth[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F}, {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
};
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD},
};
// Marks, embeddings, overrides and isolates of writing direction.
constexpr Range kDirection[] = {
    {0x061C, 0x061C}, {0x200E, 0x200F}, {0x202A, 0x202E}, {0x2066, 0x2069}};

template <std::size_t N>
bool IsIn(const Range (&ranges)[N], std::uint32_t code) {
  return std::any_of(std::begin(ranges), std::end(ranges), [code](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const Character c = FirstCharacter(text);
    if (!c.valid) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

std::string Printable(absl::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const Character c = FirstCharacter(text);
    const bool control = c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0);
    if (c.valid && (c.code == '\n' || c.code == '\t' || c.code == '\r')) {
      printable.push_back(' ');
    } else if (!c.valid || control || IsIn(kDirection, c.code)) {
      printable.append(std::string(kReplacement));
    } else {
      printable.append(std::string(text.substr(0, c.bytes)));
    }
    text.remove_prefix(c.bytes);
  }
  return printable;
}

std::size_t DisplayWidth(absl::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character c = FirstCharacter(text);
    if (!IsIn(kZeroWidth, c.code)) width += IsIn(kWide, c.code) ? 2 : 1;
    text.remove_prefix(c.bytes);
  }
  return width;
}

}  // namespace contacts::client
