#include "tests/faults/cluster_load.h"

#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <regex>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/mysql/database.h"
#include "core/mysql/session.h"

namespace contacts::testing {
namespace {

using v1::ContactService;

constexpr int kReaders = Fleet::kServers;
constexpr int kWatchers = 2;
constexpr absl::Duration kPatience = absl::Minutes(2);
// How late health may be: 3 s are promised, the rest is for a machine that does all of this.
constexpr absl::Duration kHealthLag = absl::Seconds(5);

// The parts of a status that a caller acts on: its reason, and whether it has RetryInfo.
// `restarts`: whether the status of a server that is not there counts as UNAVAILABLE.
std::string Told(const grpc::Status& status, bool restarts) {
  if (restarts && status.error_code() == grpc::StatusCode::UNAVAILABLE) return "UNAVAILABLE";
  std::string told = ReasonOf(status);
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !HasRetryInfo(status)) {
    absl::StrAppend(&told, " without RetryInfo (", status.error_message(), ")");
  }
  return told;
}

// Whether grpc.health.v1 says SERVING of the whole server.
bool SaysServing(grpc::GenericStub& stub, bool restarts) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  const grpc::Slice none;
  grpc::ByteBuffer answer;
  grpc::Status status;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                                          grpc::ByteBuffer(&none, 1), &queue);
  call->StartCall();
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool done = false;
  queue.Next(&tag, &done);
  EXPECT_TRUE(restarts || status.ok()) << "health does not answer: " << status.error_message();
  grpc::Slice bytes;
  constexpr absl::string_view kServing = "\x08\x01";
  return answer.DumpToSingleSlice(&bytes).ok() &&
         absl::string_view(reinterpret_cast<const char*>(bytes.begin()), bytes.size()) == kServing;
}

}  // namespace

ClusterLoad::ClusterLoad(Fleet& fleet, bool restarts)
    : fleet_(fleet),
      restarts_(restarts),
      callers_(kWriters + kReaders),
      servers_(Fleet::kServers),
      watchers_(kWatchers) {
  for (int i = 0; i < kWatchers; ++i) {
    watching_.emplace_back([this, i] { Watch(watchers_[static_cast<std::size_t>(i)], i); });
  }
  // The watchers have begun before the first event.
  const absl::Time deadline = absl::Now() + kPatience;
  for (const Watcher& watcher : watchers_) {
    while (absl::Now() < deadline) {
      {
        const std::lock_guard lock(const_cast<std::mutex&>(watcher.mutex));
        if (watcher.streams > 0) break;
      }
      absl::SleepFor(absl::Milliseconds(20));
    }
  }
  for (int i = 0; i < kWriters; ++i) threads_.emplace_back([this, i] { Write(i); });
  for (int i = 0; i < kReaders; ++i) threads_.emplace_back([this, i] { Read(kWriters + i); });
  for (int i = 0; i < Fleet::kServers; ++i) threads_.emplace_back([this, i] { PollHealth(i); });
}

ClusterLoad::~ClusterLoad() {
  stop_ = true;
  stop_watchers_ = true;
  for (std::thread& thread : threads_) thread.join();
  for (Watcher& watcher : watchers_) {
    const std::lock_guard lock(watcher.mutex);
    if (watcher.stream != nullptr) watcher.stream->Cancel();
  }
  for (std::thread& thread : watching_) thread.join();
}

void ClusterLoad::Count(const std::string& method, const grpc::Status& status,
                        absl::Duration took) {
  const std::lock_guard lock(mutex_);
  ++outcomes_[absl::StrCat(method, " ", Told(status, restarts_))];
  if (status.ok()) answers_.push_back(absl::Now());
  slowest_ = std::max(slowest_, took);
}

