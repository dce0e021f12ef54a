#include "server/server_metrics.h"

#include <utility>

#include "absl/time/time.h"
#include "server/messages/forms.h"
#include "server/telemetry/process.h"

namespace contacts::server {
namespace {

template <typename Gauge, typename Counter>
void AddDatabaseMetrics(Metrics& metrics, Database& database, const Gauge& gauge,
                        const Counter& counter) {
  gauge("contacts_host_clock_error_seconds", "This host's clock minus the database's.", {},
        [&database] { return absl::ToDoubleSeconds(database.host_clock_error()); });
  counter("contacts_database_round_trips_total", "Round trips to the database.", {},
          [&database] { return database.round_trips(); });
  const char* retries = "Reads and transactions started over, by cause.";
  counter("contacts_database_retries_total", retries, {{"cause", "conflict"}},
          [&database] { return database.retries().conflict.load(); });
  counter("contacts_database_retries_total", retries, {{"cause", "duplicate"}},
          [&database] { return database.retries().duplicate.load(); });
  counter("contacts_database_retries_total", retries, {{"cause", "lost"}},
          [&database] { return database.retries().lost.load(); });
  counter("contacts_database_failovers_total",
          "Times that another database server was used than before.", {},
          [&database] { return database.failovers(); });
  gauge("contacts_database_writable_members",
        "Database servers that say that they are the one that accepts writes.", {},
        [&database] { return database.writable_members(); });
  for (const auto& [kind, name] :
       {std::pair(Database::Kind::kRead, "read"), std::pair(Database::Kind::kWrite, "write")}) {
    const char* connections = "Connections to the database, by kind of use.";
    gauge("contacts_database_connections", connections, {{"kind", name}, {"state", "used"}},
          [&database, kind = kind] { return database.connections(kind).used; });
    gauge("contacts_database_connections", connections, {{"kind", name}, {"state", "idle"}},
          [&database, kind = kind] { return database.connections(kind).idle; });
    gauge("contacts_database_max_connections", "Connections there may be.", {{"kind", name}},
          [&database, kind = kind] { return database.connections(kind).max; });
    metrics.AddHistogram("contacts_database_connection_wait_seconds",
                         "Time to get a connection, opening one included.", {{"kind", name}},
                         &database.connection_waits(kind));
    metrics.AddHistogram("contacts_database_transaction_seconds",
                         "Time of a read or a transaction, from getting a connection to giving "
                         "it back; each try by itself.",
                         {{"kind", name}}, &database.transactions(kind));
  }
}

}  // namespace

void AddServerMetrics(Metrics& metrics, const MeasuredParts& parts) {
  using Labels = Metrics::Labels;
  const auto gauge = [&metrics](const char* name, const char* help, const Labels& labels,
                                auto value) {
    metrics.AddGauge(name, help, labels, [=] { return static_cast<double>(value()); });
  };
  const auto counter = [&metrics](const char* name, const char* help, const Labels& labels,
                                  auto value) {
    metrics.AddCounter(name, help, labels, [=] { return static_cast<double>(value()); });
  };
  AddProcessMetrics(metrics);
  gauge("contacts_build_info", "Always 1.", {{"version", CONTACTS_VERSION}}, [] { return 1; });
  gauge(
      "contacts_certificate_expiry_timestamp_seconds",
      "When the server's certificate ends, in seconds since 1970; infinite without one.", {}, [=] {
        return absl::ToDoubleSeconds(parts.credentials->certificate_expires() - absl::UnixEpoch());
      });
  gauge("contacts_serving", "1 where health says SERVING, else 0.", {},
        [=] { return parts.health->serving() ? 1 : 0; });
  gauge("contacts_queue_length", "Calls that wait for a worker thread.", {},
        [=] { return parts.workers->length(); });
  gauge("contacts_unread_answer_bytes", "Bytes of answers that their callers have not read yet.",
        {}, [=] { return parts.unread->bytes(); });
  counter("contacts_unread_answers_cancelled_total",
          "Answers that were given up, as their callers did not read them.", {},
          [=] { return parts.unread->cancelled(); });
  gauge("contacts_watchers", "Streams of WatchContactChanges.", {},
        [=] { return parts.watch->watchers(); });
  counter("contacts_connections_refused_total",
          "Connections that were closed at once, as there were too many.", {},
          [=] { return parts.ports->refused(); });
  gauge("contacts_imports", "Streams of ImportDirectory.", {},
        [=] { return parts.imports->running(); });
  for (const ChangeState state :
       {ChangeState::kValidating, ChangeState::kDone, ChangeState::kRefused,
        ChangeState::kCancelled, ChangeState::kExpired, ChangeState::kAborted}) {
    counter("contacts_changes_total",
            "Contact changes that transactions of this server brought into a state.",
            {{"state", Lower(Name(state))}}, [=] { return parts.database->entered(state); });
  }
  counter(
      "contacts_answers_without_key_total",
      "Answers and confirmations refused as this server's key file lacks the key of their token.",
      {}, [=] {
        return parts.engine->answering.answers_without_key() +
               parts.engine->profiles.confirmations_without_key();
      });
  const char* mails = "Tries to deliver an e-mail, by outcome.";
  counter("contacts_mails_total", mails, {{"outcome", "delivered"}},
          [=] { return parts.relay->counts().delivered; });
  counter("contacts_mails_total", mails, {{"outcome", "failed"}},
          [=] { return parts.relay->counts().failed; });
  counter("contacts_mails_total", mails, {{"outcome", "given_up"}},
          [=] { return parts.relay->counts().given_up; });
  gauge("contacts_outbox_mails", "E-mails owed by the fleet, up to 10,000.", {},
        [=] { return parts.background->outbox_mails(); });
  gauge("contacts_outbox_oldest_seconds", "Age of the oldest e-mail owed by the fleet.", {},
        [=] { return parts.background->outbox_oldest_seconds(); });
  AddDatabaseMetrics(metrics, *parts.database, gauge, counter);
}

}  // namespace contacts::server
