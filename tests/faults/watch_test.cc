// WatchContactChanges, on three servers over one database.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/ctl/client.h"
#include "client/ctl/command_line.h"
#include "client/lib/errors.h"
#include "core/mysql/database.h"
#include "core/mysql/session.h"
#include "tests/testing/fleet.h"
#include "tests/testing/watch_stream.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

TEST(Watch, AccountsWithMostStreamsGiveThemToOthersAndAllLeaveRoomForObservers) {
  Fleet fleet(1, {"--max_watchers=10"}, 1);
  std::map<std::string, std::vector<std::unique_ptr<WatchStream>>> streams;
  const auto begins = [&](const std::string& who, int count) {
    for (int i = 0; i < count; ++i) {
      streams[who].push_back(std::make_unique<WatchStream>(fleet.server(0).Channel(), who));
      streams[who].back()->Begin();
    }
  };
  // Two accounts take all places of accounts.
  begins(kFleetFirst, 5);
  begins(kFleetSecond, 4);
  EXPECT_EQ(EndOf(fleet, kFleetSecond, ""), "UNAVAILABLE");
  EXPECT_EQ(EndOf(fleet, kFleetFirst, ""), "UNAVAILABLE");
  begins(kFleetAdmin, 3);
  // Each ended the oldest stream of the account that had most.
  for (const auto& stream :
       {&streams[kFleetFirst][0], &streams[kFleetFirst][1], &streams[kFleetSecond][0]}) {
    EXPECT_FALSE((*stream)->Next().has_value());
    EXPECT_EQ(ReasonOf((*stream)->Finish()), "UNAVAILABLE");
  }
  EXPECT_EQ(EndOf(fleet, kFleetAdmin, ""), "UNAVAILABLE");
  begins(kObserver, 1);
  for (const auto& [who, own] : streams) {
    for (const auto& stream : own) stream->Cancel();
  }
}

// A watcher that keeps resuming from far back does not delay a watcher that resumes from near.
TEST(Watch, ThoseWhoResumeTakeTurns) {
  constexpr int kEvents = 40'000;
  Fleet fleet(2, {}, 1);
  WatchStream(fleet.server(0).Channel(), kFleetAdmin).Begin();
  const std::string far = AskFor(fleet, 0, kFleetSecond);
  std::string origin;
  {
    WatchStream stream(fleet.server(0).Channel(), kObserver);
    origin = stream.Begin();
  }
  for (int first = 0; first < kEvents; first += 1000) {
    std::string events =
        "INSERT INTO contact_change_event"
        " (change_id, ordinal, id, type, actor, account, time, state) VALUES ";
    std::string feed = "INSERT INTO feed_queue (change_id, ordinal) VALUES ";
    for (int i = first; i < first + 1000; ++i) {
      const char* comma = i == first ? "" : ",";
      absl::StrAppend(&events, comma, "(x'", absl::BytesToHexString(Uuid::Parse(far)->bytes()),
                      "',", 100 + i, ",x'", absl::BytesToHexString(Uuid::Version4().bytes()),
                      "',6,'','',0,1)");
      absl::StrAppend(&feed, comma, "(x'", absl::BytesToHexString(Uuid::Parse(far)->bytes()), "',",
                      100 + i, ")");
    }
    fleet.database().Execute(events);
    fleet.database().Execute(feed);
  }
  // Once a stream begins after them, the feed has numbered them all.
  const auto near = [&] {
    WatchStream stream(fleet.server(0).Channel(), kFleetAdmin);
    return stream.Begin();
  };
  while (fleet.database().Count("SELECT COUNT(*) FROM feed_queue") > 0) near();
  const std::string token = near();
  const std::string change = AskFor(fleet, 1, kFleetSecond);

  std::atomic<bool> ends = false;
  std::thread far_back([&] {
    std::vector<std::unique_ptr<WatchStream>> streams;
    while (!ends) {
      streams.push_back(
          std::make_unique<WatchStream>(fleet.server(0).Channel(), kFleetFirst, origin));
      if (streams.size() > 20) {
        streams.front()->Cancel();
        streams.erase(streams.begin());
      }
      absl::SleepFor(absl::Milliseconds(5));
    }
    for (const auto& stream : streams) stream->Cancel();
  });
  absl::SleepFor(absl::Milliseconds(200));
  WatchStream resumed(fleet.server(0).Channel(), kFleetAdmin, token);
  EXPECT_EQ(resumed.Types(1), std::vector<std::string>{"REQUESTED"});
  ends = true;
  far_back.join();
  resumed.Cancel();
}

