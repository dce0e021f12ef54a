#include "client/bulk/progress.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace contacts::client {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Progress, TellsRateAndTimeLeft) {
  const ProgressState progress{250'000, 0.25, absl::Seconds(20)};
  EXPECT_EQ(ProgressLine(progress, true),
            "[######                  ] 25 %  250,000 records  12,500/s  1 min left");
  EXPECT_EQ(ProgressLine(progress, false), "25 %  250,000 records  12,500/s  1 min left");
}

TEST(Progress, OfAnUnknownWholeTellsTheRateAlone) {
  EXPECT_EQ(ProgressLine({999, std::nullopt, absl::Seconds(2)}, true), "999 records  499/s");
  EXPECT_EQ(ProgressLine({}, true), "0 records");
}

TEST(Progress, GroupsThousands) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
}

TEST(Progress, DrawsOverItselfOnATerminalAndWritesLinesElsewhere) {
  absl::Time now = absl::UnixEpoch();
  std::ostringstream drawn;
  ProgressDisplay bar(drawn, /*terminal=*/true, [&] { return now; });
  std::ostringstream written;
  ProgressDisplay lines(written, /*terminal=*/false, [&] { return now; });
  for (int i = 0; i < 60; ++i) {
    now += absl::Milliseconds(200);
    bar.Show(i, 0.5);
    lines.Show(i, 0.5);
  }
  bar.Clear();
  EXPECT_THAT(drawn.str(), HasSubstr("\r\x1b[K[####"));
  EXPECT_EQ(drawn.str().find('\n'), std::string::npos);
  EXPECT_EQ(drawn.str().substr(drawn.str().size() - 4), "\r\x1b[K");
  // Every five seconds of twelve.
  EXPECT_EQ(written.str(), "50 %  24 records  4/s  5 s left\n50 %  49 records  4/s  10 s left\n");
  lines.Clear();
  EXPECT_EQ(written.str().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace contacts::client
