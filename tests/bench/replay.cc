#include "tests/bench/replay.h"

#include <cppconn/connection.h>
#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace contacts::bench {
namespace {

[[noreturn]] void Give(const std::string& what) {
  std::fprintf(stderr, "recorder: %s\n", what.c_str());
  std::abort();
}

template <typename Number>
Number Read(const std::string& bytes, std::size_t& at) {
  Number number = 0;
  if (at + sizeof(number) > bytes.size()) Give("a packet is too short");
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  at += sizeof(number);
  return number;
}

// A length-encoded string.
std::string ReadText(const std::string& bytes, std::size_t& at) {
  std::size_t size = Read<uint8_t>(bytes, at);
  if (size == 0xfc) {
    size = Read<uint16_t>(bytes, at);
  } else if (size == 0xfd) {
    size = Read<uint16_t>(bytes, at);
    size += std::size_t{Read<uint8_t>(bytes, at)} << 16U;
  } else if (size > 0xfd) {
    Give("a parameter is too long");
  }
  if (at + size > bytes.size()) Give("a packet is too short");
  at += size;
  return bytes.substr(at - size, size);
}

constexpr std::size_t kHeader = 4;  // Three bytes of length, one of sequence.

// The payload of the first packet in `bytes`, with its sequence number. False if the packet is
// not complete.
bool TakePacket(std::string& bytes, std::string& payload, uint8_t& sequence) {
  if (bytes.size() < kHeader) return false;
  std::size_t at = 0;
  const uint32_t head = Read<uint32_t>(bytes, at);
  const std::size_t size = head & 0xffffffU;
  if (bytes.size() < kHeader + size) return false;
  sequence = static_cast<uint8_t>(head >> 24U);
  payload = bytes.substr(kHeader, size);
  bytes.erase(0, kHeader + size);
  return true;
}

}  // namespace

Recorder::Recorder(int database_port)
    : proxy_(database_port, [this](int connection, bool to_target, const std::string& bytes) {
        Observe(connection, to_target, bytes);
      }) {}

std::vector<Statement> Recorder::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(statements_, {});
}

void Recorder::Observe(int connection, bool to_target, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  Wire& wire = wires_[connection];
  std::string packet;
  uint8_t sequence = 0;
  if (to_target) {
    wire.requests += bytes;
    while (TakePacket(wire.requests, packet, sequence)) {
      // A command begins a new sequence; a login does not.
      if (sequence == 0) Command(wire, packet);
    }
  } else if (!wire.preparing.empty()) {
    wire.answer += bytes;
    if (!TakePacket(wire.answer, packet, sequence)) return;
    std::size_t at = 1;
    if (packet.empty() || packet[0] != 0) Give("a statement could not be prepared");
    const auto id = Read<uint32_t>(packet, at);
    at += 2;  // Columns.
    wire.prepared[id] = {.sql = std::exchange(wire.preparing, ""),
                         .params = Read<uint16_t>(packet, at)};
  }
}

void Recorder::Command(Wire& wire, const std::string& packet) {
  constexpr uint8_t kQuit = 0x01, kSelectDatabase = 0x02, kQuery = 0x03, kPing = 0x0e,
                    kPrepare = 0x16, kExecute = 0x17, kClose = 0x19, kReset = 0x1a,
                    kSetOption = 0x1b;
  switch (static_cast<uint8_t>(packet.at(0))) {
    case kQuery: return statements_.push_back({.prepared = false, .sql = packet.substr(1)});
    case kPrepare:
      wire.preparing = packet.substr(1);
      wire.answer.clear();
      return;
    case kExecute: return Execution(wire, packet);
    case kQuit:
    case kSelectDatabase:
    case kPing:
    case kClose:
    case kReset:
    case kSetOption: return;
    default: Give(absl::StrCat("command ", int{packet[0]}, " is not known"));
  }
}

void Recorder::Execution(Wire& wire, const std::string& packet) {
  constexpr uint8_t kLongLong = 8;
  constexpr uint8_t kFirstText = 0xf9;  // Blobs, VAR_STRING and STRING.
  std::size_t at = 1;
  const auto found = wire.prepared.find(Read<uint32_t>(packet, at));
  if (found == wire.prepared.end()) Give("a statement was executed that was not prepared");
  Prepared& prepared = found->second;
  Statement statement{.prepared = true, .sql = prepared.sql};
  at += 5;  // Flags, number of times.
  if (prepared.params > 0) {
    const std::string nulls = packet.substr(at, (prepared.params + 7) / 8);
    if (nulls.find_first_not_of('\0') != std::string::npos) Give("a parameter is null");
    at += nulls.size();
    if (Read<uint8_t>(packet, at) != 0) {
      prepared.types.clear();
      for (std::size_t i = 0; i < prepared.params; ++i) {
        prepared.types.push_back(static_cast<uint8_t>(Read<uint16_t>(packet, at) & 0xffU));
      }
    }
  }
  for (const uint8_t type : prepared.types) {
    if (type == kLongLong) {
      statement.params.emplace_back(Read<int64_t>(packet, at));
    } else if (type >= kFirstText) {
      statement.params.emplace_back(ReadText(packet, at));
    } else {
      Give(absl::StrCat("parameters of type ", type, " are not known"));
    }
  }
  statements_.push_back(std::move(statement));
}