TEST(Watch, ShowsEachWhatConcernsItAndTheObserverEverything) {
  Fleet fleet(2);
  WatchStream admin(fleet.server(0).Channel(), kFleetAdmin);
  WatchStream new_contact(fleet.server(1).Channel(), kFleetSecond);
  WatchStream old_contact(fleet.server(2).Channel(), kFleetFirst);
  WatchStream observer(fleet.server(1).Channel(), kObserver);
  for (WatchStream* stream : {&admin, &new_contact, &old_contact, &observer}) stream->Begin();

  const std::string change = AskFor(fleet, 0, kFleetSecond);
  const auto requested = ElementsAre("REQUESTED", "VALIDATION_SENT", "VALIDATION_SENT");
  EXPECT_THAT(admin.Types(3), requested);
  EXPECT_THAT(new_contact.Types(3), requested);
  EXPECT_THAT(observer.Types(3), requested);
  // The old contact sees none of these events. Its first event is its own later ask.
  v1::ChangeContactsRequest own;
  own.set_request_id(NewRequestId());
  v1::ContactAssignment& assignment = *own.add_assignments();
  assignment.set_service(Fleet::ServiceName(1));
  assignment.set_role(v1::CONTACT_ROLE_TECH);
  assignment.set_new_contact(kFleetSecond);
  v1::ChangeContactsResponse asked;
  ASSERT_EQ(ReasonOf(fleet.Stub(0)->ChangeContacts(ActingAs(kFleetFirst).get(), own, &asked)),
            "OK");
  const auto first = old_contact.Next();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->event().contact_change_id(), asked.contact_changes(0).id());

  v1::AcceptContactChangeResponse accepted;
  for (const char* validator : {kFleetAdmin, kFleetSecond}) {
    ASSERT_EQ(ReasonOf(fleet.Accept(*fleet.Stub(2), validator, change, "", accepted)), "OK");
  }
  for (WatchStream* stream : {&admin, &new_contact, &observer, &old_contact}) {
    std::optional<v1::WatchContactChangesResponse> next;
    do {
      next = stream->Next();
      ASSERT_TRUE(next.has_value());
    } while (next->event().contact_change_id() != change ||
             next->event().type() != v1::CONTACT_CHANGE_EVENT_TYPE_DONE);
  }
}

TEST(Watch, KeepsToOneServiceWhereAsked) {
  Fleet fleet(2);
  WatchStream stream(fleet.server(0).Channel(), kFleetAdmin, "", Fleet::ServiceName(1));
  const std::string token = stream.Begin();
  Cancel(fleet, AskFor(fleet, 0, kFleetSecond));
  const std::string change = AskFor(fleet, 1, kFleetSecond);
  const auto next = stream.Next();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->event().contact_change_id(), change);
  // The same from further back.
  WatchStream resumed(fleet.server(1).Channel(), kFleetAdmin, token, Fleet::ServiceName(1));
  resumed.Begin();
  const auto again = resumed.Next();
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->event().id(), next->event().id());
}

TEST(Watch, ResumesAfterATokenOnAnyServer) {
  Fleet fleet(1);
  std::string token;
  {
    WatchStream stream(fleet.server(0).Channel(), kFleetAdmin);
    token = stream.Begin();
    stream.Cancel();
  }
  Cancel(fleet, AskFor(fleet, 0, kFleetSecond));
  std::vector<std::string> seen;
  for (int server = 0; server < Fleet::kServers; ++server) {
    WatchStream stream(fleet.server(server).Channel(), kFleetAdmin, token);
    while (seen.size() < 2) {
      const auto next = stream.Next();
      ASSERT_TRUE(next.has_value());
      token = next->resume_token();
      if (!next->has_event()) continue;
      seen.push_back(next->event().id());
      break;
    }
    stream.Cancel();
  }
  const std::vector<std::string> all = fleet.database().Query(
      "SELECT LOWER(HEX(e.id)) FROM feed f JOIN contact_change_event e"
      " ON e.change_id = f.change_id AND e.ordinal = f.ordinal ORDER BY f.position LIMIT 2");
  for (std::string& id : seen) id.erase(std::remove(id.begin(), id.end(), '-'), id.end());
  EXPECT_EQ(seen, all);
}

