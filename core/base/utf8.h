#ifndef CONTACTS_CORE_BASE_UTF8_H_
#define CONTACTS_CORE_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace contacts {

// One Unicode code point and its size in UTF-8.
struct CodePoint {
  uint32_t value;
  std::size_t size;  // 1 to 4 bytes.
};

// Decodes the first code point of `text`, which must not be empty. Returns nothing for overlong
// forms, surrogates, values above U+10FFFF and cut sequences.
std::optional<CodePoint> DecodeCodePoint(absl::string_view text);

// Returns the number of code points of `text`, or nothing if `text` is not valid UTF-8.
std::optional<std::size_t> CountCodePoints(absl::string_view text);

// Whether `byte` is a second or later byte of a code point. Text may be cut before any other byte.
inline bool IsContinuationByte(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace contacts

#endif  // CONTACTS_CORE_BASE_UTF8_H_
