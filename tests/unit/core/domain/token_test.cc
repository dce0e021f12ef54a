#include "core/domain/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr char kSecretA[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
constexpr char kSecretB[] = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
const Uuid kChange = *Uuid::Parse("01890a5d-ac96-774b-bcce-b302099a8057");
const AccountId kMarie("aa1-ovh");

TokenKeys Keys(const std::string& file) { return TokenKeys::Parse(file).value(); }
TokenKeys OneKey() { return Keys(absl::StrCat("k1 ", kSecretA, "\n")); }

constexpr char kEmail[] = "marie@mail.example";

TokenSource Source(const Uuid& change, const AccountId& account, int64_t generation,
                   const std::string& email = kEmail) {
  return {.change = change,
          .account = account,
          .generation = generation,
          .address = AddressDigest(account, email)};
}

bool Right(const TokenKeys& keys, const std::string& typed, const std::string& key_id,
           const Uuid& change, const AccountId& validator, int64_t generation) {
  return keys.Check(typed, key_id, Source(change, validator, generation)) == TokenCheck::kRight;
}

std::string Bare(const std::string& token) { return absl::StrReplaceAll(token, {{"-", ""}}); }

TEST(Token, IsTwentySixCharactersOfAnAlphabetThatSurvivesTyping) {
  const TokenKeys keys = OneKey();
  std::set<char> seen;
  for (int generation = 1; generation <= 200; ++generation) {
    const std::string token = *keys.Derive("k1", Source(kChange, kMarie, generation));
    // Groups of five with hyphens between; no I, L, O or U.
    EXPECT_THAT(token, MatchesRegex("([0-9A-HJKMNP-TV-Z]{5}-){5}[0-9A-HJKMNP-TV-Z]"));
    const std::string bare = Bare(token);
    EXPECT_GE(bare.size() * 5, 128U);  // Bits.
    seen.insert(bare.begin(), bare.end());
  }
  EXPECT_EQ(seen.size(), 32U);
}

TEST(Token, EveryCharacterDependsOnTheHmac) {
  // Each of the 26 places takes every value over many tokens: none of the 130
  // bits is constant.
  const TokenKeys keys = OneKey();
  std::vector<std::set<char>> seen(26);
  for (int generation = 1; generation <= 1000; ++generation) {
    const std::string bare = Bare(*keys.Derive("k1", Source(kChange, kMarie, generation)));
    ASSERT_EQ(bare.size(), seen.size());
    for (std::size_t i = 0; i < bare.size(); ++i) seen[i].insert(bare[i]);
  }
  for (const std::set<char>& values : seen) EXPECT_EQ(values.size(), 32U);
}

TEST(Token, IsDerivedAgainTheSame) {
  EXPECT_EQ(*OneKey().Derive("k1", Source(kChange, kMarie, 3)),
            *OneKey().Derive("k1", Source(kChange, kMarie, 3)));
}

TEST(Token, DiffersByChangeValidatorGenerationAndKey) {
  const TokenKeys keys = Keys(absl::StrCat("k1 ", kSecretA, "\nk2 ", kSecretB));
  const std::string token = *keys.Derive("k1", Source(kChange, kMarie, 1));
  EXPECT_NE(token, *keys.Derive("k1", Source(Uuid::Version4(), kMarie, 1)));
  EXPECT_NE(token, *keys.Derive("k1", Source(kChange, AccountId("bb2-ovh"), 1)));
  EXPECT_NE(token, *keys.Derive("k1", Source(kChange, kMarie, 2)));
  EXPECT_NE(token, *keys.Derive("k2", Source(kChange, kMarie, 1)));
}

TEST(TokenMatches, AsTheEmailWritesIt) {
  const TokenKeys keys = OneKey();
  EXPECT_TRUE(
      Right(keys, *keys.Derive("k1", Source(kChange, kMarie, 1)), "k1", kChange, kMarie, 1));
}

TEST(TokenMatches, InLowerCaseWithoutHyphensAndWithSpaces) {
  const TokenKeys keys = OneKey();
  const std::string token = *keys.Derive("k1", Source(kChange, kMarie, 1));
  const std::string bare = Bare(token);
  for (const std::string& typed :
       {absl::AsciiStrToLower(token), bare, absl::AsciiStrToLower(bare),
        absl::StrReplaceAll(token, {{"-", " "}}), absl::StrCat("  ", token, "\r\n"),
        absl::StrCat(bare.substr(0, 13), "-", bare.substr(13)),
        absl::StrReplaceAll(token, {{"-", "\t"}})}) {
    EXPECT_TRUE(Right(keys, typed, "k1", kChange, kMarie, 1)) << typed;
  }
}