TEST(Watch, RefusesWhoMayNotWatchAndTokensThatItCannotResume) {
  Fleet fleet(1, {"--event_retention=1h"});
  EXPECT_EQ(EndOf(fleet, "zz9-ovh", ""), "ACCOUNT_NOT_FOUND");
  EXPECT_EQ(EndOf(fleet, kFleetAdmin, "dG9rZW4"), "INVALID_FIELD");
  EXPECT_EQ(EndOf(fleet, kFleetAdmin, "", "not a service"), "INVALID_FIELD");
  {
    WatchStream nobody(fleet.server(0).Channel(), "");
    EXPECT_FALSE(nobody.Next().has_value());
    EXPECT_EQ(ReasonOf(nobody.Finish()), "UNAUTHENTICATED");
  }
  WatchStream stream(fleet.server(0).Channel(), kFleetAdmin);
  const std::string token = stream.Begin();
  AskFor(fleet, 0, kFleetSecond);
  const auto event = stream.Next();
  ASSERT_TRUE(event.has_value());

  // Events are removed after their retention. Then a token of such an event has expired.
  fleet.database().Execute("UPDATE feed SET time = time - 2 * 3600 * 1000000");
  fleet.server(1).Terminate();
  fleet.server(1).Start();  // Purges when it starts.
  for (int i = 0; i < 100 && fleet.database().Count("SELECT removed_position FROM feed_head") == 0;
       ++i) {
    absl::SleepFor(absl::Milliseconds(100));
  }
  EXPECT_EQ(EndOf(fleet, kFleetAdmin, token), "RESUME_TOKEN_EXPIRED");
  // History stays.
  EXPECT_GT(fleet.database().Count("SELECT COUNT(*) FROM contact_change_event"), 0);
}

TEST(Watch, EndsOnceItsAccountIsDeletedOrIsAnotherOneUnderItsId) {
  Fleet fleet(1);
  WatchStream deleted(fleet.server(0).Channel(), kFleetFirst);
  deleted.Begin();
  WatchStream made_again(fleet.server(0).Channel(), kFleetSecond);
  made_again.Begin();
  WatchStream other(fleet.server(0).Channel(), kFleetAdmin);
  other.Begin();
  fleet.database().Execute(absl::StrCat("DELETE FROM account WHERE id = '", kFleetFirst, "'"));
  fleet.database().Execute(absl::StrCat(
      "UPDATE account SET create_time = create_time + 1 WHERE id = '", kFleetSecond, "'"));
  for (WatchStream* stream : {&deleted, &made_again}) {
    while (stream->Next()) {
    }
    EXPECT_EQ(ReasonOf(stream->Finish()), "ACCOUNT_NOT_FOUND");
  }
  AskFor(fleet, 0, kFleetAdmin);
  EXPECT_EQ(other.Types(1).size(), 1);
  other.Cancel();
}

TEST(Watch, CutsOffAWatcherThatFallsBehindAndItResumesWithoutAGap) {
  constexpr int kChanges = 400;
  Fleet fleet(1, {"--max_watch_lag=20"});
  // A small window, and the client reads nothing: writes to this watcher soon wait.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 1024);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  WatchStream slow(grpc::CreateCustomChannel(fleet.server(0).address(),
                                             grpc::InsecureChannelCredentials(), arguments),
                   kFleetAdmin);
  const std::string token = slow.Begin();
  for (int i = 0; i < kChanges; ++i) Cancel(fleet, AskFor(fleet, 0, kFleetSecond));
  const int64_t events = fleet.database().Count("SELECT COUNT(*) FROM contact_change_event");

  std::string last = token;
  std::set<std::string> ids;
  while (const auto next = slow.Next()) {
    last = next->resume_token();
    if (next->has_event()) ids.insert(next->event().id());
  }
  EXPECT_EQ(ReasonOf(slow.Finish()), "UNAVAILABLE");
  EXPECT_LT(static_cast<int64_t>(ids.size()), events);
  WatchStream resumed(fleet.server(0).Channel(), kFleetAdmin, last);
  while (static_cast<int64_t>(ids.size()) < events) {
    const auto next = resumed.Next();
    ASSERT_TRUE(next.has_value());
    if (next->has_event()) ids.insert(next->event().id());
  }
}

