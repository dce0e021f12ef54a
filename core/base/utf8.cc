#include "core/base/utf8.h"

namespace contacts {

std::optional<CodePoint> DecodeCodePoint(absl::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return CodePoint{lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return std::nullopt;
  uint32_t value = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if (!IsContinuationByte(text[i])) return std::nullopt;
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[size] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return std::nullopt;
  }
  return CodePoint{value, size};
}

std::optional<std::size_t> CountCodePoints(absl::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const auto next = DecodeCodePoint(text);
    if (!next) return std::nullopt;
    text.remove_prefix(next->size);
    ++count;
  }
  return count;
}

}  // namespace contacts
