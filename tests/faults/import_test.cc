// Imports through servers in their own processes: broken off at any point, resumed, slowed down,
// refused.

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <atomic>
#include <random>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/bulk/importer.h"
#include "client/bulk/records.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "tests/testing/server_process.h"
#include "tests/testing/test_database.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ServerProcess;
using v1::ImportDirectoryRequest;
using v1::ImportDirectoryResponse;
using Stream = grpc::ClientReaderWriter<ImportDirectoryRequest, ImportDirectoryResponse>;

template <typename Detail>
bool Find(const grpc::Status& status, Detail& detail) {
  google::rpc::Status packed;
  packed.ParseFromString(status.error_details());
  for (const auto& any : packed.details()) {
    if (any.UnpackTo(&detail)) return true;
  }
  return false;
}

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::ErrorInfo info;
  return Find(status, info) ? info.reason() : "";
}

ImportDirectoryRequest AccountOf(int i, const std::string& email = "a@mail.example") {
  ImportDirectoryRequest request;
  request.mutable_account()->set_id(absl::StrCat("aa", i, "-ovh"));
  request.mutable_account()->set_email(email);
  return request;
}

// One server on a fresh database, and a stub of it.
struct Place {
  explicit Place(std::vector<std::string> flags = {})
      : server(database.server_uri(), directory.path(), std::move(flags)) {
    server.Start();
    stub = v1::DirectoryService::NewStub(server.Channel());
  }

  int64_t Accounts() const { return database.Count("SELECT COUNT(*) FROM account"); }

  testing::TestDatabase database;
  testing::TemporaryDirectory directory;
  ServerProcess server;
  std::unique_ptr<v1::DirectoryService::Stub> stub;
};

// A stream opened by an operator.
struct Opened {
  explicit Opened(const Place& place, const char* caller = "operator") {
    if (caller != nullptr) context.AddMetadata("contacts-caller", caller);
    stream = place.stub->ImportDirectory(&context);
  }

  // Sends the accounts from `from` to below `to`.
  bool Send(int from, int to) {
    for (int i = from; i < to; ++i) {
      if (!stream->Write(AccountOf(i))) return false;
    }
    return true;
  }
  // Reads until at least so many records are acknowledged. Returns the acknowledged number.
  int64_t ReadTo(int64_t count) {
    ImportDirectoryResponse response;
    while (response.committed_count() < count && stream->Read(&response)) {
    }
    return response.committed_count();
  }
  grpc::Status Finish() {
    ImportDirectoryResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish();
  }

  grpc::ClientContext context;
  std::unique_ptr<Stream> stream;
};

// A file of `count` accounts and as many services. Some records are invalid.
std::string FileOf(int count) {
  std::ostringstream text;
  for (int i = 0; i < count; ++i) {
    v1::Account account = AccountOf(i, absl::StrCat("a", i, "@mail.example")).account();
    if (i % 1000 == 7) account.set_email("nobody");
    client::WriteRecord(account, text);
  }
  for (int i = 0; i < count; ++i) {
    v1::Service service;
    service.set_id(absl::StrCat("s", i, ".example"));
    service.set_kind("domain");
    service.set_admin(absl::StrCat("aa", i, "-ovh"));
    service.set_tech(absl::StrCat("aa", (i * 7) % count, "-ovh"));
    service.set_billing(service.admin());
    service.mutable_owner()->set_city("Orléans");
    client::WriteRecord(service, text);
  }
  return text.str();
}

// "LINE REASON" of everything that was rejected while `text` was imported.
std::vector<std::string> ImportFile(const std::string& text, const Place& place,
                                    grpc::Status& status, std::atomic<int64_t>* progress) {
  std::istringstream in(text);
  const auto reader = client::ReadRecords(in, client::RecordFormat::kJsonLines);
  std::vector<std::string> rejected;
  client::Importer::Options options;
  options.open = [&](grpc::ClientContext* context) {
    context->AddMetadata("contacts-caller", "operator");
    return place.stub->ImportDirectory(context);
  };
  options.patience = absl::Seconds(60);
  options.clock = {absl::Now, absl::SleepFor, nullptr};
  options.on_rejected = [&](const client::Importer::RejectedRecord& one) {
    rejected.push_back(absl::StrCat(one.line, " ", one.reason));
  };
  options.on_progress = [&](const client::Importer::Counts& counts) {
    if (progress != nullptr) *progress = counts.records;
  };
  client::Importer importer(reader.get(), std::move(options));
  status = importer.Run();
  EXPECT_EQ(importer.counts().rejected, static_cast<int64_t>(rejected.size()));
  return rejected;
}

// Everything but times.
std::vector<std::string> StateOf(const Place& place) {
  std::vector<std::string> state = place.database.Query(
      "SELECT CONCAT_WS(' ', id, email, language, standing, version) FROM account ORDER BY id");
  for (std::string& service : place.database.Query(
           "SELECT CONCAT_WS(' ', id, kind, admin, tech, billing, owner_city, version)"
           " FROM service ORDER BY id")) {
    state.push_back(std::move(service));
  }
  return state;
}

