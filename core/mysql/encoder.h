#ifndef CONTACTS_CORE_MYSQL_ENCODER_H_
#define CONTACTS_CORE_MYSQL_ENCODER_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/domain/ids.h"

// The only encoder of values into SQL text, for writes that are sent together in one round trip. A
// string becomes a hexadecimal literal, so no byte of it can be read as SQL under any quoting rule.
namespace contacts::sqltext {

// A value in SQL text.
struct Literal {
  std::string text;
};

inline Literal Null() { return {"NULL"}; }
inline Literal Int(int64_t value) { return {absl::StrCat(value)}; }
template <typename Enum>
Literal Number(Enum value) {
  return Int(static_cast<int64_t>(value));
}
inline Literal Binary(absl::string_view value) {
  return {absl::StrCat("x'", absl::BytesToHexString(value), "'")};
}
inline Literal Ascii(absl::string_view value) { return {"_ascii " + Binary(value).text}; }
inline Literal Utf8(absl::string_view value) { return {"_utf8mb4 " + Binary(value).text}; }
inline Literal Id(const Uuid& id) { return Binary(id.bytes()); }
template <typename Kind>
Literal Id(const StringId<Kind>& id) {
  return Ascii(id.text());
}
// Times are stored as microseconds since the Unix epoch.
inline Literal Time(absl::Time time) { return Int(absl::ToUnixMicros(time)); }
inline Literal Time(const std::optional<absl::Time>& time) { return time ? Time(*time) : Null(); }

// Replaces each '?' of `sql`, which must be a constant of the program, by the next value.
inline std::string Fill(absl::string_view sql, std::initializer_list<Literal> values) {
  std::string out;
  const Literal* next = values.begin();
  for (char c : sql) {
    if (c == '?' && next != values.end()) {
      out += (next++)->text;
    } else {
      out += c;
    }
  }
  return out;
}

// "(a,b)" of one row, for a multi-row INSERT.
inline std::string RowOf(std::initializer_list<Literal> values) {
  std::string out = "(";
  for (const Literal& value : values) absl::StrAppend(&out, out.size() > 1 ? "," : "", value.text);
  return out + ")";
}

// "(a,b,c)" of a list, for IN.
template <typename Range>
std::string ListOf(const Range& ids) {
  std::string out = "(";
  for (const auto& id : ids) absl::StrAppend(&out, out.size() > 1 ? "," : "", Id(id).text);
  return out + ")";
}

}  // namespace contacts::sqltext

#endif  // CONTACTS_CORE_MYSQL_ENCODER_H_
