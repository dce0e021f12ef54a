// A load generator on the generated stubs: closed loops, each caller one call after
// the other, or an open loop at a fixed rate. Prints one line of JSON.

#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "core/domain/token.h"

namespace contacts {
namespace {

using v1::ContactService;

constexpr char kAdmin[] = "aa1-ovh";
constexpr char kFirst[] = "bb2-ovh";
constexpr char kSecond[] = "cc3-ovh";

struct Options {
  std::string server = "127.0.0.1:50051";
  std::string scenario = "get";
  std::string token_keys_file;
  int callers = 16;
  int assignments = 1;
  double seconds = 5;
  double rate = 0;  // Calls a second; 0: a closed loop.
  int channels = 4;
};

// One caller's way through the service. Next() begins the next call and runs
// `done(ok)` once it was answered.
class Caller {
 public:
  using Done = std::function<void(bool)>;
  Caller(const Options& options, const TokenKeys* keys, std::shared_ptr<grpc::Channel> channel,
         int index)
      : options_(options), keys_(keys), index_(index), stub_(ContactService::NewStub(channel)) {}

  static std::string ServiceName(int caller, int i) {
    // Other services each run: those of the run before may have a change pending.
    static const std::string run = Uuid::Version4().text().substr(0, 8);
    return absl::StrCat(run, "-", caller, "-", i, ".example");
  }

  // Creates what the scenario needs.
  void SetUp(v1::DirectoryService::Stub& directory) {
    for (int i = 0; i < options_.assignments; ++i) {
      v1::CreateServiceRequest request;
      v1::Service& service = *request.mutable_service();
      service.set_id(ServiceName(index_, i));
      service.set_kind("domain");
      service.set_admin(kAdmin);
      service.set_tech(kFirst);
      service.set_billing(kAdmin);
      v1::CreateServiceResponse response;
      grpc::ClientContext context;
      context.AddMetadata("contacts-caller", "operator");
      directory.CreateService(&context, request, &response);
    }
    if (options_.scenario == "workflow") return;
    // Something to read.
    std::atomic<bool> answered = false;
    Ask([&](bool) { answered = true; });
    while (!answered) absl::SleepFor(absl::Milliseconds(1));
  }

  void Next(const Done& done) {
    if (options_.scenario == "get") {
      get_request_.set_contact_change_id(change_);
      Call(&Async::GetContactChange, kAdmin, get_request_, get_, done);
    } else if (options_.scenario == "services") {
      Call(&Async::ListServices, kAdmin, services_request_, services_, done);
    } else if (options_.scenario == "changes") {
      Call(&Async::ListContactChanges, kAdmin, changes_request_, changes_, done);
    } else {
      Workflow(done);
    }
  }

 private:
  using Async = ContactService::StubInterface::async_interface;
  template <typename Request, typename Response>
  using Method = void (Async::*)(grpc::ClientContext*, const Request*, Response*,
                                 std::function<void(grpc::Status)>);

  template <typename Request, typename Response>
  void Call(Method<Request, Response> method, const char* account, const Request& request,
            Response& response, const Done& done) {
    context_.emplace();
    context_->AddMetadata("contacts-account", account);
    (stub_->async()->*method)(&*context_, &request, &response,
                              [this, done](const grpc::Status& status) {
                                if (!status.ok() && error_.empty()) error_ = status.error_message();
                                done(status.ok());
                              });
  }

  void Ask(const Done& done) {
    ask_request_.Clear();
    ask_request_.set_request_id(Uuid::Version4().text());
    for (int i = 0; i < options_.assignments; ++i) {
      v1::ContactAssignment& assignment = *ask_request_.add_assignments();
      assignment.set_service(ServiceName(index_, i));
      assignment.set_role(v1::CONTACT_ROLE_TECH);
      assignment.set_new_contact(to_first_ ? kFirst : kSecond);
    }
    Call(&Async::ChangeContacts, kAdmin, ask_request_, ask_, [this, done](bool ok) {
      if (ok) change_ = ask_.contact_changes(0).id();
      done(ok);
    });
  }

  void Accept(const char* account, const Done& done) {
    accept_request_.set_contact_change_id(change_);
    accept_request_.set_request_id(Uuid::Version4().text());
    accept_request_.set_token(
        *keys_->Derive(keys_->active_id(), *Uuid::Parse(change_), AccountId(account), 1));
    Call(&Async::AcceptContactChange, account, accept_request_, accept_, done);
  }

  // Asks, and both accept: three calls, which count as one.
  void Workflow(const Done& done) {
    Ask([this, done](bool asked) {
      if (!asked) return done(false);
      Accept(kAdmin, [this, done](bool first) {
        if (!first) return done(false);
        Accept(to_first_ ? kFirst : kSecond, [this, done](bool last) {
          if (last) to_first_ = !to_first_;
          done(last);
        });
      });
    });
  }

  const Options& options_;
  const TokenKeys* const keys_;
  const int index_;
  const std::unique_ptr<ContactService::Stub> stub_;
  std::optional<grpc::ClientContext> context_;
  std::string change_;
  bool to_first_ = false;

 public:
  std::string error_;

