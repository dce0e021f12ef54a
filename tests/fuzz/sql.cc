// Values in SQL text: the database reads any value as a literal.

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/strip.h"
#include "core/mysql/encoder.h"
#include "tests/fuzz/check.h"

namespace contacts::sqltext {
namespace {

// Reads one literal off the front of `sql`, and returns its value.
std::string Take(absl::string_view& sql, absl::string_view prefix) {
  FUZZ_CHECK(absl::ConsumePrefix(&sql, prefix));
  FUZZ_CHECK(absl::ConsumePrefix(&sql, "x'"));
  const std::size_t end = sql.find('\'');
  FUZZ_CHECK(end != absl::string_view::npos && end % 2 == 0);
  const absl::string_view hex = sql.substr(0, end);
  FUZZ_CHECK(hex.find_first_not_of("0123456789abcdef") == absl::string_view::npos);
  sql.remove_prefix(end + 1);
  return absl::HexStringToBytes(hex);
}

void Fuzz(const uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const std::string first = input.ConsumeRandomLengthString();
  const std::string second = input.ConsumeRandomLengthString();
  const auto number = input.ConsumeIntegral<int64_t>();
  const std::string third = input.ConsumeRemainingBytesAsString();

  const std::string filled = Fill("UPDATE t SET a=?,b=?,c=? WHERE d=?",
                                  {Utf8(first), Binary(second), Int(number), Ascii(third)});
  absl::string_view sql = filled;
  FUZZ_CHECK(absl::ConsumePrefix(&sql, "UPDATE t SET a="));
  FUZZ_CHECK(Take(sql, "_utf8mb4 ") == first);
  FUZZ_CHECK(absl::ConsumePrefix(&sql, ",b="));
  FUZZ_CHECK(Take(sql, "") == second);
  FUZZ_CHECK(absl::ConsumePrefix(&sql, ",c="));
  FUZZ_CHECK(absl::ConsumePrefix(&sql, std::to_string(number)));
  FUZZ_CHECK(absl::ConsumePrefix(&sql, " WHERE d="));
  FUZZ_CHECK(Take(sql, "_ascii ") == third);
  FUZZ_CHECK(sql.empty());

  const std::string row = RowOf({Utf8(first), Null(), Utf8(third)});
  sql = row;
  FUZZ_CHECK(absl::ConsumePrefix(&sql, "("));
  FUZZ_CHECK(Take(sql, "_utf8mb4 ") == first);
  FUZZ_CHECK(absl::ConsumePrefix(&sql, ",NULL,"));
  FUZZ_CHECK(Take(sql, "_utf8mb4 ") == third);
  FUZZ_CHECK(sql == ")");

  const std::string list = ListOf(std::vector{ServiceId(first), ServiceId(second)});
  sql = list;
  FUZZ_CHECK(absl::ConsumePrefix(&sql, "("));
  FUZZ_CHECK(Take(sql, "_ascii ") == first);
  FUZZ_CHECK(absl::ConsumePrefix(&sql, ","));
  FUZZ_CHECK(Take(sql, "_ascii ") == second);
  FUZZ_CHECK(sql == ")");
}

}  // namespace
}  // namespace contacts::sqltext

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  contacts::sqltext::Fuzz(data, size);
  return 0;
}