grpc::Status ClusterLoad::UntilAnswered(
    int index, const std::string& method,
    const std::function<grpc::Status(ContactService::Stub&)>& call) {
  // One channel for each server, made once a thread.
  thread_local std::vector<std::unique_ptr<ContactService::Stub>> stubs;
  thread_local int at = index;
  if (stubs.empty()) {
    for (int i = 0; i < Fleet::kServers; ++i) stubs.push_back(fleet_.Stub(i));
  }
  grpc::Status status;
  const absl::Time deadline = absl::Now() + kPatience;
  do {
    const absl::Time start = absl::Now();
    const auto server = static_cast<std::size_t>(at++ % Fleet::kServers);
    status = call(*stubs[server]);
    Count(method, status, absl::Now() - start);
    if (status.ok()) {
      servers_[server].began = absl::ToUnixMicros(start);
      servers_[server].ended = absl::ToUnixMicros(absl::Now());
    }
    if (!MayTryAgain(status)) {
      Caller& caller = callers_[static_cast<std::size_t>(index)];
      caller.answered = absl::ToUnixMicros(start);
      caller.longest = std::max(caller.longest, absl::Now() - caller.told);
      caller.told = absl::Now();
      return status;
    }
    absl::SleepFor(absl::Milliseconds(50));
  } while (absl::Now() < deadline);
  return status;
}

void ClusterLoad::Write(int index) {
  Caller& caller = callers_[static_cast<std::size_t>(index)];
  while (!stop_) {
    const std::string next = caller.holder == kFleetFirst ? kFleetSecond : kFleetFirst;
    const std::string ask_id = NewRequestId();
    v1::ChangeContactsResponse asked;
    ASSERT_EQ(ReasonOf(UntilAnswered(index, "ask",
                                     [&](ContactService::Stub& stub) {
                                       asked.Clear();
                                       return Fleet::Ask(stub, Fleet::ServiceName(index), next,
                                                         ask_id, asked);
                                     })),
              "OK");
    ASSERT_EQ(asked.contact_changes_size(), 1);
    const std::string change = asked.contact_changes(0).id();
    for (const std::string& validator : {std::string(kFleetAdmin), next}) {
      const std::string accept_id = NewRequestId();
      v1::AcceptContactChangeResponse accepted;
      ASSERT_EQ(ReasonOf(UntilAnswered(index, "accept",
                                       [&](ContactService::Stub& stub) {
                                         accepted.Clear();
                                         return fleet_.Accept(stub, validator, change, accept_id,
                                                              accepted);
                                       })),
                "OK");
      if (validator == next) {
        ASSERT_EQ(accepted.contact_change().state(), v1::CONTACT_CHANGE_STATE_DONE);
      }
    }
    caller.done.insert(change);
    caller.holder = next;
    const std::lock_guard lock(mutex_);
    known_done_.push_back(change);
  }
}

void ClusterLoad::Read(int index) {
  while (!stop_) {
    std::string change;
    {
      const std::lock_guard lock(mutex_);
      if (!known_done_.empty()) change = known_done_.back();
    }
    absl::SleepFor(absl::Milliseconds(2));
    if (change.empty()) continue;
    v1::GetContactChangeRequest request;
    request.set_contact_change_id(change);
    v1::GetContactChangeResponse response;
    const grpc::Status status = UntilAnswered(index, "read", [&](ContactService::Stub& stub) {
      response.Clear();
      return stub.GetContactChange(ActingAs(kFleetAdmin).get(), request, &response);
    });
    const bool stale =
        !status.ok() || response.contact_change().state() != v1::CONTACT_CHANGE_STATE_DONE;
    const std::lock_guard lock(mutex_);
    ++reads_;
    stale_ += stale;
  }
}