 private:
  v1::GetContactChangeRequest get_request_;
  v1::GetContactChangeResponse get_;
  v1::ListServicesRequest services_request_;
  v1::ListServicesResponse services_;
  v1::ListContactChangesRequest changes_request_;
  v1::ListContactChangesResponse changes_;
  v1::ChangeContactsRequest ask_request_;
  v1::ChangeContactsResponse ask_;
  v1::AcceptContactChangeRequest accept_request_;
  v1::AcceptContactChangeResponse accept_;
};

double Quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(q * static_cast<double>(sorted.size())))];
}

int Run(const Options& options) {
  std::optional<TokenKeys> keys;
  if (!options.token_keys_file.empty()) {
    std::ostringstream text;
    text << std::ifstream(options.token_keys_file).rdbuf();
    keys = *TokenKeys::Parse(text.str());
  }
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < options.channels; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channels.push_back(
        grpc::CreateCustomChannel(options.server, grpc::InsecureChannelCredentials(), arguments));
  }
  v1::DirectoryService::Stub directory(channels[0]);
  for (const char* id : {kAdmin, kFirst, kSecond}) {
    v1::CreateAccountRequest request;
    request.mutable_account()->set_id(id);
    request.mutable_account()->set_email(absl::StrCat(id, "@mail.example"));
    v1::CreateAccountResponse response;
    grpc::ClientContext context;
    context.AddMetadata("contacts-caller", "operator");
    directory.CreateAccount(&context, request, &response);
  }
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < options.callers; ++i) {
    callers.push_back(
        std::make_unique<Caller>(options, keys ? &*keys : nullptr,
                                 channels[static_cast<std::size_t>(i % options.channels)], i));
    callers.back()->SetUp(directory);
  }

  struct Tally {
    std::vector<double> milliseconds;
    int64_t failed = 0;
  };
  std::vector<Tally> tallies(callers.size());
  const absl::Time begin = absl::Now();
  const absl::Time end = begin + absl::Seconds(options.seconds);
  absl::BlockingCounter running(options.callers);
  // In an open loop each caller's calls are due at fixed times, and latency counts
  // from when a call was due, so that a slow answer is not hidden by what it delays.
  const absl::Duration interval =
      options.rate > 0 ? absl::Seconds(options.callers / options.rate) : absl::ZeroDuration();
  std::vector<std::function<void()>> loops(callers.size());
  std::vector<std::thread> timers;
  for (std::size_t i = 0; i < callers.size(); ++i) {
    if (options.rate > 0) {
      timers.emplace_back([&, i] {
        absl::Time due = begin + interval * (static_cast<double>(i) / options.callers);
        for (; due < end; due += interval) {
          absl::SleepFor(due - absl::Now());
          std::atomic<bool> answered = false;
          callers[i]->Next([&](bool ok) {
            tallies[i].failed += ok ? 0 : 1;
            tallies[i].milliseconds.push_back(absl::ToDoubleMilliseconds(absl::Now() - due));
            answered = true;
            answered.notify_one();
          });
          answered.wait(false);
        }
        running.DecrementCount();
      });
      continue;
    }
    loops[i] = [&, i] {
      const absl::Time start = absl::Now();
      if (start >= end) return static_cast<void>(running.DecrementCount());
      callers[i]->Next([&, i, start](bool ok) {
        tallies[i].failed += ok ? 0 : 1;
        tallies[i].milliseconds.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
        loops[i]();
      });
    };
    loops[i]();
  }
  running.Wait();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  for (std::thread& timer : timers) timer.join();

  std::vector<double> all;
  int64_t failed = 0;
  for (const Tally& tally : tallies) {
    all.insert(all.end(), tally.milliseconds.begin(), tally.milliseconds.end());
    failed += tally.failed;
  }
  std::sort(all.begin(), all.end());
  std::printf(
      "{\"scenario\": \"%s\", \"callers\": %d, \"rate\": %.0f, \"count\": %zu, \"failed\": %lld, "
      "\"per_second\": %.0f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"p999_ms\": %.2f}\n",
      options.scenario.c_str(), options.callers, options.rate, all.size(),
      static_cast<long long>(failed), static_cast<double>(all.size()) / seconds, Quantile(all, 0.5),
      Quantile(all, 0.99), Quantile(all, 0.999));
  for (const auto& caller : callers) {
    if (caller->error_.empty()) continue;
    std::fprintf(stderr, "%s\n", caller->error_.c_str());
    break;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace contacts

int main(int argc, char** argv) {
  contacts::Options options;
  CLI::App app("Loads a contactsd with calls and prints what it took.", "contacts_load");
  app.add_option("--server", options.server)->capture_default_str();
  app.add_option("--scenario", options.scenario, "get, services, changes or workflow")
      ->check(CLI::IsMember({"get", "services", "changes", "workflow"}));
  app.add_option("--token_keys_file", options.token_keys_file, "For workflow");
  app.add_option("--callers", options.callers)->check(CLI::PositiveNumber);
  app.add_option("--assignments", options.assignments)->check(CLI::Range(1, 1000));
  app.add_option("--seconds", options.seconds)->check(CLI::PositiveNumber);
  app.add_option("--rate", options.rate, "Calls a second in all; 0: as fast as answers come");
  app.add_option("--channels", options.channels)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  return contacts::Run(options);
}
