// A dump made while servers are at work, by the command of deploy/README.md, and a service that
// goes on from it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/testing/fleet.h"
#include "tests/testing/watch_stream.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

struct Asked {
  std::string request_id;
  std::string service;
  std::string to;
  std::string change;
};

class Backup : public ::testing::Test {
 protected:
  static constexpr int kServices = 400;

  static void Run(const std::string& command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(cert-env33-c)
  }
  // The client programs' options for the server of the test's database.
  std::string Login() const {
    const DatabaseOptions& options = fleet_.database().options();
    const std::string where =
        options.socket.empty() ? absl::StrCat("--protocol=tcp --host=", options.endpoints[0].host,
                                              " --port=", options.endpoints[0].port)
                               : absl::StrCat("--socket=", options.socket);
    return absl::StrCat(
        " --user=", options.user,
        options.password.empty() ? "" : absl::StrCat(" --password=", options.password), " ", where,
        " ");
  }

  // Asks for changes, one service after the other, and has every third one accepted and every third
  // one half accepted, until `stop`.
  void Work(int first, const std::atomic<bool>& stop) {
    const auto stub = fleet_.Stub(first);
    for (int i = first; i < kServices && !stop; i += 2) {
      Asked asked{.request_id = NewRequestId(),
                  .service = Fleet::ServiceName(i),
                  .to = kFleetSecond,
                  .change = ""};
      v1::ChangeContactsResponse response;
      const grpc::Status status =
          Fleet::Ask(*stub, asked.service, asked.to, asked.request_id, response);
      ASSERT_EQ(ReasonOf(status), "OK");
      asked.change = response.contact_changes(0).id();
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(asked);
      }
      v1::AcceptContactChangeResponse accepted;
      if (i % 3 < 2) {
        const auto done = fleet_.Accept(*stub, kFleetAdmin, asked.change, NewRequestId(), accepted);
        ASSERT_EQ(ReasonOf(done), "OK");
      }
      if (i % 3 == 0) {
        const auto done =
            fleet_.Accept(*stub, kFleetSecond, asked.change, NewRequestId(), accepted);
        ASSERT_EQ(ReasonOf(done), "OK");
      }
    }
  }

  int64_t Count(const std::string& sql) const { return restored_->Count(sql); }

  Fleet fleet_{kServices, {}, 2};
  std::optional<TestDatabase> restored_;
  std::mutex mutex_;
  std::vector<Asked> asked_;
};

TEST_F(Backup, OfAServiceAtWorkIsConsistentAndGoesOn) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> workers;
  for (int i = 0; i < 2; ++i) workers.emplace_back([&, i] { Work(i, stop); });
  const auto asked = [&] {
    const std::lock_guard lock(mutex_);
    return asked_.size();
  };
  while (asked() < 60 && !HasFatalFailure()) absl::SleepFor(absl::Milliseconds(10));
  const std::size_t before = asked();
  std::vector<Asked> acknowledged;
  {
    const std::lock_guard lock(mutex_);
    acknowledged = asked_;
  }
  const std::string dump = fleet_.directory() + "/contacts.sql";
  Run(absl::StrCat("mariadb-dump --single-transaction --no-tablespaces", Login(),
                   fleet_.database().options().database, " > ", dump));
  const std::size_t after = asked();
  stop = true;
  for (std::thread& worker : workers) worker.join();
  EXPECT_GT(after, before) << "nothing was asked for during the dump";

  restored_.emplace();
  Run(absl::StrCat("mariadb", Login(), restored_->options().database, " < ", dump));

  // No token is in the dump.
  const std::string text = ReadFile(dump);
  for (const Asked& one : asked_) {
    for (const char* account : {kFleetAdmin, kFleetSecond}) {
      EXPECT_FALSE(absl::StrContains(text, fleet_.Token(one.change, account)));
    }
  }

  // Every row of the dump is of one moment.
  const int64_t changes = Count("SELECT COUNT(*) FROM contact_change");
  EXPECT_GE(changes, static_cast<int64_t>(before));
  EXPECT_LT(changes, static_cast<int64_t>(asked_.size()) + 1);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM contact_change_event WHERE type = 8"),
            Count("SELECT COUNT(*) FROM contact_change WHERE state = 2"));
  EXPECT_EQ(Count("SELECT COUNT(*) FROM pending_role"),
            Count("SELECT COUNT(*) FROM contact_change WHERE state = 1"));
  EXPECT_EQ(Count("SELECT COUNT(*) FROM service WHERE tech = 'cc3-ovh'"),
            Count("SELECT COUNT(*) FROM contact_change WHERE state = 2"));
  EXPECT_EQ(Count("SELECT COUNT(*) FROM outbox LEFT JOIN contact_change ON subject ="
                  " contact_change.id WHERE contact_change.id IS NULL"),
            0);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM feed LEFT JOIN contact_change_event USING (change_id,"
                  " ordinal) WHERE contact_change_event.id IS NULL"),
            0);

  // Servers go on from it, with the token keys of before.
  ServerProcess server(restored_->server_uri(), fleet_.directory());
  server.Start();
  const auto stub = v1::ContactService::NewStub(server.Channel());
  // A kept answer is given again: the caller may not know whether it was lost.
  for (const Asked& one : acknowledged) {
    v1::ChangeContactsResponse response;
    EXPECT_EQ(ReasonOf(Fleet::Ask(*stub, one.service, one.to, one.request_id, response)), "OK");
    EXPECT_EQ(response.contact_changes(0).id(), one.change);
  }
  EXPECT_EQ(Count("SELECT COUNT(*) FROM contact_change"), changes);
  // Tokens that were sent before the dump, or since and lost with it, take effect.
  std::set<std::string> in_dump;
  for (const std::string& id : restored_->Query("SELECT LOWER(HEX(id)) FROM contact_change")) {
    in_dump.insert(id);
  }
  for (const Asked& one : acknowledged) {
    for (const char* account : {kFleetAdmin, kFleetSecond}) {
      v1::AcceptContactChangeResponse response;
      const std::string reason =
          ReasonOf(fleet_.Accept(*stub, account, one.change, NewRequestId(), response));
      EXPECT_THAT(reason, ::testing::AnyOf("OK", "CHANGE_CLOSED", "ALREADY_VALIDATED"));
    }
    EXPECT_EQ(
        restored_->Query(absl::StrCat("SELECT tech FROM service WHERE id = '", one.service, "'")),
        std::vector<std::string>{one.to});
  }
  // Owed e-mails are delivered, and those of the time since the dump belong to no change.
  const absl::Time deadline = absl::Now() + absl::Minutes(2);
  while (Count("SELECT COUNT(*) FROM outbox") > 0 && absl::Now() < deadline) {
    restored_->Execute("UPDATE outbox SET next_try_time = 0 WHERE waits = 1");
    absl::SleepFor(absl::Milliseconds(500));
  }
  EXPECT_EQ(Count("SELECT COUNT(*) FROM outbox"), 0);
  const Asked& lost = asked_.back();
  v1::AcceptContactChangeResponse response;
  EXPECT_EQ(ReasonOf(fleet_.Accept(*stub, kFleetAdmin, lost.change, NewRequestId(), response)),
            "CONTACT_CHANGE_NOT_FOUND");
}

}  // namespace
}  // namespace contacts