void ClusterLoad::Watch(Watcher& watcher, int index) {
  std::string token;
  for (int at = index; !stop_watchers_; ++at) {
    WatchStream stream(fleet_.server(at).Channel(), kObserver, token);
    {
      const std::lock_guard lock(watcher.mutex);
      watcher.stream = &stream;
    }
    bool begun = false;
    while (const auto next = stream.Next()) {
      token = next->resume_token();
      const std::lock_guard lock(watcher.mutex);
      watcher.streams += !begun;
      begun = true;
      if (next->has_event() && !watcher.seen.insert(next->event().id()).second) ++watcher.repeated;
    }
    {
      const std::lock_guard lock(watcher.mutex);
      watcher.stream = nullptr;
    }
    const grpc::Status status = stream.Finish();
    // A stream ends by its own deadline too.
    if (!stop_watchers_ && status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) {
      Count("watch", status, absl::ZeroDuration());
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
}

void ClusterLoad::PollHealth(int index) {
  Server& server = servers_[static_cast<std::size_t>(index)];
  grpc::GenericStub stub(fleet_.server(index).Channel());
  while (server.ended == 0 && !stop_) absl::SleepFor(absl::Milliseconds(10));
  absl::Time serving_since = absl::Now();
  std::optional<absl::Time> not_serving_since;
  std::optional<absl::Time> answers_since;
  while (!stop_) {
    const bool serving = SaysServing(stub, restarts_);
    const absl::Time now = absl::Now();
    if (serving) {
      if (not_serving_since) serving_since = now;
      not_serving_since.reset();
      answers_since.reset();
      const absl::Time last = std::max(serving_since, absl::FromUnixMicros(server.ended));
      server.serving_in_vain = std::max(server.serving_in_vain, now - last);
    } else {
      if (!not_serving_since) not_serving_since = now;
      // Calls get through while answers come at least once a second.
      if (now - absl::FromUnixMicros(server.ended) > absl::Seconds(1)) {
        answers_since.reset();
      } else if (absl::FromUnixMicros(server.began) > *not_serving_since) {
        if (!answers_since) answers_since = now;
        server.serving_unsaid = std::max(server.serving_unsaid, now - *answers_since);
      }
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
}

absl::Time ClusterLoad::FirstAnswerAfter(absl::Time since) const {
  const std::lock_guard lock(mutex_);
  for (const absl::Time answer : answers_) {
    if (answer >= since) return answer;
  }
  return absl::InfiniteFuture();
}

absl::Duration ClusterLoad::AnsweredSince(absl::Time since, absl::Duration limit) const {
  const auto all = [&] {
    return std::all_of(callers_.begin(), callers_.end(), [&](const Caller& caller) {
      return caller.answered >= absl::ToUnixMicros(since);
    });
  };
  while (!all()) {
    if (absl::Now() - since > limit || ::testing::Test::HasFatalFailure()) {
      return absl::InfiniteDuration();
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  return absl::Now() - since;
}

void ClusterLoad::ReadAsNewServers(absl::Time until) {
  int reads = 0;
  int stale = 0;
  while (absl::Now() < until) {
    std::string change;
    {
      const std::lock_guard lock(mutex_);
      change = known_done_.back();
    }
    Database database(fleet_.database().options());
    const absl::Status status =
        database.Read({.deadline = absl::Now() + absl::Seconds(5)}, [&](Session& session) {
          Rows rows = session.Query("SELECT state FROM contact_change WHERE id = ?",
                                    {Bind(*Uuid::Parse(change))});
          ++reads;
          stale += !rows.Next() || rows.Int() != static_cast<int64_t>(ChangeState::kDone);
          return absl::OkStatus();
        });
    if (!status.ok()) absl::SleepFor(absl::Milliseconds(100));
  }
  std::printf("  %d servers that start: %d first reads are stale\n", reads, stale);
  EXPECT_EQ(stale, 0) << "of " << reads << " first reads of servers that start";
}

void ClusterLoad::StopAndCheck(const std::string& title, absl::Duration unnoticed) {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  absl::Duration longest;
  for (const Caller& caller : callers_) longest = std::max(longest, caller.longest);
  std::printf(
      "%s: a caller was without an answer for %s, the slowest call took %s; %lld reads, %lld of "
      "them stale\n",
      title.c_str(), absl::FormatDuration(longest).c_str(), absl::FormatDuration(slowest_).c_str(),
      static_cast<long long>(reads_), static_cast<long long>(stale_));
  EXPECT_EQ(stale_, 0);
  CheckHealth(unnoticed);
  if (::testing::Test::HasFatalFailure()) return;
  CheckDatabase();
  CheckMails();
  CheckWatchers();
  for (const auto& [outcome, count] : outcomes_) {
    std::printf("  %7d %s\n", count, outcome.c_str());
    // A caller that follows the contract gets no other answers than these.
    EXPECT_TRUE(outcome.ends_with(" OK") || outcome.ends_with(" UNAVAILABLE")) << outcome;
  }
}

void ClusterLoad::CheckHealth(absl::Duration unnoticed) {
  for (const Server& server : servers_) {
    std::printf("  health said SERVING without an answer for %s, NOT_SERVING with answers for %s\n",
                absl::FormatDuration(server.serving_in_vain).c_str(),
                absl::FormatDuration(server.serving_unsaid).c_str());
    EXPECT_LT(server.serving_in_vain, unnoticed + kHealthLag);
    EXPECT_LT(server.serving_unsaid, kHealthLag);
  }
}

void ClusterLoad::CheckDatabase() {
  std::size_t done = 0;
  for (int i = 0; i < kWriters; ++i) {
    const Caller& caller = callers_[static_cast<std::size_t>(i)];
    done += caller.done.size();
    EXPECT_EQ(fleet_.database().Query(absl::StrCat("SELECT tech FROM service WHERE id = '",
                                                   Fleet::ServiceName(i), "'")),
              std::vector<std::string>{caller.holder});
    for (const std::string& change : caller.done) {
      const std::string row =
          absl::StrCat("SELECT COUNT(*) FROM contact_change WHERE state = 2 AND id = x'",
                       absl::BytesToHexString(Uuid::Parse(change)->bytes()), "'");
      EXPECT_EQ(fleet_.database().Count(row), 1) << change << " is lost";
    }
  }
  const auto count = [&](const std::string& sql) {
    return static_cast<std::size_t>(fleet_.database().Count(sql));
  };
  EXPECT_GT(done, 0U);
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change"), done);
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change_event WHERE type = 8"), done);
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change_event WHERE type = 4"), 2 * done);
  EXPECT_EQ(count("SELECT COUNT(*) FROM pending_role"), 0U);
  std::printf("  %zu changes asked for, accepted twice and done\n", done);
}

void ClusterLoad::CheckMails() {
  std::size_t done = 0;
  for (const Caller& caller : callers_) done += caller.done.size();
  // An e-mail that a server had claimed when it lost its connection is free again when the lease
  // ends. The test does not wait for that.
  const absl::Time deadline = absl::Now() + absl::Seconds(15);
  while (fleet_.database().Count("SELECT COUNT(*) FROM outbox") > 0 && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(200));
  }
  fleet_.database().Execute("UPDATE outbox SET next_try_time = 0");
  fleet_.WaitForMails();
  std::set<std::string> mails;
  std::size_t deliveries = 0;
  const std::regex told("Subject: (Contact change for [^:]+: done|Your contact roles on )");
  const std::regex id_line("[Mm]essage-[Ii][Dd]: (\\S+)");
  for (const std::string& mail : ReadMaildir(fleet_.mail_directory())) {
    if (!std::regex_search(mail, told)) continue;
    ++deliveries;
    std::smatch match;
    ASSERT_TRUE(std::regex_search(mail, match, id_line)) << mail;
    mails.insert(match[1]);
  }
  EXPECT_EQ(mails.size(), 3 * done);
  std::printf("  %zu e-mails about what was done, %zu delivered a second time\n", mails.size(),
              deliveries - mails.size());
}

void ClusterLoad::CheckWatchers() {
  std::set<std::string> events;
  // Delivering the e-mails above made the last of them.
  for (const std::string& hex :
       fleet_.database().Query("SELECT LOWER(HEX(id)) FROM contact_change_event")) {
    events.insert(Uuid::FromBytes(absl::HexStringToBytes(hex)).text());
  }
  for (Watcher& watcher : watchers_) {
    const absl::Time deadline = absl::Now() + absl::Minutes(1);
    std::size_t missing = 1;
    std::size_t unknown = 0;
    while (missing > 0 && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(50));
      const std::lock_guard lock(watcher.mutex);
      missing = unknown = 0;
      for (const std::string& id : events) missing += !watcher.seen.contains(id);
      for (const std::string& id : watcher.seen) unknown += !events.contains(id);
    }
    EXPECT_EQ(missing, 0U) << "of " << events.size() << " events";
    EXPECT_EQ(unknown, 0U) << "a watcher saw what is not there";
    std::printf("  a watcher saw %zu events in %d streams, %d repeated\n", watcher.seen.size(),
                watcher.streams, watcher.repeated);
  }
}

}  // namespace contacts::testing
