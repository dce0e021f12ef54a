#ifndef CONTACTS_TESTS_BENCH_REPLAY_H_
#define CONTACTS_TESTS_BENCH_REPLAY_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/mysql/database.h"
#include "core/mysql/session.h"
#include "tests/bench/caller.h"
#include "tests/testing/proxy.h"

// Measures the database's part of a call: the engine's statements of an operation are recorded
// on the wire, then repeated by plain Connector/C++ and nothing else.
//
// Included: every statement of the call in its order, one round trip each, prepared once per
// connection or sent as text, as recorded; transactions and their COMMIT; reading every column
// of every row; connections of both kinds that the engine has. Not included: the decisions
// about which statements to send, objects made of rows, replies, retries, time limits, the
// connection pool. Ids that an operation makes are new each time (UUIDs of version 7 from the
// time, so that indexes grow in the same way), times move on, and each caller has its own
// accounts and services.
namespace contacts::bench {

struct Statement {
  bool prepared = false;
  std::string sql;
  std::vector<Param> params;
};

// A proxy between the engine and the database that records the traffic. Aborts on an unknown
// command.
class Recorder {
 public:
  explicit Recorder(int database_port);
  int port() const { return proxy_.port(); }
  // The traffic since the last call.
  std::vector<Statement> Take();

 private:
  struct Prepared {
    std::string sql;
    std::size_t params = 0;
    std::vector<uint8_t> types;  // Sent only with the first execution.
  };
  struct Wire {
    std::string requests;   // Bytes of packets not yet complete.
    std::string preparing;  // The statement whose id is awaited.
    std::string answer;
    std::map<uint32_t, Prepared> prepared;
  };
  void Observe(int connection, bool to_target, const std::string& bytes);
  void Command(Wire& wire, const std::string& packet);
  void Execution(Wire& wire, const std::string& packet);

  std::mutex mutex_;
  std::map<int, Wire> wires_;
  std::vector<Statement> statements_;
  testing::Proxy proxy_;  // Last: its threads use the rest.
};

// A text with places whose values differ each time.
struct Template {
  enum class Fill { kNothing, kBytes, kHex, kTime };
  struct Piece {
    std::string text;  // Comes before the place.
    Fill fill = Fill::kNothing;
    std::size_t value = 0;  // Index of the value that fills it.
    int64_t time = 0;       // As recorded, in microseconds.
  };
  std::vector<Piece> pieces;
};

struct ReplayStatement {
  bool prepared = false;
  Template sql;
  std::vector<Template> params;
  std::vector<bool> is_number;  // Of the params.
  int further_results = 0;      // Of several statements in one text.
};

// Two operations of each plan, there and back, ready to be replayed.
struct Recording {
  struct Operation {
    // Of each call of the plan.
    std::vector<std::vector<ReplayStatement>> calls;
    std::vector<std::string> ids;  // UUIDs that it made, as bytes.
    absl::Time time;
  };
  std::vector<std::vector<Operation>> plans;
  std::map<std::string, std::string> replies;  // By method: bytes of the last reply.
  std::string account, request;                // Of the first call, likewise.
  int64_t statements = 0;                      // In all operations.
};
// Performs the scenario's operations with an engine in this process.
Recording Record(const Scenario& scenario, const DatabaseOptions& database);

// Two sessions with the database, as the engine keeps them: for reads and for
// transactions. Used by one thread at a time.
class ReplaySessions {
 public:
  explicit ReplaySessions(const DatabaseOptions& options);
  ~ReplaySessions();
  // UNAVAILABLE if the database rolled back: make the call again.
  absl::Status Run(const std::vector<ReplayStatement>& call, const std::vector<std::string>& values,
                   int64_t time_shift);

 private:
  struct Session;
  const std::unique_ptr<Session> reads_;
  const std::unique_ptr<Session> writes_;
};

class ReplayCaller final : public Caller {
 public:
  ReplayCaller(const Scenario& scenario, const Recording& recording,
               std::shared_ptr<ReplaySessions> sessions, int index, std::size_t flows);

 private:
  struct Values {
    std::size_t turn = 0;  // Which of the two operations.
    std::vector<std::string> values;
    int64_t time_shift = 0;
  };
  void Make(Kind kind, std::size_t flow, const Api::Done& done) override;

  const Recording& recording_;
  const std::shared_ptr<ReplaySessions> sessions_;
  std::vector<std::vector<Values>> values_;  // By flow and plan.
};

}  // namespace contacts::bench

#endif  // CONTACTS_TESTS_BENCH_REPLAY_H_