TEST(Watch, AThousandWatchersOfOneServerAllSeeIt) {
  constexpr int kWatchers = 1000;
  Fleet fleet(1);
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < 4; ++i) channels.push_back(fleet.server(0).Channel());
  const auto open = [&](std::size_t i) {
    return std::make_unique<WatchStream>(channels[i % 4], i % 2 == 0 ? kFleetAdmin : kObserver);
  };
  std::vector<std::unique_ptr<WatchStream>> streams;
  for (std::size_t i = 0; i < kWatchers; ++i) streams.push_back(open(i));
  for (std::size_t i = 0; i < streams.size(); ++i) {
    // These are more than may wait for the database at once: some must try again.
    while (!streams[i]->Next()) {
      ASSERT_EQ(streams[i]->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
      absl::SleepFor(absl::Milliseconds(50));
      streams[i] = open(i);
    }
  }
  AskFor(fleet, 0, kFleetSecond);
  for (const auto& stream : streams) EXPECT_EQ(stream->Types(1).at(0), "REQUESTED");
}

TEST(Watch, EndsWithUnavailableWhenTheServerStops) {
  Fleet fleet(1);
  WatchStream stream(fleet.server(0).Channel(), kFleetAdmin);
  stream.Begin();
  EXPECT_EQ(fleet.server(0).Terminate(), 0);
  EXPECT_FALSE(stream.Next().has_value());
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  fleet.server(0).Start();
}

// A backup of the database, made by the constructor.
class Backup {
 public:
  explicit Backup(const TestDatabase& database) : database_(database) {
    // Every table, also the outbox.
    for (const std::string& table : database.Query("SHOW TABLES")) {
      tables_.push_back(table);
      database.Execute(absl::StrCat("CREATE TABLE kept_", table, " AS SELECT * FROM ", table));
    }
  }

  // Restores the backup and runs `more` in the same transaction.
  void Restore(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> statements;
    for (const std::string& table : tables_) {
      statements.push_back(absl::StrCat("DELETE FROM ", table));
      statements.push_back(absl::StrCat("INSERT INTO ", table, " SELECT * FROM kept_", table));
    }
    statements.insert(statements.end(), more.begin(), more.end());
    Database database(database_.options());
    const absl::Status restored = database.Write({}, [&](Session& session) {
      for (const std::string& statement : statements) session.Queue(statement);
      return absl::OkStatus();
    });
    EXPECT_TRUE(restored.ok()) << restored;
  }

 private:
  const TestDatabase& database_;
  std::vector<std::string> tables_;
};

// Reads on to the token of the last event of the feed.
std::string TokenOfTheLastEvent(Fleet& fleet, WatchStream& stream, int events) {
  std::string token;
  for (int i = 0; i < events;) {
    const auto next = stream.Next();
    if (!next) break;
    i += next->has_event() ? 1 : 0;
    token = next->resume_token();
  }
  EXPECT_EQ(fleet.database().Count("SELECT COUNT(*) FROM feed_queue"), 0);
  return token;
}

// An ask makes three events: itself, and an e-mail sent to each validator.
constexpr int kEventsOfAsk = 3;