namespace {

constexpr std::size_t kOwnNames = 4;  // Prefix of the services, three accounts.

std::vector<std::string> OwnNames(const Names& names) {
  return {names.prefix, names.admin, names.first, names.second};
}

std::string Hex(const std::string& bytes) { return absl::BytesToHexString(bytes); }

bool IsTime(int64_t value, absl::Time recorded) {
  const int64_t micros = absl::ToUnixMicros(recorded);
  const int64_t far = absl::ToInt64Microseconds(absl::Hours(24 * 100));
  return value > micros - far && value < micros + far;
}

// Cuts `text` at each occurrence of any of `values`.
void Cut(const std::string& text, const std::vector<std::string>& values, bool hex, Template& out) {
  std::vector<std::string> wanted = values;
  if (hex) std::transform(values.begin(), values.end(), wanted.begin(), Hex);
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t found =
        static_cast<std::size_t>(std::find_if(wanted.begin(), wanted.end(),
                                              [&](const std::string& value) {
                                                return text.compare(at, value.size(), value) == 0;
                                              }) -
                                 wanted.begin());
    if (found == wanted.size()) {
      plain += text[at++];
      continue;
    }
    out.pieces.push_back({.text = std::exchange(plain, ""),
                          .fill = hex ? Template::Fill::kHex : Template::Fill::kBytes,
                          .value = found});
    at += wanted[found].size();
  }
  out.pieces.push_back({.text = std::move(plain)});
}

// Cuts `text` at the times, which are written as numbers.
void CutTimes(const std::string& text, absl::Time recorded, Template& out) {
  constexpr std::size_t kDigits = 16;
  constexpr char kNumber[] = "0123456789";
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of(kNumber, at), text.size());
    int64_t value = 0;
    if (end - at == kDigits && absl::SimpleAtoi(text.substr(at, kDigits), &value) &&
        IsTime(value, recorded)) {
      out.pieces.push_back({.text = std::exchange(plain, ""),
                            .fill = Template::Fill::kTime,
                            .value = 0,
                            .time = value});
    } else {
      plain += text.substr(at, end - at);
    }
    at = end;
    while (at < text.size() && absl::string_view(kNumber).find(text[at]) == std::string::npos) {
      plain += text[at++];
    }
  }
  out.pieces.push_back({.text = std::move(plain)});
}

// The parts of a text of SQL in and between quotes, in turn; the first is outside.
std::vector<std::string> Quoted(const std::string& sql) { return absl::StrSplit(sql, '\''); }

// UUIDs that the texts write: the operation made them.
std::vector<std::string> IdsIn(const std::vector<std::vector<Statement>>& calls) {
  std::vector<std::string> ids;
  for (const std::vector<Statement>& call : calls) {
    for (const Statement& statement : call) {
      if (statement.prepared) continue;
      const std::vector<std::string> parts = Quoted(statement.sql);
      for (std::size_t i = 1; i < parts.size(); i += 2) {
        const bool id = parts[i].size() == 2 * Uuid::kSize && absl::EndsWith(parts[i - 1], "x") &&
                        !absl::EndsWith(parts[i - 1], "_ascii x") &&
                        !absl::EndsWith(parts[i - 1], "_utf8mb4 x");
        const std::string bytes = id ? absl::HexStringToBytes(parts[i]) : "";
        if (id && std::find(ids.begin(), ids.end(), bytes) == ids.end()) ids.push_back(bytes);
      }
    }
  }
  return ids;
}

