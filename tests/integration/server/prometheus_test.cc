// A real Prometheus scrapes a server. The test reads from it the numbers of known calls, the
// queries of the dashboard, and the alerts.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "tests/testing/fleet.h"
#include "tests/testing/http.h"

namespace contacts {
namespace {

using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using Json = nlohmann::json;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

constexpr absl::Duration kPatience = absl::Minutes(1);

std::string Deployed(const char* file) {
  return absl::StrCat(std::getenv("CONTACTS_TEST_SOURCE_DIR"), "/deploy/", file);
}

// Debian's Prometheus with our alerts, scraping one server each second.
class Prometheus {
 public:
  explicit Prometheus(int server_port) {
    std::ofstream(directory_.path() + "/prometheus.yml")
        << "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
        << "rule_files: ['" << Deployed("alerts.yml") << "']\n"
        << "scrape_configs:\n"
        << "  - job_name: contacts\n"
        << "    static_configs: [{targets: ['127.0.0.1:" << server_port << "']}]\n";
    std::vector<std::string> arguments = {
        "/usr/bin/prometheus", absl::StrCat("--config.file=", directory_.path(), "/prometheus.yml"),
        absl::StrCat("--storage.tsdb.path=", directory_.path(), "/data"),
        absl::StrCat("--web.listen-address=127.0.0.1:", port_)};
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const std::string log = directory_.path() + "/log";
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(open(log.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    const absl::Time deadline = absl::Now() + kPatience;
    while (HttpGet(port_, "/-/ready").find("Ready") == std::string::npos) {
      if (absl::Now() < deadline && waitpid(pid_, nullptr, WNOHANG) == 0) {
        absl::SleepFor(absl::Milliseconds(100));
        continue;
      }
      ADD_FAILURE() << "prometheus did not start (deploy/install-packages.sh test installs it):\n"
                    << ReadFile(log);
      return;
    }
  }
  ~Prometheus() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Prometheus(const Prometheus&) = delete;
  Prometheus& operator=(const Prometheus&) = delete;

  // The samples of an instant query. Fails the test if Prometheus refuses the query.
  Json Query(const std::string& query) const {
    const Json answer =
        Json::parse(HttpGet(port_, "/api/v1/query", "query", query), nullptr, false);
    if (answer.value("status", "") != "success") {
      ADD_FAILURE() << query << ": " << answer;
      return Json::array();
    }
    return answer["data"]["result"];
  }
  // The value of the only sample. -1 if there is not exactly one.
  double Value(const std::string& query) const {
    const Json samples = Query(query);
    return samples.size() == 1 ? std::stod(samples[0]["value"][1].get<std::string>()) : -1;
  }
  // Waits until the value is `wanted`. Returns the last value.
  double Await(const std::string& query, double wanted) const {
    const absl::Time deadline = absl::Now() + kPatience;
    double value = Value(query);
    for (; value != wanted && absl::Now() < deadline; value = Value(query)) {
      absl::SleepFor(absl::Milliseconds(200));
    }
    return value;
  }
  Json Api(const std::string& path) const {
    return Json::parse(HttpGet(port_, path), nullptr, false)["data"];
  }
  std::set<std::string> Names() const {
    return Api("/api/v1/label/__name__/values").get<std::set<std::string>>();
  }

 private:
  const TemporaryDirectory directory_;
  const int port_ = FreePort();
  int pid_ = -1;
};

// The names of the server's own metrics in a query.
std::set<std::string> MetricsIn(const std::string& query) {
  static const RE2 name(R"(\b((?:contacts|grpc_server|process)_[a-z_]+|up)\b)");
  std::set<std::string> names;
  re2::StringPiece rest(query);
  for (std::string found; RE2::FindAndConsume(&rest, name, &found);) names.insert(found);
  return names;
}

// Every query of the dashboard, with its variables filled in.
std::vector<std::string> DashboardQueries() {
  const Json dashboard = Json::parse(ReadFile(Deployed("grafana-dashboard.json")));
  std::vector<std::string> queries;
  const auto add = [&](const Json& target) {
    queries.push_back(
        absl::StrReplaceAll(target.at("expr").get<std::string>(),
                            {{"$__rate_interval", "1m"}, {"$instance", "127.0.0.1:.*"}}));
    EXPECT_EQ(queries.back().find('$'), std::string::npos) << queries.back();
  };
  for (const Json& panel : dashboard.at("panels")) {
    for (const Json& target : panel.value("targets", Json::array())) add(target);
  }
  return queries;
}

class PrometheusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access("/usr/bin/prometheus", X_OK) != 0) {
      FAIL() << "there is no /usr/bin/prometheus: deploy/install-packages.sh test installs it";
    }
  }

  const int metrics_port_ = FreePort();
  Fleet fleet_{4, {absl::StrCat("--metrics=127.0.0.1:", metrics_port_)}, 1};
  std::unique_ptr<v1::ContactService::Stub> stub_ = fleet_.Stub(0);

