// Servers whose host clock is ten minutes off, beside a server whose clock is right.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/fleet.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using ::testing::Test;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

constexpr int kChanges = 150;

// libfaketime moves the wall clock and not the steady one.
std::vector<std::string> ClockIs(const std::string& offset) {
  return {"LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "FAKETIME=" + offset,
          "FAKETIME_DONT_FAKE_MONOTONIC=1"};
}

std::string MessageId(const std::string& mail) {
  for (const absl::string_view line : absl::StrSplit(mail, '\n')) {
    if (absl::StartsWithIgnoreCase(line, "message-id:")) return std::string(line);
  }
  return "";
}

class ClockSkew : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Either, ClockSkew, ::testing::Values("-10m", "+10m"),
                         [](const auto& offset) {
                           return offset.param[0] == '-' ? "Behind" : "Ahead";
                         });

TEST_P(ClockSkew, EmailsAreDeliveredOnceAndHistoriesAreInOrder) {
  Fleet fleet(kChanges, {}, 1);
  ServerProcess wrong(fleet.database().server_uri(), fleet.directory(), {}, ClockIs(GetParam()));
  wrong.Start();
  const auto right_stub = fleet.Stub(0);
  const auto wrong_stub = v1::ContactService::NewStub(wrong.Channel());
  const auto stub_of = [&](int i) { return i % 2 == 0 ? right_stub.get() : wrong_stub.get(); };
  std::vector<std::string> changes;
  for (int i = 0; i < kChanges; ++i) {
    v1::ChangeContactsResponse asked;
    ASSERT_EQ(ReasonOf(Fleet::Ask(*stub_of(i), Fleet::ServiceName(i), kFleetSecond, NewRequestId(),
                                  asked)),
              "OK");
    changes.push_back(asked.contact_changes(0).id());
  }
  for (int i = 0; i < kChanges; ++i) {
    v1::AcceptContactChangeResponse accepted;
    for (const char* account : {kFleetAdmin, kFleetSecond}) {
      ASSERT_EQ(ReasonOf(fleet.Accept(*stub_of(account == kFleetAdmin ? i + 1 : i), account,
                                      changes[i], NewRequestId(), accepted)),
                "OK");
    }
  }
  fleet.WaitForMails();

  const std::vector<std::string> mails = ReadMaildir(fleet.mail_directory());
  std::set<std::string> ids;
  for (const std::string& mail : mails) ids.insert(MessageId(mail));
  EXPECT_EQ(ids.size(), mails.size()) << "e-mails were delivered twice";
  EXPECT_EQ(fleet.database().Count(
                "SELECT COUNT(*) FROM contact_change_event a JOIN contact_change_event b ON"
                " b.change_id = a.change_id AND b.ordinal = a.ordinal + 1 WHERE b.time < a.time"),
            0);
  // Ids begin with the time, and newest first does not depend on the server that made them.
  EXPECT_EQ(fleet.database().Count("SELECT COUNT(*) FROM contact_change WHERE ABS(create_time -"
                                   " TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)))"
                                   " > 300000000"),
            0);
  EXPECT_THAT(fleet.log(), HasSubstr("clock: this host's clock minus the database's is"));
}

}  // namespace
}  // namespace contacts
