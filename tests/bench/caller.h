#ifndef CONTACTS_TESTS_BENCH_CALLER_H_
#define CONTACTS_TESTS_BENCH_CALLER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/domain/token.h"
#include "tests/bench/api.h"

namespace contacts::bench {

// The data that dataset.py loaded, by the same formulas.
struct DataSet {
  int64_t services = 0;
  int64_t changes = 0;

  // Accounts that hold very many services: each holds one service in Every().
  static constexpr int kHolders = 8;
  static std::string Holder(int64_t i);
  int64_t Every() const;
  static std::string Service(int64_t i);
  static std::string Change(int64_t j);
  std::string Admin(int64_t i) const;
  std::string Requester(int64_t j) const { return Admin(j % services); }
};

// Kinds of calls that are measured separately.
enum class Kind {
  kGet,
  kProfile,
  kService,
  kServices,
  kServicesFar,
  kChanges,
  kChangesFar,
  kEvents,
  kSearchAccount,
  kSearchService,
  kSearchTime,
  kOwner,
  kAsk,
  kAcceptFirst,
  kAcceptLast,
  kRefuse,
  kCancel,
};
constexpr int kKinds = 17;
const char* Name(Kind kind);

// The calls of an operation, in order, and how often the operation is chosen.
struct Plan {
  double weight = 1;
  std::vector<Kind> calls;
};
// The operations of a scenario, such as "get", "workflow" or "mixed". Empty if the name is
// unknown.
std::vector<Plan> PlansOf(const std::string& scenario);
bool Writes(const std::vector<Plan>& plans);

// Accounts and services that only one caller uses, so that callers contend in the database no
// more than customers of a provider do.
struct Names {
  std::string admin;
  std::string first;
  std::string second;
  std::string prefix;  // Of services. Differs from run to run.

  Names(int caller, std::size_t flow);
  std::string Service(int i) const;
};

// Performs the operations of a scenario over and over, several at a time (flows). A flow makes
// one call at a time. A call that fails is made again. Used by one thread at a time.
class Caller {
 public:
  using Done = std::function<void(Kind kind, const absl::Status&)>;

  Caller(std::vector<Plan> plans, int index, std::size_t flows);
  virtual ~Caller() = default;
  // Makes the next call of a flow.
  void Call(std::size_t flow, const Done& done);
  // Whether the flow's operation has ended and the next one has not begun.
  bool Between(std::size_t flow) const { return flows_[flow].next == 0; }

 protected:
  struct Flow {
    Names names;
    std::size_t plan = 0;
    std::size_t next = 0;     // Of the plan's calls.
    bool to_first = false;    // Whether the tech role goes to the first account or the second.
    std::string change = {};  // Asked for.
  };
  virtual void Make(Kind kind, std::size_t flow, const Api::Done& done) = 0;

  const std::vector<Plan> plans_;
  const int index_;
  std::vector<Flow> flows_;
  std::minstd_rand random_;
};

struct Scenario {
  std::vector<Plan> plans;
  int assignments = 1;  // Of a contact change.
  DataSet data;
  TokenKeys keys;
};

// Makes the calls of a scenario on an Api. `scenario` outlives it.
class ApiCaller final : public Caller {
 public:
  ApiCaller(const Scenario& scenario, std::shared_ptr<Api> api, int index, std::size_t flows);

  // Called with every answer of an OK call.
  std::function<void(Method, const std::string& account, const Api::Message& request,
                     const Api::Message& response)>
      observer;

 private:
  void Make(Kind kind, std::size_t flow, const Api::Done& done) override;
  template <typename Request, typename Response>
  void Send(Method method, const std::string& account, Request request, const Api::Done& done,
            std::function<void(const Response&)> read = nullptr);
  template <typename Request, typename Response>
  void Answer(Method method, const std::string& account, const Flow& flow, const Api::Done& done);

  const Scenario& scenario_;
  const std::shared_ptr<Api> api_;
  std::unique_ptr<Api::Message> request_;
  std::unique_ptr<Api::Message> response_;
};

// Creates the accounts and services of callers 0 to `callers` - 1.
absl::Status CreateFixtures(Engine& engine, int callers, std::size_t flows, int assignments);

}  // namespace contacts::bench

#endif  // CONTACTS_TESTS_BENCH_CALLER_H_
