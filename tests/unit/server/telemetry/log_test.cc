#include "server/telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>

namespace contacts::server {
namespace {

TEST(LogTest, QuotesForJson) {
  EXPECT_EQ(JsonString("a\"\\\n\x7f\xc3\xa9"), "\"a\\\"\\\\\\u000a\\u007f\xc3\xa9\"");
  EXPECT_EQ(JsonString("\xff"), "\"?\"");
}

TEST(LogTest, RejectedCallsHaveALineASecondTogether) {
  std::ostringstream out;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out)));
  for (int i = 0; i < 1000; ++i) LogRejection("overloaded", i == 0 ? "aa1-ovh" : "");
  spdlog::set_default_logger(before);
  const std::string lines = out.str();
  EXPECT_THAT(lines, ::testing::HasSubstr("calls rejected since the last such line: 1; the last of"
                                          " account aa1-ovh: overloaded"));
  // A slow machine may take longer than a second.
  EXPECT_LE(std::count(lines.begin(), lines.end(), '\n'), 5);
}

}  // namespace
}  // namespace contacts::server
