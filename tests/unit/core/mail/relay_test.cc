#include <gtest/gtest.h>

#include "core/mail/relay.h"

namespace contacts {
namespace {

TEST(RetryDelay, DoublesFromTheFirstDelayUpToTheLongest) {
  const RelayOptions options;
  const double middle = 0.5;
  EXPECT_EQ(RetryDelay(options, 1, middle), absl::Seconds(30));
  EXPECT_EQ(RetryDelay(options, 2, middle), absl::Seconds(60));
  EXPECT_EQ(RetryDelay(options, 7, middle), absl::Seconds(1920));
  EXPECT_EQ(RetryDelay(options, 8, middle), absl::Hours(1));
  EXPECT_EQ(RetryDelay(options, 1'000'000, middle), absl::Hours(1));
}

TEST(RetryDelay, SpreadsTriesAroundTheDelay) {
  const RelayOptions options;
  EXPECT_EQ(RetryDelay(options, 1, 0), absl::Seconds(24));
  EXPECT_EQ(RetryDelay(options, 1, 1), absl::Seconds(36));
}

TEST(MailServerState, AfterThreeFailuresInARowOneTryAPauseIsLeft) {
  MailServerState state(absl::Seconds(1), absl::Seconds(4));
  absl::Time now = absl::UnixEpoch();
  EXPECT_FALSE(state.Failed(now));
  EXPECT_FALSE(state.Failed(now));
  EXPECT_FALSE(state.Worked());
  EXPECT_FALSE(state.Failed(now));
  EXPECT_FALSE(state.Failed(now));
  EXPECT_TRUE(state.MayTry(now));
  EXPECT_TRUE(state.Failed(now));
  EXPECT_TRUE(state.down());
  for (const int pause : {1, 1, 2, 4, 4}) {
    EXPECT_FALSE(state.MayTry(now + absl::Seconds(pause) - absl::Nanoseconds(1)));
    now += absl::Seconds(pause);
    EXPECT_TRUE(state.MayTry(now));
    EXPECT_FALSE(state.Failed(now));
  }
  EXPECT_TRUE(state.Worked());
  EXPECT_FALSE(state.down());
  EXPECT_TRUE(state.MayTry(now));
}

TEST(Loggable, MasksTheAddressAndTakesOutTheToken) {
  const std::string text =
      Loggable("550 <Jane@Example.org> unknown, jane@example.org; you sent 7h2kq-0M9XT",
               "jane@example.org", "7H2KQ-0M9XT");
  EXPECT_EQ(text, "550 <j***@example.org> unknown, j***@example.org; you sent ***");
}

TEST(Loggable, StaysOnOneShortLine) {
  EXPECT_EQ(Loggable("550 <jos\u00e9@xn--exmple-cua.fr> unknown", "jos\u00e9@ex\u00e4mple.fr", ""),
            "550 <j***@xn--exmple-cua.fr> unknown");
  EXPECT_EQ(Loggable("250 \"jo hn\"@xn--exmple-cua.fr queued", "\"jo hn\"@ex\u00e4mple.fr", ""),
            "250 \"****@xn--exmple-cua.fr queued");
  EXPECT_EQ(Loggable("450 a\r\nlevel=error\x1b[0m", "", ""), "450 a  level=error [0m");
  EXPECT_LE(Loggable(std::string(100000, 'x'), "", "").size(), 300U);
}

TEST(Loggable, IsValidUtf8WhateverTheMailServerSaid) {
  EXPECT_EQ(Loggable("550 bo\xEEte inconnue \xC3", "", ""), "550 bo?te inconnue ?");
  EXPECT_EQ(Loggable("550 bo\u00eete inconnue \u20ac", "", ""), "550 bo\u00eete inconnue \u20ac");
  // Cut between characters, not within one.
  EXPECT_EQ(Loggable(std::string(299, 'x') + "\u00ee", "", ""), std::string(299, 'x'));
  EXPECT_EQ(Loggable(std::string(298, 'x') + "\u00ee", "", ""), std::string(298, 'x') + "\u00ee");
}

}  // namespace
}  // namespace contacts
