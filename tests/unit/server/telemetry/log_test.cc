#include "server/telemetry/log.h"

#include <gtest/gtest.h>

namespace contacts::server {
namespace {

TEST(LogTest, QuotesForJson) {
  EXPECT_EQ(JsonString("a\"\\\n\x7f\xc3\xa9"), "\"a\\\"\\\\\\u000a\\u007f\xc3\xa9\"");
  EXPECT_EQ(JsonString("\xff"), "\"?\"");
}

}  // namespace
}  // namespace contacts::server