TEST(WatchOfARestoredDatabase, TokensOfWhatWasLostHaveExpiredAndEarlierOnesGoOn) {
  Fleet fleet(3, {}, 1);
  std::string before, after;
  std::optional<Backup> backup;
  {
    WatchStream stream(fleet.server(0).Channel(), kObserver);
    stream.Begin();
    AskFor(fleet, 0, kFleetSecond);
    before = TokenOfTheLastEvent(fleet, stream, kEventsOfAsk);
    fleet.WaitForMails();
    backup.emplace(fleet.database());
    AskFor(fleet, 1, kFleetSecond);
    after = TokenOfTheLastEvent(fleet, stream, kEventsOfAsk);
    fleet.WaitForMails();
    stream.Cancel();
  }
  backup->Restore();
  // The token is ahead of the feed.
  EXPECT_EQ(EndOf(fleet, kObserver, after), "RESUME_TOKEN_EXPIRED");
  {
    WatchStream stream(fleet.server(0).Channel(), kObserver, before);
    stream.Begin();
    const std::string other = AskFor(fleet, 2, kFleetSecond);
    auto event = stream.Next();
    while (event && !event->has_event()) event = stream.Next();
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->event().contact_change_id(), other);
    TokenOfTheLastEvent(fleet, stream, kEventsOfAsk - 1);
    stream.Cancel();
  }
  // By now another event has the token's position.
  EXPECT_EQ(EndOf(fleet, kObserver, after), "RESUME_TOKEN_EXPIRED");
}

TEST(WatchOfARestoredDatabase, EndsTheStreamsThatHadSeenWhatWasLost) {
  for (const bool goes_on : {false, true}) {
    Fleet fleet(2, {}, 1);
    WatchStream observer(fleet.server(0).Channel(), kObserver);
    WatchStream account(fleet.server(0).Channel(), kFleetAdmin);
    observer.Begin();
    account.Begin();
    AskFor(fleet, 0, kFleetSecond);
    TokenOfTheLastEvent(fleet, observer, kEventsOfAsk);
    fleet.WaitForMails();
    const Backup backup(fleet.database());
    AskFor(fleet, 1, kFleetSecond);
    TokenOfTheLastEvent(fleet, observer, kEventsOfAsk);
    fleet.WaitForMails();
    // If `goes_on`, the feed is longer than before the restore when it is read again.
    std::vector<std::string> more;
    for (int i = 0; goes_on && i < 3 * kEventsOfAsk; ++i) {
      more.push_back(absl::StrCat(
          "INSERT INTO feed (position, change_id, ordinal, time) SELECT h.last_position + ", i + 1,
          ", c.id, 1, ", i, " FROM feed_head h, contact_change c"));
    }
    if (goes_on) {
      more.push_back(
          absl::StrCat("UPDATE feed_head SET last_position = last_position + ", 3 * kEventsOfAsk));
    }
    backup.Restore(more);
    for (WatchStream* stream : {&observer, &account}) {
      while (stream->Next()) {
      }
      EXPECT_EQ(ReasonOf(stream->Finish()), "RESUME_TOKEN_EXPIRED") << goes_on;
    }
    WatchStream again(fleet.server(0).Channel(), kObserver);
    again.Begin();
    AskFor(fleet, 1, kFleetSecond);
    EXPECT_EQ(again.Types(1), std::vector<std::string>{"REQUESTED"});
    again.Cancel();
  }
}

TEST(WatchCommand, ShowsALineForEachEventAndResumes) {
  Fleet fleet(1);
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "--server=" + fleet.server(0).address());
    std::istringstream in;
    std::ostringstream out, err;
    EXPECT_EQ(client::RunCommandLine(arguments, kFleetAdmin, {.in = in, .out = out, .err = err}),
              client::kDone)
        << err.str();
    return out.str();
  };
  std::string token;
  {
    WatchStream stream(fleet.server(0).Channel(), kFleetAdmin);
    token = stream.Begin();
    stream.Cancel();
  }
  const std::string change = AskFor(fleet, 0, kFleetSecond);
  EXPECT_THAT(run({"watch", "--count=1", "--resume-token=" + token}),
              MatchesRegex(absl::StrCat(".* UTC  ", change,
                                        "  requested  cc3-ovh  by aa1-ovh  validating\n")));
  // The token in a line of JSON resumes after that line. An observer sees the same.
  const std::string line =
      run({"watch", "--count=1", "--output=json", "--observer", "--resume-token=" + token});
  EXPECT_THAT(line, HasSubstr("\"type\":\"CONTACT_CHANGE_EVENT_TYPE_REQUESTED\""));
  const std::string key = "\"resume_token\":\"";
  const std::size_t begin = line.find(key) + key.size();
  const std::string next = line.substr(begin, line.find('"', begin) - begin);
  EXPECT_THAT(run({"watch", "--count=1", "--resume-token=" + next}),
              HasSubstr("  validation sent  "));
}

}  // namespace
}  // namespace contacts
