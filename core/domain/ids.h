#ifndef CONTACTS_CORE_DOMAIN_IDS_H_
#define CONTACTS_CORE_DOMAIN_IDS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include "absl/strings/string_view.h"

#include "absl/time/time.h"

namespace contacts {

// A string that identifies one kind of object. Ids of two kinds cannot be mixed.
template <typename Kind>
class StringId {
 public:
  StringId() = default;
  explicit StringId(std::string text) : text_(std::move(text)) {}

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend auto operator<=>(const StringId&, const StringId&) = default;
  friend std::ostream& operator<<(std::ostream& out, const StringId& id) { return out << id.text_; }
  template <typename H>
  friend H AbslHashValue(H h, const StringId& id) {
    return H::combine(std::move(h), id.text_);
  }

 private:
  std::string text_;
};

// An account's id in lower case, such as "aa123456-ovh".
using AccountId = StringId<struct AccountKind>;
// A service's id in lower case, such as "example.com".
using ServiceId = StringId<struct ServiceKind>;

// A UUID. Default constructed, it is the nil UUID.
class Uuid {
 public:
  static constexpr std::size_t kSize = 16;

  Uuid() = default;

  // Makes a version 7 UUID (RFC 9562): Unix milliseconds of `now`, then random bits.
  static Uuid Version7(absl::Time now);
  // Makes a version 4 UUID: random bits.
  static Uuid Version4();
  // The lowest version 7 UUID of the millisecond of `time`, and the highest UUID.
  static Uuid Floor(absl::Time time);
  static Uuid Max();
  // Reads the canonical text form, in any case.
  static std::optional<Uuid> Parse(absl::string_view text);
  // Makes a UUID of 16 bytes. Any other length gives the nil UUID.
  static Uuid FromBytes(absl::string_view bytes);

  // Canonical text form, lower case.
  std::string text() const;
  // The 16 bytes, most significant first.
  std::string bytes() const { return {bytes_.begin(), bytes_.end()}; }
  bool is_nil() const { return *this == Uuid(); }

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Uuid& id) {
    return H::combine(std::move(h), id.bytes_);
  }

 private:
  std::array<unsigned char, kSize> bytes_{};  // Unsigned: ordered as in the database.
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_IDS_H_