TEST(ImportDirectory, EndsInTheSameStateHoweverOftenItsServerIsKilled) {
  constexpr int kRecords = 6000;
  const std::string file = FileOf(kRecords);
  grpc::Status status;
  Place whole;
  const std::vector<std::string> rejected = ImportFile(file, whole, status, nullptr);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(whole.Accounts(), kRecords - kRecords / 1000);

  Place broken;
  std::atomic<int64_t> progress = 0;
  std::atomic<bool> done = false;
  int kills = 0;
  std::thread killer([&] {
    std::mt19937 random(20261123);
    // Each time after some more records were acknowledged, then at any moment.
    for (int64_t next = 1; !done; next = progress + 1500) {
      while (!done && progress < next) absl::SleepFor(absl::Milliseconds(1));
      absl::SleepFor(absl::Milliseconds(std::uniform_int_distribution<int>(0, 40)(random)));
      if (done) break;
      broken.server.Kill();
      ++kills;
      broken.server.Start();
    }
  });
  const std::vector<std::string> rejected_too = ImportFile(file, broken, status, &progress);
  done = true;
  killer.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_GT(kills, 2);
  EXPECT_EQ(rejected_too, rejected);
  EXPECT_EQ(StateOf(broken), StateOf(whole));
}

TEST(ImportDirectory, BrokenOffByItsClientKeepsWhatWasAcknowledgedAndGoesOnFromThere) {
  Place place;
  std::mt19937 random(7);
  int64_t done = 0;
  while (done < 5000) {
    Opened opened(place);
    std::thread sender([&] { opened.Send(static_cast<int>(done), 5000); });
    const int64_t acknowledged =
        opened.ReadTo(std::uniform_int_distribution<int64_t>(1, 2500)(random));
    opened.context.TryCancel();
    sender.join();
    opened.Finish();
    ASSERT_GT(acknowledged, 0);
    done += acknowledged;
    EXPECT_GE(place.Accounts(), done);
    ASSERT_LE(done, 5000);
  }
  EXPECT_EQ(place.Accounts(), 5000);
  EXPECT_EQ(place.database.Count("SELECT COUNT(*) FROM account WHERE version <> 1"), 0);
}

TEST(ImportDirectory, NamesRejectedRecordsAndGoesOn) {
  Place place;
  Opened opened(place);
  ASSERT_TRUE(opened.Send(0, 2));
  opened.stream->Write(AccountOf(2, "nobody"));
  opened.stream->Write(ImportDirectoryRequest());
  ImportDirectoryRequest service;
  service.mutable_service()->set_id("s.example");
  service.mutable_service()->set_kind("domain");
  for (auto* contact :
       {service.mutable_service()->mutable_admin(), service.mutable_service()->mutable_tech(),
        service.mutable_service()->mutable_billing()}) {
    *contact = "zz9-ovh";
  }
  opened.stream->Write(service);
  ASSERT_TRUE(opened.Send(5, 6));
  opened.stream->WritesDone();
  std::vector<std::string> lines;
  ImportDirectoryResponse response;
  int64_t committed = 0;
  while (opened.stream->Read(&response)) {
    committed = response.committed_count();
    for (const auto& rejection : response.rejections()) {
      const std::string& message = rejection.message();
      lines.push_back(absl::StrCat(rejection.index(), " ", rejection.reason(), " ",
                                   message.substr(0, message.find(':'))));
    }
  }
  EXPECT_TRUE(opened.stream->Finish().ok());
  EXPECT_EQ(committed, 6);
  EXPECT_THAT(lines, ElementsAre("2 INVALID_FIELD account.email", "3 INVALID_FIELD record",
                                 "4 ACCOUNT_NOT_FOUND no account \"zz9-ovh\""));
  EXPECT_EQ(place.Accounts(), 3);
}

TEST(ImportDirectory, AcknowledgesASlowProducerWithoutWaitingForAFullBatch) {
  Place place;
  Opened opened(place);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(opened.Send(i, i + 1));
    EXPECT_EQ(opened.ReadTo(i + 1), i + 1);
    EXPECT_EQ(place.Accounts(), i + 1);
  }
  opened.stream->WritesDone();
  EXPECT_TRUE(opened.Finish().ok());
}