TEST(TokenMatches, WithWhateverWasCopiedAlongThatNoTokenHas) {
  const TokenKeys keys = OneKey();
  const std::string token = *keys.Derive("k1", Source(kChange, kMarie, 1));
  const std::string bare = Bare(token);
  const std::string nothing_seen = "\xe2\x80\x8b";  // U+200B, a space without width.
  for (const std::string& typed :
       {token + ".", "\"" + token + "\"", "<" + token + ">",
        "\xc2\xab " + token + "\xc2\xa0\xc2\xbb", "\xe2\x80\x9c" + token + "\xe2\x80\x9d,",
        bare.substr(0, 9) + "\r\n" + bare.substr(9), bare.substr(0, 9) + "\n\t> " + bare.substr(9),
        bare.substr(0, 9) + "=\n" + bare.substr(9),
        absl::StrReplaceAll(token, {{"-", "\xe2\x80\x91"}}),  // Hyphens that do not break.
        absl::StrReplaceAll(token, {{"-", "."}}), nothing_seen + token + nothing_seen, bare + "=",
        absl::StrCat(bare, std::string(1, '\0'))}) {
    EXPECT_TRUE(Right(keys, typed, "k1", kChange, kMarie, 1)) << typed;
  }
}

TEST(TokenMatches, WithOReadAsZeroAndIAndLReadAsOne) {
  const TokenKeys keys = OneKey();
  // Looks for a token that has both.
  for (int generation = 1;; ++generation) {
    ASSERT_LT(generation, 1000);
    const std::string token = *keys.Derive("k1", Source(kChange, kMarie, generation));
    if (token.find('0') == std::string::npos || token.find('1') == std::string::npos) continue;
    for (const char* one : {"I", "i", "L", "l"}) {
      for (const char* zero : {"O", "o"}) {
        const std::string typed = absl::StrReplaceAll(token, {{"0", zero}, {"1", one}});
        EXPECT_TRUE(Right(keys, typed, "k1", kChange, kMarie, generation)) << typed;
      }
    }
    return;
  }
}

TEST(TokenMatches, NothingElse) {
  const TokenKeys keys = OneKey();
  const std::string token = *keys.Derive("k1", Source(kChange, kMarie, 1));
  const std::string bare = Bare(token);
  for (const std::string& typed :
       {std::string(), std::string(26, '0'), bare.substr(0, 25), bare.substr(1), bare + "0",
        bare + bare, std::string(bare).replace(7, 1, "U"), std::string(bare).replace(7, 1, "*"),
        absl::StrCat("\xc3\xa9", bare.substr(1))}) {
    EXPECT_FALSE(Right(keys, typed, "k1", kChange, kMarie, 1)) << typed;
  }
}

TEST(TokenMatches, NotWithAnySingleCharacterChanged) {
  const TokenKeys keys = OneKey();
  const std::string bare = Bare(*keys.Derive("k1", Source(kChange, kMarie, 1)));
  for (std::size_t i = 0; i < bare.size(); ++i) {
    std::string typed = bare;
    typed[i] = typed[i] == '7' ? '8' : '7';
    EXPECT_FALSE(Right(keys, typed, "k1", kChange, kMarie, 1)) << i;
  }
}

TEST(TokenMatches, NotForAnotherChangeValidatorGenerationOrKey) {
  const TokenKeys keys = Keys(absl::StrCat("k1 ", kSecretA, "\nk2 ", kSecretB));
  const std::string token = *keys.Derive("k1", Source(kChange, kMarie, 2));
  EXPECT_FALSE(Right(keys, token, "k1", Uuid::Version4(), kMarie, 2));
  EXPECT_FALSE(Right(keys, token, "k1", kChange, AccountId("aa2-ovh"), 2));
  EXPECT_FALSE(Right(keys, token, "k1", kChange, kMarie, 1));
  EXPECT_FALSE(Right(keys, token, "k1", kChange, kMarie, 3));
  EXPECT_FALSE(Right(keys, token, "k2", kChange, kMarie, 2));
}

TEST(KeyRotation, NewTokensUseTheFirstKeyAndTheOthersServeThoseAlreadySent) {
  const TokenKeys before = Keys(absl::StrCat("old ", kSecretA));
  EXPECT_EQ(before.active(), "old/address");
  const std::string sent = *before.Derive("old", Source(kChange, kMarie, 1));

  const TokenKeys after = Keys(absl::StrCat("new ", kSecretB, "\nold ", kSecretA));
  EXPECT_EQ(after.active(), "new/address");
  EXPECT_TRUE(Right(after, sent, "old", kChange, kMarie, 1));
  EXPECT_FALSE(Right(after, sent, "new", kChange, kMarie, 1));
}

