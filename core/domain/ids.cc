#include "core/domain/ids.h"

#include <algorithm>

#include <openssl/rand.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

namespace contacts {
namespace {

constexpr std::size_t kTextSize = 36;
constexpr bool IsHyphen(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

void SetVersion(std::array<unsigned char, Uuid::kSize>& bytes, unsigned version) {
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | (version << 4U));
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);
}

void FillRandom(unsigned char* begin, std::size_t size) {
  // RAND_bytes fails only if the system has no entropy source. Then no later id or token could be
  // trusted.
  if (RAND_bytes(begin, static_cast<int>(size)) != 1) abort();
}

}  // namespace

Uuid Uuid::Version7(absl::Time now) {
  Uuid id;
  const auto millis = static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixMillis(now), 0));
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes_[i] = static_cast<unsigned char>(millis >> (8U * (5U - i)));
  }
  FillRandom(id.bytes_.data() + 6, kSize - 6);
  SetVersion(id.bytes_, 7);
  return id;
}

Uuid Uuid::Version4() {
  Uuid id;
  FillRandom(id.bytes_.data(), kSize);
  SetVersion(id.bytes_, 4);
  return id;
}

Uuid Uuid::Floor(absl::Time time) {
  Uuid id = Version7(time);
  std::fill(id.bytes_.begin() + 6, id.bytes_.end(), 0);
  return id;
}

Uuid Uuid::Max() { return FromBytes(std::string(kSize, '\xff')); }

std::optional<Uuid> Uuid::Parse(absl::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  std::string hex;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsHyphen(i) != (text[i] == '-')) return std::nullopt;
    if (IsHyphen(i)) continue;
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) return std::nullopt;
    hex += text[i];
  }
  return FromBytes(absl::HexStringToBytes(hex));
}

Uuid Uuid::FromBytes(absl::string_view bytes) {
  Uuid id;
  if (bytes.size() == kSize) std::copy(bytes.begin(), bytes.end(), id.bytes_.begin());
  return id;
}

std::string Uuid::text() const {
  std::string hex = absl::BytesToHexString(bytes());
  for (std::size_t at : {8, 13, 18, 23}) hex.insert(at, "-");
  return hex;
}

}  // namespace contacts
