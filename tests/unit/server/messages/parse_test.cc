#include "server/messages/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contacts/v1/contact_service.pb.h"
#include "contacts/v1/directory_service.pb.h"

namespace contacts::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Times(int count, const std::string& bytes) {
  std::string all;
  for (int i = 0; i < count; ++i) all += bytes;
  return all;
}

std::string Within(char tag, const std::string& bytes) {
  std::string size;
  std::size_t rest = bytes.size();
  for (; rest >= 128; rest /= 128) size += static_cast<char>(128 + rest % 128);
  return tag + size + static_cast<char>(rest) + bytes;
}

template <typename Request>
std::vector<std::string> Named(const std::string& bytes, Request& request) {
  std::vector<std::string> fields;
  for (const auto& violation : ParseRequest(bytes, request)) fields.push_back(violation.field);
  return fields;
}
template <typename Request>
std::vector<std::string> Named(const std::string& bytes) {
  Request request;
  return Named(bytes, request);
}

TEST(Wire, RefusesMoreFieldsThanAnyRequestHasWhereverTheyAre) {
  constexpr int kMost = 20'000;
  const std::string assignment("\x12\x00", 2);
  const std::string unknown("\x7a\x00", 2);
  EXPECT_THAT(Named<v1::ChangeContactsRequest>(Times(kMost, assignment)), IsEmpty());
  const auto whole = ElementsAre("");
  EXPECT_THAT(Named<v1::ChangeContactsRequest>(Times(kMost + 1, assignment)), whole);
  EXPECT_THAT(Named<v1::GetProfileRequest>(Times(kMost + 1, unknown)), whole);
  // In assignments, some here and some there; in groups.
  const std::string half = Times(kMost / 2, unknown);
  EXPECT_THAT(Named<v1::ChangeContactsRequest>(Within('\x12', half)), IsEmpty());
  EXPECT_THAT(Named<v1::ChangeContactsRequest>(Within('\x12', half) + Within('\x12', half)), whole);
  EXPECT_THAT(Named<v1::GetProfileRequest>("\x13" + Times(kMost, unknown) + "\x14"), whole);
  EXPECT_THAT(Named<v1::GetProfileRequest>(Times(kMost + 1, "\x13\x14")), whole);
  // A field of any length counts once.
  EXPECT_THAT(Named<v1::GetProfileRequest>(Within('\x7a', std::string(4'000'000, 'x'))), IsEmpty());
}

TEST(Wire, LeavesOutWhatItDoesNotKnow) {
  v1::GetServiceRequest request;
  EXPECT_THAT(Named(Within('\x0a', "a.example") + Within('\x7a', "later"), request), IsEmpty());
  v1::GetServiceRequest known;
  known.set_service("a.example");
  EXPECT_EQ(request.SerializeAsString(), known.SerializeAsString());
}

TEST(Wire, NamesEachTextThatIsNotUtf8Once) {
  const std::string bad = Within('\x0a', "\xff");
  v1::ChangeContactsRequest request;
  EXPECT_THAT(
      Named(Within('\x12', Times(3, bad)) + Within('\x12', "") + Within('\x12', bad), request),
      ElementsAre("assignments[0].service", "assignments[2].service"));
  EXPECT_EQ(request.assignments_size(), 3);
  EXPECT_EQ(request.assignments(0).service(), "");
  // Each element of a list counts.
  EXPECT_THAT(
      Named<v1::UpdateServiceOwnerRequest>(Within('\x12', Times(2, Within('\x2a', "\xff")))),
      ElementsAre("owner.address_lines[0]", "owner.address_lines[1]"));
}

TEST(Wire, RefusesWhatIsNoMessage) {
  EXPECT_THAT(Named<v1::GetServiceRequest>("\x0a\x05xx"), ElementsAre(""));
  EXPECT_THAT(Named<v1::GetServiceRequest>("\x0a"), ElementsAre(""));
}

}  // namespace
}  // namespace contacts::server