TEST(KeyRotation, TokenOfAKeyThatIsNotThereCannotBeChecked) {
  const std::string sent = *OneKey().Derive("k1", Source(kChange, kMarie, 1));
  const TokenKeys keys = Keys(absl::StrCat("k2 ", kSecretB));
  EXPECT_EQ(keys.Check(sent, "k1", Source(kChange, kMarie, 1)), TokenCheck::kNoKey);
  EXPECT_EQ(keys.Check("", "k1", Source(kChange, kMarie, 1)), TokenCheck::kNoKey);
  EXPECT_EQ(keys.Derive("k1", Source(kChange, kMarie, 1)).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(TokenBinding, ATokenServesTheAddressThatItWentToAlone) {
  const TokenKeys keys = OneKey();
  const std::string token = *keys.Derive(keys.active(), Source(kChange, kMarie, 1));
  EXPECT_EQ(keys.Check(token, keys.active(), Source(kChange, kMarie, 1)), TokenCheck::kRight);
  EXPECT_EQ(keys.Check(token, keys.active(), Source(kChange, kMarie, 1, "new@mail.example")),
            TokenCheck::kWrong);
}

// A server of a time before derives these from change, validator and generation, under the same
// key. Its tokens are known by their key name, without "/address".
TEST(TokenBinding, TokensOfServersOfATimeBeforeAreDerivedAsThoseDoIt) {
  const TokenKeys keys = OneKey();
  EXPECT_EQ(*keys.Derive("k1", Source(kChange, kMarie, 3)), "D9VPS-TPF1S-N30TP-YVE33-2E34M-7");
  EXPECT_EQ(*keys.Derive("k1", Source(kChange, kMarie, 3)),
            *keys.Derive("k1", Source(kChange, kMarie, 3, "new@mail.example")));
  EXPECT_FALSE(TokenKeys::IsBound("k1"));
  EXPECT_TRUE(TokenKeys::IsBound("k1/address"));
  // Those servers look for the whole name, and leave an unknown one to others.
  EXPECT_THAT(keys.active(), HasSubstr("/"));
}

TEST(TokenBinding, NewTokensAreNotBoundWhileServersOfATimeBeforeAreAtWork) {
  TokenKeys keys = OneKey();
  keys.UnbindNewTokens();
  EXPECT_EQ(keys.active(), "k1");
  EXPECT_TRUE(keys.Derive("k1/address", Source(kChange, kMarie, 1)).ok());
}

TEST(TokenBinding, AConfirmationIsOfOneAccountAddressAndGenerationAndAnswersNoChange) {
  const TokenKeys keys = OneKey();
  const std::string token = *keys.Derive(keys.active(), Source(Uuid(), kMarie, 1));
  const auto check = [&](const TokenSource& source) {
    return keys.Check(token, keys.active(), source);
  };
  EXPECT_EQ(check(Source(Uuid(), kMarie, 1)), TokenCheck::kRight);
  EXPECT_EQ(check(Source(Uuid(), kMarie, 2)), TokenCheck::kWrong);
  EXPECT_EQ(check(Source(Uuid(), AccountId("bb2-ovh"), 1)), TokenCheck::kWrong);
  EXPECT_EQ(check(Source(Uuid(), kMarie, 1, "new@mail.example")), TokenCheck::kWrong);
  EXPECT_EQ(check(Source(kChange, kMarie, 1)), TokenCheck::kWrong);
}

TEST(Superseded, IsATokenOfAnEarlierGenerationOrAddressUnderAnyKeyAndNoOther) {
  const TokenKeys before = Keys(absl::StrCat("old ", kSecretA));
  const TokenKeys keys = Keys(absl::StrCat("new ", kSecretB, "\nold ", kSecretA));
  const std::vector<std::string> earlier = {AddressDigest(kMarie, "first@mail.example"),
                                            AddressDigest(kMarie, "second@mail.example")};
  const TokenSource latest = Source(kChange, kMarie, 3);
  const auto superseded = [&](const absl::StatusOr<std::string>& token) {
    return keys.IsSuperseded(absl::AsciiStrToLower(token.value()), latest, earlier);
  };
  EXPECT_TRUE(superseded(before.Derive(before.active(), Source(kChange, kMarie, 1))));
  EXPECT_TRUE(superseded(before.Derive("old", Source(kChange, kMarie, 2))));
  EXPECT_TRUE(superseded(keys.Derive(keys.active(), Source(kChange, kMarie, 2))));
  EXPECT_TRUE(
      superseded(keys.Derive(keys.active(), Source(kChange, kMarie, 3, "second@mail.example"))));
  EXPECT_TRUE(
      superseded(keys.Derive(keys.active(), Source(kChange, kMarie, 1, "first@mail.example"))));
  EXPECT_FALSE(superseded(keys.Derive(keys.active(), Source(kChange, kMarie, 4))));
  EXPECT_FALSE(
      superseded(keys.Derive(keys.active(), Source(kChange, kMarie, 3, "other@mail.example"))));
  EXPECT_FALSE(superseded(keys.Derive(keys.active(), Source(Uuid::Version4(), kMarie, 1))));
  EXPECT_FALSE(superseded(keys.Derive(keys.active(), Source(Uuid(), kMarie, 1))));
  EXPECT_FALSE(superseded(keys.Derive(keys.active(), Source(kChange, AccountId("bb2-ovh"), 1))));
  EXPECT_FALSE(superseded(OneKey().Derive("k1", Source(Uuid(), kMarie, 2))));
  EXPECT_FALSE(superseded(std::string()));
}

TEST(KeyFile, SkipsBlankLinesAndCommentsAndTakesAnyLineEnd) {
  const TokenKeys keys = Keys(absl::StrCat("# keys\n\n  k-1_A\t", kSecretA, "  \r\n#k2 x\nk2 ",
                                           absl::AsciiStrToUpper(kSecretB)));
  EXPECT_EQ(keys.active(), "k-1_A/address");
  EXPECT_TRUE(keys.Derive("k2", Source(kChange, kMarie, 1)).ok());
}

TEST(KeyFile, HexadecimalDigitsOfEitherCaseAreTheSameSecret) {
  EXPECT_EQ(*Keys(absl::StrCat("k ", kSecretB)).Derive("k", Source(kChange, kMarie, 1)),
            *Keys(absl::StrCat("k ", absl::AsciiStrToUpper(kSecretB)))
                 .Derive("k", Source(kChange, kMarie, 1)));
}

TEST(KeyFile, GeneratedFileIsReadAndEachIsFresh) {
  const std::string one = TokenKeys::Generate();
  const std::string two = TokenKeys::Generate();
  EXPECT_TRUE(TokenKeys::Parse(one).ok());
  EXPECT_NE(one, two);
  EXPECT_NE(std::string(absl::StrSplit(one, ' ').begin()->data(), 9),
            std::string(absl::StrSplit(two, ' ').begin()->data(), 9));
}

TEST(KeyFile, MalformedLineIsNamedButItsSecretIsNeverShown) {
  const std::string bad_secret = std::string(kSecretA).replace(63, 1, "g");
  const std::string long_id(33, 'k');
  const struct {
    std::string line;
    const char* why;
  } kCases[] = {
      {kSecretA, "no id"},
      {absl::StrCat("k1 ", bad_secret), "not hexadecimal"},
      {absl::StrCat("k1 ", std::string(kSecretA).substr(2)), "too short"},
      {absl::StrCat("k1 ", kSecretA, "00"), "too long"},
      {absl::StrCat("k1 ", kSecretA, " more"), "three words"},
      {absl::StrCat(kSecretA, " k1"), "swapped"},
      {absl::StrCat("k.1 ", kSecretA), "id of other characters"},
      {absl::StrCat(long_id, " ", kSecretA), "id too long"},
      {"k1", "no secret"},
  };
  for (const auto& one : kCases) {
    const absl::Status status = TokenKeys::Parse(absl::StrCat("# comment\n", one.line)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << one.why;
    EXPECT_THAT(std::string(status.message()), HasSubstr("line 2")) << one.why;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("00112233"))) << one.why;
  }
}

TEST(KeyFile, SecretThatWasNotDrawnAtRandomIsRefusedWithoutShowingIt) {
  for (const std::string& secret : {std::string(64, '0'), std::string(64, 'a'),
                                    std::string("0123456789abcdef0123456789abcdef"
                                                "0123456789abcdef0123456789abcdef")}) {
    const auto keys = TokenKeys::Parse(absl::StrCat("k1 ", secret, "\n"));
    ASSERT_FALSE(keys.ok());
    EXPECT_THAT(std::string(keys.status().message()), HasSubstr("line 1"));
    EXPECT_THAT(std::string(keys.status().message()), Not(HasSubstr(secret.substr(0, 16))));
  }
}

TEST(KeyFile, IdThatIsThereTwiceIsRefusedWithoutShowingASecret) {
  const absl::Status status =
      TokenKeys::Parse(absl::StrCat("k1 ", kSecretA, "\nk1 ", kSecretB)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("k1"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("00112233")));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("ffeeddcc")));
}

TEST(KeyFile, WithoutAnyKeyIsRefused) {
  EXPECT_FALSE(TokenKeys::Parse("").ok());
  EXPECT_FALSE(TokenKeys::Parse("# nothing\n\n").ok());
}

}  // namespace
}  // namespace contacts