ReplayStatement Prepare(const Statement& statement, const std::vector<std::string>& values,
                        absl::Time recorded) {
  ReplayStatement replay{.prepared = statement.prepared};
  if (statement.prepared) {
    replay.sql.pieces.push_back({.text = statement.sql});
  } else {
    const std::vector<std::string> parts = Quoted(statement.sql);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) replay.sql.pieces.push_back({.text = "'"});
      if (i % 2 == 1) {
        Cut(parts[i], values, /*hex=*/true, replay.sql);
      } else {
        CutTimes(parts[i], recorded, replay.sql);
      }
    }
    // Separates statements. Values are hexadecimal, so they contain no separator.
    replay.further_results =
        static_cast<int>(std::count(statement.sql.begin(), statement.sql.end(), ';'));
  }
  for (const Param& param : statement.params) {
    Template& out = replay.params.emplace_back();
    replay.is_number.push_back(std::holds_alternative<int64_t>(param));
    if (const auto* text = std::get_if<std::string>(&param)) {
      Cut(*text, values, /*hex=*/false, out);
    } else if (const int64_t value = std::get<int64_t>(param); IsTime(value, recorded)) {
      out.pieces.push_back({.text = "", .fill = Template::Fill::kTime, .value = 0, .time = value});
    } else {
      out.pieces.push_back({.text = absl::StrCat(value)});
    }
  }
  return replay;
}

std::string Fill(const Template& text, const std::vector<std::string>& values, int64_t time_shift) {
  std::string out;
  for (const Template::Piece& piece : text.pieces) {
    out += piece.text;
    switch (piece.fill) {
      case Template::Fill::kNothing: break;
      case Template::Fill::kBytes: out += values[piece.value]; break;
      case Template::Fill::kHex: out += Hex(values[piece.value]); break;
      case Template::Fill::kTime: absl::StrAppend(&out, piece.time + time_shift); break;
    }
  }
  return out;
}

const char* NameOf(const Api::Message& request) { return request.GetDescriptor()->name().c_str(); }

}  // namespace

Recording Record(const Scenario& scenario, const DatabaseOptions& database) {
  Recorder recorder(database.endpoints.at(0).port);
  DatabaseOptions through = database;
  through.socket.clear();
  through.endpoints = {{.host = "127.0.0.1", .port = recorder.port()}};
  Database store(through);
  Engine engine(&store, scenario.keys, WithoutQuota());
  Recording recording;
  for (const Plan& plan : scenario.plans) {
    Scenario alone = scenario;
    alone.plans = {plan};
    ApiCaller caller(alone, std::make_shared<EngineApi>(&engine), 0, 1);
    caller.observer = [&](Method, const std::string& account, const Api::Message& request,
                          const Api::Message& response) {
      if (recording.request.empty()) {
        recording.account = account;
        recording.request = request.SerializeAsString();
      }
      std::string method = NameOf(request);
      method.resize(method.size() - std::strlen("Request"));
      recording.replies[method] = response.SerializeAsString();
    };
    const auto operation = [&] {
      std::vector<std::vector<Statement>> calls;
      do {
        caller.Call(0, [](Kind kind, const absl::Status& status) {
          if (!status.ok()) Give(absl::StrCat(Name(kind), ": ", status.ToString()));
        });
        calls.push_back(recorder.Take());
      } while (!caller.Between(0));
      return calls;
    };
    // The first two also connect.
    for (int i = 0; i < 2; ++i) operation();
    std::vector<Recording::Operation>& operations = recording.plans.emplace_back();
    for (int i = 0; i < 2; ++i) {
      Recording::Operation& replay = operations.emplace_back();
      replay.time = absl::Now();
      const std::vector<std::vector<Statement>> calls = operation();
      replay.ids = IdsIn(calls);
      std::vector<std::string> values = OwnNames(Names(0, 0));
      values.insert(values.end(), replay.ids.begin(), replay.ids.end());
      for (const std::vector<Statement>& call : calls) {
        if (call.empty()) Give("a call said nothing to the database");
        std::vector<ReplayStatement>& statements = replay.calls.emplace_back();
        for (const Statement& statement : call) {
          statements.push_back(Prepare(statement, values, replay.time));
          ++recording.statements;
        }
      }
    }
  }
  return recording;
}

struct ReplaySessions::Session {
  struct Prepared {
    std::unique_ptr<sql::PreparedStatement> statement;
    std::vector<bool> is_number;  // Of the columns.
  };
  std::unique_ptr<sql::Connection> connection;
  std::unique_ptr<sql::Statement> statement;
  std::unordered_map<std::string, Prepared> prepared;

