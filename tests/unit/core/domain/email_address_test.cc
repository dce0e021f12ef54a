#include "core/domain/email_address.h"

#include <gtest/gtest.h>

#include "core/domain/ids.h"
#include "core/domain/token.h"

namespace contacts {
namespace {

constexpr char kComposed[] = "jos\u00e9@ex\u00e4mple.fr";
constexpr char kDecomposed[] = "jose\u0301@exa\u0308mple.fr";
constexpr char kALabels[] = "jos\u00e9@xn--exmple-cua.fr";

TEST(EmailAddress, IsKeptInNfc) {
  EXPECT_EQ(ToNfc(kDecomposed), kComposed);
  EXPECT_EQ(ToNfc(kComposed), kComposed);
  EXPECT_EQ(ToNfc("Jane@Example.com"), "Jane@Example.com");
  EXPECT_EQ(ToNfc("no\xff UTF-8\u00e9"), "no\xff UTF-8\u00e9");
}

TEST(EmailAddress, HasItsDomainInALabels) {
  EXPECT_EQ(WithAsciiDomain(kComposed), kALabels);
  EXPECT_EQ(WithAsciiDomain("a@EX\u00c4MPLE.FR"), "a@xn--exmple-cua.fr");
  EXPECT_EQ(WithAsciiDomain("a@\u4f8b\u3048\u3002jp"), "a@xn--r8jz45g.jp");
  EXPECT_EQ(WithAsciiDomain("Jane@Example.COM"), "Jane@Example.COM");
  // ß is a letter of its own since IDNA 2008.
  EXPECT_EQ(WithAsciiDomain("a@stra\u00dfe.de"), "a@xn--strae-oqa.de");
  for (const char* wrong :
       {"", "a", "\u00e9", "a@", "a@\u00e4_b.fr", "a@-\u00e4.fr", "a@\u05d0b.fr",
        "a@\u00e4\u202e.fr", "a@\u200d\u00e4.fr", "a@\u00e4..fr", "a@\u00e4 b.fr"}) {
    const std::string ascii = WithAsciiDomain(wrong);
    EXPECT_TRUE(ascii.empty() || ascii == "a@") << wrong << ": " << ascii;
  }
}

TEST(EmailAddress, IsTheSameInEachSpellingOfItsDomainAlone) {
  for (const char* same : {kComposed, kDecomposed, kALabels, "jos\u00e9@EX\u00c4MPLE.fr"}) {
    EXPECT_TRUE(SameEmailAddress(kComposed, same)) << same;
    EXPECT_TRUE(SameEmailAddress(same, kComposed)) << same;
    EXPECT_EQ(AddressDigest(AccountId("a"), same), AddressDigest(AccountId("a"), kComposed));
  }
  EXPECT_TRUE(SameEmailAddress("jane@Example.com", "jane@example.com"));
  for (const char* other :
       {"jose@ex\u00e4mple.fr", "Jos\u00e9@ex\u00e4mple.fr", "jos\u00e9@example.fr", ""}) {
    EXPECT_FALSE(SameEmailAddress(kComposed, other)) << other;
    EXPECT_NE(AddressDigest(AccountId("a"), other), AddressDigest(AccountId("a"), kComposed));
  }
  EXPECT_FALSE(SameEmailAddress("Jane@example.com", "jane@example.com"));
  EXPECT_FALSE(SameEmailAddress("a\u00e9@-\u00e4.fr", "b\u00e9@-\u00f6.fr"));
}

// Servers of the version before, and tokens under way, have these digests.
TEST(EmailAddress, InAsciiHasTheDigestThatItAlwaysHad) {
  EXPECT_NE(AddressDigest(AccountId("a"), "jane@Example.com"),
            AddressDigest(AccountId("a"), "jane@example.com"));
  EXPECT_EQ(AddressDigest(AccountId("a"), "j@ex\u00e4mple.fr"),
            AddressDigest(AccountId("a"), "j@xn--exmple-cua.fr"));
}

}  // namespace
}  // namespace contacts