  std::string AskFor(int service) {
    v1::ChangeContactsResponse response;
    EXPECT_EQ(ReasonOf(Fleet::Ask(*stub_, Fleet::ServiceName(service), kFleetSecond, NewRequestId(),
                                  response)),
              "OK");
    return response.contact_changes(0).id();
  }
  void TakeEffect(const std::string& change) {
    for (const char* account : {kFleetAdmin, kFleetSecond}) {
      v1::AcceptContactChangeResponse response;
      EXPECT_EQ(ReasonOf(fleet_.Accept(*stub_, account, change, NewRequestId(), response)), "OK");
    }
  }
  void GetProfiles(int times, const std::string& account, const std::string& reason) {
    for (int i = 0; i < times; ++i) {
      v1::GetProfileResponse response;
      EXPECT_EQ(ReasonOf(stub_->GetProfile(ActingAs(account).get(), {}, &response)), reason);
    }
  }
};

TEST_F(PrometheusTest, TellsOfTheCallsThatWereMade) {
  const Prometheus prometheus(metrics_port_);
  EXPECT_EQ(prometheus.Await("up{job=\"contacts\"}", 1), 1);
  GetProfiles(7, kFleetAdmin, "OK");
  GetProfiles(3, "zz9-ovh", "ACCOUNT_NOT_FOUND");
  TakeEffect(AskFor(0));
  TakeEffect(AskFor(1));
  AskFor(2);

  const auto handled = [](const std::string& method, const std::string& more) {
    return absl::StrCat("grpc_server_handled_total{grpc_method=\"", method, "\",", more, "}");
  };
  EXPECT_EQ(prometheus.Await(handled("ChangeContacts", "grpc_code=\"OK\""), 3), 3);
  EXPECT_EQ(prometheus.Value(handled("GetProfile", "grpc_code=\"OK\"")), 7);
  EXPECT_EQ(prometheus.Value(handled("GetProfile", "reason=\"ACCOUNT_NOT_FOUND\"")), 3);
  EXPECT_EQ(prometheus.Value(handled("AcceptContactChange", "grpc_code=\"OK\"")), 4);
  EXPECT_EQ(prometheus.Value("grpc_server_started_total{grpc_method=\"GetProfile\"}"), 10);
  EXPECT_EQ(prometheus.Value("grpc_server_handling_seconds_count{grpc_method=\"GetProfile\"}"), 10);
  EXPECT_EQ(prometheus.Value(
                "grpc_server_handling_seconds_bucket{grpc_method=\"GetProfile\",le=\"+Inf\"}"),
            10);
  EXPECT_EQ(prometheus.Value("contacts_changes_total{state=\"validating\"}"), 3);
  EXPECT_EQ(prometheus.Value("contacts_changes_total{state=\"done\"}"), 2);
  EXPECT_EQ(prometheus.Value("sum(contacts_changes_total)"), 5);

  // Two for each change, three more for each that took effect.
  fleet_.WaitForMails();
  EXPECT_EQ(prometheus.Await("contacts_mails_total{outcome=\"delivered\"}",
                             static_cast<double>(ReadMaildir(fleet_.mail_directory()).size())),
            static_cast<double>(ReadMaildir(fleet_.mail_directory()).size()));

  // The process's own measures agree.
  EXPECT_NEAR(prometheus.Value("process_resident_memory_bytes{job=\"contacts\"}") / 1024,
              static_cast<double>(fleet_.server(0).ResidentKilobytes()), 20'000);
  EXPECT_GT(prometheus.Value("process_cpu_seconds_total{job=\"contacts\"}"), 0);
  EXPECT_GT(prometheus.Value("process_open_fds{job=\"contacts\"}"), 10);
  EXPECT_LT(prometheus.Value("process_open_fds{job=\"contacts\"}"), 200);
  EXPECT_NEAR(prometheus.Value("process_start_time_seconds{job=\"contacts\"}"),
              absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()), 300);
  EXPECT_EQ(fleet_.server(0).Terminate(), 0);
  EXPECT_EQ(prometheus.Await("up{job=\"contacts\"}", 0), 0);
}

TEST_F(PrometheusTest, HasWhatTheDashboardAndTheAlertsAskFor) {
  const Prometheus prometheus(metrics_port_);
  GetProfiles(1, "zz9-ovh", "ACCOUNT_NOT_FOUND");
  TakeEffect(AskFor(0));
  grpc::ClientContext watching;
  watching.AddMetadata("contacts-account", kFleetAdmin);
  const auto watch = stub_->WatchContactChanges(&watching, {});
  v1::WatchContactChangesResponse response;
  EXPECT_TRUE(watch->Read(&response));
  EXPECT_EQ(prometheus.Await("contacts_watchers", 1), 1);
  // Enough samples of every series for a rate.
  EXPECT_EQ(prometheus.Await("count_over_time(contacts_watchers[1m]) > bool 3", 1), 1);

  const std::set<std::string> names = prometheus.Names();
  const std::vector<std::string> queries = DashboardQueries();
  EXPECT_GT(queries.size(), 20U);
  for (const std::string& query : queries) {
    EXPECT_FALSE(prometheus.Query(query).empty()) << query;
    EXPECT_THAT(names, IsSupersetOf(MetricsIn(query))) << query;
  }

  const Json groups = prometheus.Api("/api/v1/rules").at("groups");
  EXPECT_EQ(groups.size(), 1U);
  for (const Json& rule : groups.at(0).at("rules")) {
    SCOPED_TRACE(rule.dump());
    EXPECT_EQ(rule.at("health"), "ok");
    EXPECT_THAT(MetricsIn(rule.at("query")), ::testing::Not(IsEmpty()));
    EXPECT_THAT(names, IsSupersetOf(MetricsIn(rule.at("query"))));
    // The steps to take.
    EXPECT_GT(rule.at("annotations").at("action").get<std::string>().size(), 40U);
    EXPECT_TRUE(rule.at("labels").contains("severity"));
    // Nothing is wrong with this server.
    EXPECT_EQ(rule.at("state"), "inactive");
  }
  watching.TryCancel();
}

}  // namespace
}  // namespace contacts