  Session(const DatabaseOptions& options, bool autocommit) {
    sql::ConnectOptionsMap map;
    map["hostName"] = sql::SQLString(
        absl::StrCat("tcp://", options.endpoints.at(0).host, ":", options.endpoints.at(0).port));
    map["userName"] = sql::SQLString(options.user);
    map["password"] = sql::SQLString(options.password);
    map["schema"] = sql::SQLString(options.database);
    map["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
    map["CLIENT_MULTI_STATEMENTS"] = true;
    map["CLIENT_FOUND_ROWS"] = true;
    connection.reset(get_driver_instance()->connect(map));
    statement.reset(connection->createStatement());
    statement->execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    connection->setAutoCommit(autocommit);
  }

  void Execute(const ReplayStatement& replay, const std::vector<std::string>& values,
               int64_t time_shift) {
    if (!replay.prepared) {
      bool has_rows = statement->execute(Fill(replay.sql, values, time_shift));
      for (int i = 0;; ++i) {
        std::vector<bool> is_number;
        if (has_rows) {
          const std::unique_ptr<sql::ResultSet> rows(statement->getResultSet());
          ReadAll(*rows, is_number);
        }
        if (i == replay.further_results) return;
        has_rows = statement->getMoreResults();
      }
    }
    const std::string& text = replay.sql.pieces.front().text;
    Prepared& ready = prepared[text];
    if (!ready.statement) ready.statement.reset(connection->prepareStatement(text));
    for (std::size_t i = 0; i < replay.params.size(); ++i) {
      const auto at = static_cast<unsigned int>(i + 1);
      const std::string value = Fill(replay.params[i], values, time_shift);
      if (replay.is_number[i]) {
        ready.statement->setInt64(at, std::stoll(value));
      } else {
        ready.statement->setString(at, sql::SQLString(value));
      }
    }
    const std::unique_ptr<sql::ResultSet> rows(ready.statement->executeQuery());
    ReadAll(*rows, ready.is_number);
  }

  // Reads every column of every row. `is_number`: which columns are numbers; filled once.
  static void ReadAll(sql::ResultSet& rows, std::vector<bool>& is_number) {
    if (is_number.empty()) {
      sql::ResultSetMetaData* about = rows.getMetaData();
      for (unsigned int i = 1; i <= about->getColumnCount(); ++i) {
        is_number.push_back(about->isNumeric(i));
      }
    }
    while (rows.next()) {
      for (std::size_t i = 0; i < is_number.size(); ++i) {
        const auto at = static_cast<uint32_t>(i + 1);
        if (is_number[i]) {
          rows.getInt64(at);
        } else {
          const sql::SQLString column = rows.getString(at);
          const std::string kept(column.c_str(), column.length());
        }
      }
    }
  }
};

ReplaySessions::ReplaySessions(const DatabaseOptions& options)
    : reads_(std::make_unique<Session>(options, /*autocommit=*/true)),
      writes_(std::make_unique<Session>(options, /*autocommit=*/false)) {}
ReplaySessions::~ReplaySessions() = default;

absl::Status ReplaySessions::Run(const std::vector<ReplayStatement>& call,
                                 const std::vector<std::string>& values, int64_t time_shift) {
  const bool transaction = absl::EndsWith(call.back().sql.pieces.back().text, "COMMIT");
  Session& session = transaction ? *writes_ : *reads_;
  try {
    for (const ReplayStatement& statement : call) session.Execute(statement, values, time_shift);
    return absl::OkStatus();
  } catch (const sql::SQLException& error) {
    if (transaction) session.statement->execute("ROLLBACK");
    return absl::UnavailableError(absl::StrCat(error.getErrorCode(), " ", error.what()));
  }
}

ReplayCaller::ReplayCaller(const Scenario& scenario, const Recording& recording,
                           std::shared_ptr<ReplaySessions> sessions, int index, std::size_t flows)
    : Caller(scenario.plans, index, flows),
      recording_(recording),
      sessions_(std::move(sessions)),
      values_(flows, std::vector<Values>(scenario.plans.size())) {}

void ReplayCaller::Make(Kind, std::size_t flow_index, const Api::Done& done) {
  const Flow& flow = flows_[flow_index];
  Values& values = values_[flow_index][flow.plan];
  if (flow.next == 0) {
    values.turn = 1 - values.turn;
    const Recording::Operation& operation = recording_.plans[flow.plan][values.turn];
    const absl::Time now = absl::Now();
    values.time_shift = absl::ToInt64Microseconds(now - operation.time);
    values.values = OwnNames(flow.names);
    for (const std::string& id : operation.ids) {
      const bool by_time = static_cast<uint8_t>(id[6]) >> 4U == 7;
      values.values.push_back((by_time ? Uuid::Version7(now) : Uuid::Version4()).bytes());
    }
  }
  const Recording::Operation& operation = recording_.plans[flow.plan][values.turn];
  done(sessions_->Run(operation.calls[flow.next], values.values, values.time_shift));
}

}  // namespace contacts::bench