TEST(ImportDirectory, ReadsNoFurtherThanItCommits) {
  Place place({"--import_idle_limit=60s"});
  Opened opened(place);
  ASSERT_TRUE(opened.Send(0, 1));
  ASSERT_EQ(opened.ReadTo(1), 1);
  // Its next batch waits for a row that is locked.
  std::thread lock([&] {
    place.database.Execute("UPDATE account SET version = version + SLEEP(6) WHERE id = 'aa0-ovh'");
  });
  absl::SleepFor(absl::Milliseconds(500));
  const int64_t before = place.server.ResidentKilobytes();
  std::atomic<int64_t> sent = 0;
  const std::string long_email =
      std::string(60, 'a') + "@" + std::string(60, 'b') + "." + std::string(60, 'c') + ".example";
  constexpr int64_t kRecords = 400'000;  // 80 MB.
  std::thread sender([&] {
    // The locked row comes first, so that the first batch is the one to wait.
    while (sent < kRecords && opened.stream->Write(AccountOf(static_cast<int>(sent), long_email))) {
      ++sent;
    }
  });
  absl::SleepFor(absl::Seconds(2));
  const int64_t sent_at_2 = sent;
  absl::SleepFor(absl::Seconds(2));
  const int64_t sent_at_4 = sent;
  EXPECT_GT(sent_at_2, 2000);
  EXPECT_LT(sent_at_4, kRecords / 4);
  EXPECT_EQ(sent_at_4, sent_at_2) << "the client is not made to wait";
  EXPECT_EQ(place.Accounts(), 1);
  EXPECT_LT(place.server.ResidentKilobytes() - before, 32 * 1024);
  lock.join();
  // The import goes on although no answer is read, and memory does not grow.
  const absl::Time end = absl::Now() + absl::Seconds(20);
  while (sent < 60'000 && absl::Now() < end) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_GE(sent, 60'000);
  EXPECT_LT(place.server.ResidentKilobytes() - before, 32 * 1024);
  opened.context.TryCancel();
  sender.join();
  opened.Finish();
}

TEST(ImportDirectory, BeyondTheLimitOfStreamsIsRefusedAtOnceAndLetInAfterwards) {
  Place place({"--max_imports=2"});
  Opened first(place);
  Opened second(place);
  ASSERT_TRUE(first.Send(0, 1) && second.Send(1, 2));
  ASSERT_EQ(first.ReadTo(1), 1);
  ASSERT_EQ(second.ReadTo(1), 1);
  {
    Opened third(place);
    const grpc::Status refused = third.Finish();
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ReasonOf(refused), "UNAVAILABLE");
    google::rpc::RetryInfo retry;
    EXPECT_TRUE(Find(refused, retry));
  }
  first.stream->WritesDone();
  EXPECT_TRUE(first.Finish().ok());
  Opened third(place);
  ASSERT_TRUE(third.Send(2, 3));
  EXPECT_EQ(third.ReadTo(1), 1);
}

TEST(ImportDirectory, WithoutRecordsForTooLongIsEnded) {
  Place place({"--import_idle_limit=1s", "--max_imports=1"});
  Opened idle(place);
  ASSERT_TRUE(idle.Send(0, 1));
  const grpc::Status status = idle.Finish();
  EXPECT_EQ(ReasonOf(status), "UNAVAILABLE") << status.error_message();
  EXPECT_EQ(place.Accounts(), 1);
  Opened next(place);
  ASSERT_TRUE(next.Send(1, 2));
  EXPECT_EQ(next.ReadTo(1), 1);
}

TEST(ImportDirectory, PastItsDeadlineIsEnded) {
  Place place;
  Opened opened(place);
  opened.context.TryCancel();
  opened.Finish();
  grpc::ClientContext context;
  context.AddMetadata("contacts-caller", "operator");
  // Long enough for one record on a busy machine.
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  const auto stream = place.stub->ImportDirectory(&context);
  stream->Write(AccountOf(1));
  ImportDirectoryResponse response;
  while (stream->Read(&response)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(place.Accounts(), 1);
}

TEST(ImportDirectory, OfAStoppingServerEndsWithWhatItAcknowledged) {
  Place place;
  Opened opened(place);
  std::atomic<bool> stop = false;
  std::thread sender([&] {
    for (int i = 0; !stop && opened.Send(i, i + 1); ++i) {
    }
  });
  int64_t acknowledged = opened.ReadTo(1);
  ASSERT_GE(acknowledged, 1);
  std::thread stopper([&] { EXPECT_EQ(place.server.Terminate(), 0); });
  ImportDirectoryResponse response;
  while (opened.stream->Read(&response)) acknowledged = response.committed_count();
  const grpc::Status status = opened.stream->Finish();
  stop = true;
  sender.join();
  stopper.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  // A connection that ends while its client still sends may be reset before the reason is read.
  if (!status.error_details().empty()) {
    EXPECT_EQ(ReasonOf(status), "UNAVAILABLE");
  }
  EXPECT_EQ(place.Accounts(), acknowledged);
}

TEST(ImportDirectory, IsForOperatorsAlone) {
  Place place;
  EXPECT_EQ(ReasonOf(Opened(place, nullptr).Finish()), "UNAUTHENTICATED");
  EXPECT_EQ(ReasonOf(Opened(place, "observer").Finish()), "CALLER_NOT_ALLOWED");
  Opened customer(place, nullptr);
  EXPECT_EQ(ReasonOf(customer.Finish()), "UNAUTHENTICATED");
}

}  // namespace
}  // namespace contacts
