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

// The floor under the database's part of a call: what the engine says to the database
// in one operation is recorded on the wire, and then said again, over and over, by
// plain Connector/C++ and nothing else.
//
// In it: every statement of the call in its order, one round trip each, prepared once
// per connection or sent as text as it was; transactions and their COMMIT; every column
// of every row read; connections of both kinds that the engine keeps. Not in it: what
// decides which statements to send, objects made of rows, replies, retries, time
// limits, the connections' pool. Ids that an operation makes are made anew each time
// (UUIDs of version 7 from the time, so that indexes grow as they do), times move on,
// and each caller has its own accounts and services.
namespace contacts::bench {

struct Statement {
  bool prepared = false;
  std::string sql;
  std::vector<Param> params;
};

// Stands between the engine and the database and takes down what is said. Aborts on
// a command that it does not know.
class Recorder {
 public:
  explicit Recorder(int database_port);
  int port() const { return proxy_.port(); }
  // What was said since the last time.
  std::vector<Statement> Take();

 private:
  struct Prepared {
    std::string sql;
    std::size_t params = 0;
    std::vector<uint8_t> types;  // Sent with the first execution alone.
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

// A text with places that differ each time.
struct Template {
  enum class Fill { kNothing, kBytes, kHex, kTime };
  struct Piece {
    std::string text;  // Comes before the place.
    Fill fill = Fill::kNothing;
    std::size_t value = 0;  // Which one fills it.
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

// Two operations of each plan, there and back, as they are to be replayed.
struct Recording {
  struct Operation {
    // Of each call of the plan.
    std::vector<std::vector<ReplayStatement>> calls;
    std::vector<std::string> ids;  // UUIDs that it made, as bytes.
    absl::Time time;
  };
  std::vector<std::vector<Operation>> plans;
  std::map<std::string, std::string> replies;  // By method: the last one's bytes.
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
  // UNAVAILABLE where the database had to roll back: to be made again.
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
