#include "server/messages/page_token.h"

#include <gtest/gtest.h>

#include "contacts/v1/contact_service.pb.h"

namespace contacts::server {
namespace {

v1::ListServicesRequest Request() {
  v1::ListServicesRequest request;
  request.set_id_prefix("exa");
  request.set_page_size(10);
  return request;
}

TEST(PageTokenTest, GivesTheCursorBack) {
  v1::ListServicesRequest request = Request();
  const std::string cursor = "s:example.com";
  request.set_page_token(MakePageToken(request, cursor));
  EXPECT_EQ(OpenPageToken(request), cursor);
  // The token of the page before is not part of the comparison.
  EXPECT_EQ(MakePageToken(request, "b"), MakePageToken(Request(), "b"));
}

// An attacker who knows how seals are made can seal anything. This is not a cursor of the server.
TEST(PageTokenTest, IsRefusedAroundWhatIsNoCursor) {
  v1::ListServicesRequest request = Request();
  for (const std::string& cursor :
       {std::string("\xff"), std::string("a\0", 2), std::string("a\n"), std::string(301, 'a')}) {
    request.set_page_token(MakePageToken(request, cursor));
    EXPECT_FALSE(OpenPageToken(request).has_value());
  }
}

TEST(PageTokenTest, IsEmptyAroundTheEnds) {
  EXPECT_EQ(OpenPageToken(Request()), "");
  EXPECT_EQ(MakePageToken(Request(), ""), "");
}

TEST(PageTokenTest, IsRefusedWithOtherFieldsOrAnotherMethod) {
  v1::ListServicesRequest request = Request();
  request.set_page_token(MakePageToken(request, "cursor"));
  v1::ListServicesRequest other = request;
  other.set_page_size(20);
  EXPECT_EQ(OpenPageToken(other), "cursor") << "the size may change from page to page";
  other.add_roles(v1::CONTACT_ROLE_TECH);
  EXPECT_FALSE(OpenPageToken(other).has_value());

  v1::ListContactChangesRequest changes;
  v1::ListServicesRequest empty;
  changes.set_page_token(MakePageToken(empty, "cursor"));
  EXPECT_FALSE(OpenPageToken(changes).has_value());
}

TEST(PageTokenTest, IsRefusedWhenAnyCharacterIsChanged) {
  v1::ListServicesRequest request = Request();
  const std::string token = MakePageToken(request, "cursor");
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    request.set_page_token(changed);
    EXPECT_NE(OpenPageToken(request), "cursor") << i;
  }
}

TEST(ResumeTokenTest, OpensToItsPlaceAndOneOfAnEarlierVersionToItsPosition) {
  const auto place = OpenResumeToken(MakeResumeToken({.position = 57, .event = ~uint64_t{0}}));
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->position, 57);
  EXPECT_EQ(place->event, ~uint64_t{0});
  // Position 57, as the version before wrote it.
  const auto earlier = OpenResumeToken("uNt-ZNBuVW2DDacqIIH0yzU3");
  ASSERT_TRUE(earlier.has_value());
  EXPECT_EQ(earlier->position, 57);
  EXPECT_EQ(earlier->event, 0U);
  EXPECT_FALSE(OpenResumeToken("").has_value());
}

TEST(FingerprintTest, LeavesOutTheRequestIdAlone) {
  v1::RefuseContactChangeRequest request;
  request.set_contact_change_id("01890a5d-ac96-774b-bcce-b302099a8057");
  request.set_token("TOKEN");
  const std::string first = Fingerprint("Refuse", request);
  request.set_request_id("11890a5d-ac96-774b-bcce-b302099a8057");
  EXPECT_EQ(Fingerprint("Refuse", request), first);
  EXPECT_NE(Fingerprint("Accept", request), first);
  request.set_reason("no");
  EXPECT_NE(Fingerprint("Refuse", request), first);
}

}  // namespace
}  // namespace contacts::server
