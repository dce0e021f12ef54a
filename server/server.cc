#include "server/server.h"

#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/engine/feed.h"
#include "core/engine/outbox.h"
#include "core/mail/maildir.h"
#include "core/mail/relay.h"
#include "core/mail/render.h"
#include "core/mail/smtp.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "server/auth/credentials.h"
#include "server/calls/contact_service.h"
#include "server/calls/directory_service.h"
#include "server/calls/health.h"
#include "server/calls/unary_call.h"
#include "server/calls/watch.h"
#include "server/standard/reflection.h"
#include "server/support/listening.h"
#include "server/support/periodic.h"
#include "server/telemetry/metrics.h"
#include "server/telemetry/metrics_listener.h"
#include "server/telemetry/process.h"

namespace contacts::server {
namespace {

constexpr absl::Duration kPurgeInterval = absl::Minutes(10);
constexpr absl::Duration kOutboxInterval = absl::Seconds(15);
constexpr absl::Duration kShutdownLimit = absl::Seconds(1);
constexpr int64_t kBatch = 200;
// Few e-mails, because all of them wait if the mail server hangs at one.
constexpr int64_t kSmtpBatch = 5;
constexpr absl::Duration kSmtpMargin = absl::Seconds(10);
constexpr int kMaxMetadataBytes = 16 * 1024;
// Bytes of requests and headers that gRPC may keep, over all connections.
constexpr std::size_t kMaxCallBytes = std::size_t{256} << 20;
// Limits for one account: a quarter of the threads, half of the queue. (At half of the threads, a
// flood kept two cores so busy that taking turns did not help the other accounts.)
WorkQueue::Limits WorkQueueLimits(const Config& config) {
  const auto threads = static_cast<std::size_t>(config.workers);
  const auto waiting = static_cast<std::size_t>(config.queue_limit);
  return {.threads = threads,
          .waiting = waiting,
          .threads_per_tenant = (threads + 3) / 4,
          .waiting_per_tenant = (waiting + 1) / 2};
}

// Database connections beside those of workers, imports and mail relay: shared reads, timers,
// purges, feed and health.
constexpr int64_t kOtherConnections = 9;

// File descriptors beside those of clients and of the database: gRPC, log, e-mails and metrics.
constexpr int64_t kOtherDescriptors = 200;

DatabaseOptions DatabaseOptionsOf(const Config& config) {
  DatabaseOptions options = config.database;
  const int64_t lanes = config.smtp ? config.mail_connections : 1;
  options.max_connections =
      static_cast<int>(config.workers + config.max_imports + lanes + kOtherConnections);
  return options;
}

// Varies an interval by a fifth, so that the servers of a fleet do not act at the same time.
absl::Duration Jittered(absl::Duration interval) {
  thread_local absl::BitGen random;
  return interval * absl::Uniform(random, 0.8, 1.2);
}

// Pause after a step of background work that acted on `acted` rows: none after a full batch. Logs
// an error.
absl::Duration PauseAfterBatch(const char* what, const absl::StatusOr<int64_t>& acted,
                               absl::Duration interval) {
  if (!acted.ok()) {
    spdlog::warn("{}: {}", what, acted.status().ToString());
  } else if (*acted >= kBatch) {
    return absl::ZeroDuration();
  }
  return Jittered(interval);
}

// Full names of the services that reflection lists.
std::vector<std::string> ReflectedServices() {
  return {v1::ContactService::service_full_name(), v1::DirectoryService::service_full_name(),
          grpc::health::v1::Health::service_full_name(),
          grpc::reflection::v1::ServerReflection::service_full_name(),
          grpc::reflection::v1alpha::ServerReflection::service_full_name()};
}

}  // namespace

void AddLimits(grpc::ServerBuilder& builder, const Config& config) {
  constexpr int kMilliseconds = 1000;
  grpc::ResourceQuota quota;
  builder.SetResourceQuota(quota.Resize(kMaxCallBytes));
  // Admission rejects a larger request with a reason. gRPC itself rejects one of more than twice
  // the size.
  builder.SetMaxReceiveMessageSize(static_cast<int>(2 * config.max_message_bytes));
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(config.max_concurrent_streams));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10 * kMilliseconds);
  // gRPC's size limit counts compressed bytes, so decompressed requests would have no limit.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60 * kMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * kMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             10 * kMilliseconds);
  if (!config.credentials.tls || config.credentials.tls->client_ca.empty()) return;
  // The certificate is checked only when a connection begins, so connections do not last.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 60 * 60 * kMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 10 * 60 * kMilliseconds);
}

absl::Status PrepareDatabase(Database& database, bool migrate) {
  return migrate ? database.Migrate() : database.CheckSchema();
}

std::unique_ptr<MailTransport> MakeTransport(const Config& config) {
  if (config.smtp) return std::make_unique<SmtpTransport>(*config.smtp);
  return std::make_unique<Maildir>(config.mail_directory);
}

RelayOptions MakeRelayOptions(const Config& config, Engine::Clock clock) {
  RelayOptions options;
  options.clock = std::move(clock);
  options.give_up = config.settings.mail_give_up;
  if (!config.smtp) return options;
  options.lanes = config.mail_connections;
  options.batch = kSmtpBatch;
  options.lease_reserve = config.smtp->timeout + kSmtpMargin;
  options.lease = std::max(options.lease, 2 * options.lease_reserve);
  return options;
}

// All parts of a server, in the order of their construction. They are destroyed in the opposite
// order.
class Server::Impl {
 public:
  explicit Impl(const Config& config)
      : config_(config),
        database_(DatabaseOptionsOf(config)),
        engine_(&database_, config.token_keys, config.settings, DatabaseTime()),
        outbox_(&database_, config.token_keys, config.settings),
        transport_(MakeTransport(config)),
        relay_(&outbox_, transport_.get(), MailRenderer(config.letters),
               MakeRelayOptions(config, DatabaseTime())),
        credentials_(config.credentials, config.account_id),
        validator_(FieldRules(config.account_id, config.settings)),
        feed_(&database_, config.settings),
        gate_{&credentials_.authenticator(),
              &validator_,
              &metrics_,
              config.slow_call,
              static_cast<std::size_t>(config.max_error_details),
              static_cast<std::size_t>(config.max_message_bytes)},
        watch_(gate_, &workers_, &engine_, &feed_,
               {.max_watchers = config.max_watchers,
                .max_lag = config.max_watch_lag,
                .clock = DatabaseTime()}),
        workers_(WorkQueueLimits(config),
                 [this](absl::Duration wait) { metrics_.queue_wait().Add(wait); }),
        calls_(gate_, &workers_, config.default_deadline),
        imports_(gate_, &engine_,
                 {.max_streams = config.max_imports,
                  .idle_limit = config.import_idle_limit,
                  .batch_limit = config.default_deadline}),
        contacts_(&calls_, &engine_, &watch_),
        directory_(&calls_, &imports_, &engine_) {}

  absl::Status Start(std::vector<std::string>& addresses) {
    if (!validator_.gaps().empty()) {
      return absl::InternalError(absl::StrJoin(validator_.gaps(), "; "));
    }
    if (auto ready = credentials_.Start(); !ready.ok()) return ready;
    if (auto ready = PrepareDatabase(database_, config_.migrate); !ready.ok()) return ready;
    if (auto ready = transport_->Prepare(); !ready.ok()) return ready;
    if (auto listening = Listen(addresses); !listening.ok()) return listening;
    health_ = std::make_unique<Health>(&database_, server_->GetHealthCheckService(),
                                       config_.health_interval);
    relay_.Start();
    timers_ = std::make_unique<Periodic>([this] {
      return PauseAfterBatch("timers", engine_.maintenance.RunTimers(kBatch),
                             config_.sweep_interval);
    });
    purge_ = std::make_unique<Periodic>([this] {
      return PauseAfterBatch("purge", engine_.maintenance.PurgeRequests(kBatch), kPurgeInterval);
    });
    purge_feed_ = std::make_unique<Periodic>([this] {
      return PauseAfterBatch("purge of events", feed_.Purge(kBatch, database_.Now()),
                             kPurgeInterval);
    });
    watch_.Start();
    if (config_.metrics.empty()) return absl::OkStatus();
    AddMetrics();
    measure_outbox_ = std::make_unique<Periodic>([this] { return MeasureOutbox(); });
    metrics_listener_ = std::make_unique<MetricsListener>(
        config_.metrics, config_.secure_metrics ? credentials_.tls() : nullptr,
        MetricsListener::Source{
            .collect = [this] { return metrics_.Exposition(); },
            .allows = [this](const PeerNames& peer) { return credentials_.MayReadMetrics(peer); }});
    return metrics_listener_->Start();
  }

  ~Impl() {
    if (server_ == nullptr) return;
    relay_.BeginStop();  // First, because a delivery may take as long as calls do.
    if (health_ != nullptr) health_->Drain();
    acceptor_->StopListening();
    calls_.Drain();
    watch_.Stop();
    imports_.Drain();
    const absl::Time drained = absl::Now() + config_.drain_timeout;
    const bool calls_ended =
        calls_.WaitIdle(config_.drain_timeout) && workers_.WaitIdle(drained - absl::Now());
    if (!imports_.WaitIdle(std::max(drained - absl::Now(), absl::ZeroDuration())) || !calls_ended) {
      spdlog::warn("calls still under way after the drain timeout are cancelled");
    }
    metrics_listener_.reset();  // Its metrics read members that end below.
    // gRPC 1.51 sends GOAWAY only in Shutdown, and cancels calls that arrive afterwards without
    // handing them to a service. So the connections end first: the client then says UNAVAILABLE.
    acceptor_->EndConnections(kShutdownLimit);
    server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoSeconds(kShutdownLimit));
    server_->Wait();
    relay_.Stop();
  }

 private:
  // Times that are stored in the database, or compared with stored ones, are the database's.
  Engine::Clock DatabaseTime() {
    return [this] { return database_.Now(); };
  }

  void AddMetrics() {
    using Labels = Metrics::Labels;
    const auto gauge = [this](const char* name, const char* help, const Labels& labels,
                              auto value) {
      metrics_.AddGauge(name, help, labels, [=] { return static_cast<double>(value()); });
    };
    const auto counter = [this](const char* name, const char* help, const Labels& labels,
                                auto value) {
      metrics_.AddCounter(name, help, labels, [=] { return static_cast<double>(value()); });
    };
    AddProcessMetrics(metrics_);
    gauge("contacts_build_info", "Always 1.", {{"version", CONTACTS_VERSION}}, [] { return 1; });
    gauge("contacts_certificate_expiry_timestamp_seconds",
          "When the server's certificate ends, in seconds since 1970; infinite "
          "without one.",
          {}, [this] {
            return absl::ToDoubleSeconds(credentials_.certificate_expires() - absl::UnixEpoch());
          });
    gauge("contacts_serving", "1 where health says SERVING, else 0.", {},
          [this] { return health_->serving() ? 1 : 0; });
    gauge("contacts_queue_length", "Calls that wait for a worker thread.", {},
          [this] { return workers_.length(); });
    gauge("contacts_watchers", "Streams of WatchContactChanges.", {},
          [this] { return watch_.watchers(); });
    counter("contacts_connections_refused_total",
            "Connections that were closed at once, as there were too many.", {},
            [this] { return acceptor_->refused(); });
    gauge("contacts_imports", "Streams of ImportDirectory.", {},
          [this] { return imports_.running(); });
    for (const ChangeState state :
         {ChangeState::kValidating, ChangeState::kDone, ChangeState::kRefused,
          ChangeState::kCancelled, ChangeState::kExpired, ChangeState::kAborted}) {
      counter("contacts_changes_total",
              "Contact changes that transactions of this server brought into a "
              "state.",
              {{"state", Lower(Name(state))}}, [this, state] { return database_.entered(state); });
    }
    counter("contacts_answers_without_key_total",
            "Answers refused as this server's key file lacks the key of their token.", {},
            [this] { return engine_.answering.answers_without_key(); });
    const char* mails = "Tries to deliver an e-mail, by outcome.";
    counter("contacts_mails_total", mails, {{"outcome", "delivered"}},
            [this] { return relay_.counts().delivered; });
    counter("contacts_mails_total", mails, {{"outcome", "failed"}},
            [this] { return relay_.counts().failed; });
    counter("contacts_mails_total", mails, {{"outcome", "given_up"}},
            [this] { return relay_.counts().given_up; });
    gauge("contacts_outbox_mails", "E-mails owed by the fleet, up to 10,000.", {},
          [this] { return outbox_mails_.load(); });
    gauge("contacts_outbox_oldest_seconds", "Age of the oldest e-mail owed by the fleet.", {},
          [this] { return outbox_oldest_seconds_.load(); });
    AddDatabaseMetrics(gauge, counter);
  }

  template <typename Gauge, typename Counter>
  void AddDatabaseMetrics(const Gauge& gauge, const Counter& counter) {
    gauge("contacts_host_clock_error_seconds", "This host's clock minus the database's.", {},
          [this] { return absl::ToDoubleSeconds(database_.host_clock_error()); });
    counter("contacts_database_round_trips_total", "Round trips to the database.", {},
            [this] { return database_.round_trips(); });
    const char* retries = "Reads and transactions started over, by cause.";
    counter("contacts_database_retries_total", retries, {{"cause", "conflict"}},
            [this] { return database_.retries().conflict.load(); });
    counter("contacts_database_retries_total", retries, {{"cause", "duplicate"}},
            [this] { return database_.retries().duplicate.load(); });
    counter("contacts_database_retries_total", retries, {{"cause", "lost"}},
            [this] { return database_.retries().lost.load(); });
    counter("contacts_database_failovers_total",
            "Times that another database server was used than before.", {},
            [this] { return database_.failovers(); });
    gauge("contacts_database_writable_members",
          "Database servers that say that they are the one that accepts writes.", {},
          [this] { return database_.writable_members(); });
    for (const auto& [kind, name] :
         {std::pair(Database::Kind::kRead, "read"), std::pair(Database::Kind::kWrite, "write")}) {
      const char* connections = "Connections to the database, by kind of use.";
      gauge("contacts_database_connections", connections, {{"kind", name}, {"state", "used"}},
            [this, kind = kind] { return database_.connections(kind).used; });
      gauge("contacts_database_connections", connections, {{"kind", name}, {"state", "idle"}},
            [this, kind = kind] { return database_.connections(kind).idle; });
      gauge("contacts_database_max_connections", "Connections there may be.", {{"kind", name}},
            [this, kind = kind] { return database_.connections(kind).max; });
      metrics_.AddHistogram("contacts_database_connection_wait_seconds",
                            "Time to get a connection, opening one included.", {{"kind", name}},
                            &database_.connection_waits(kind));
      metrics_.AddHistogram("contacts_database_transaction_seconds",
                            "Time of a read or a transaction, from getting a "
                            "connection to giving "
                            "it back; each try by itself.",
                            {{"kind", name}}, &database_.transactions(kind));
    }
  }

  absl::Duration MeasureOutbox() {
    const auto depth = outbox_.GetDepth(database_.Now());
    if (depth.ok()) {
      outbox_mails_ = depth->mails;
      outbox_oldest_seconds_ = absl::ToDoubleSeconds(depth->oldest);
    }
    return Jittered(kOutboxInterval);
  }

  absl::Status Listen(std::vector<std::string>& addresses) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    AddLimits(builder, config_);
    // Reads and writes have this many connections each.
    acceptor_.emplace(config_.max_connections,
                      4 * DatabaseOptionsOf(config_).max_connections + kOtherDescriptors);
    using Experimental = grpc::ServerBuilder::experimental_type;
    connections_ = builder.experimental().AddExternalConnectionAcceptor(
        Experimental::ExternalConnectionType::FROM_FD, credentials_.ForPorts());
    for (const std::string& address : config_.listen) {
      auto listening = acceptor_->Listen(address);
      if (!listening.ok()) return listening.status();
      addresses.push_back(*std::move(listening));
    }
    builder.RegisterService(&contacts_);
    builder.RegisterService(&directory_);
    if (config_.reflection) {
      for (const auto& service : reflection_) builder.RegisterService(service.get());
    }
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return absl::InternalError("gRPC does not start its server");
    acceptor_->Start([this](int listener, int connection) {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters accepted;
      accepted.listener_fd = listener;
      accepted.fd = connection;
      connections_->HandleNewConnection(&accepted);
    });
    return absl::OkStatus();
  }

  const Config& config_;
  Metrics metrics_;
  Database database_;
  Engine engine_;
  Outbox outbox_;
  std::unique_ptr<MailTransport> transport_;
  MailRelay relay_;
  Credentials credentials_;
  RequestValidator validator_;
  Feed feed_;
  const Gate gate_;
  Watch watch_;  // Before the workers, which may still have one of its calls
                 // when they end.
  WorkQueue workers_;
  UnaryCalls calls_;
  ImportCalls imports_;
  ContactServer contacts_;
  DirectoryServer directory_;
  const std::array<std::unique_ptr<grpc::Service>, 2> reflection_ = {
      MakeReflectionV1(ReflectedServices()), MakeReflectionV1Alpha(ReflectedServices())};
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connections_;
  std::unique_ptr<grpc::Server> server_;
  std::optional<Acceptor> acceptor_;
  std::unique_ptr<Health> health_;
  std::unique_ptr<Periodic> timers_;
  std::unique_ptr<Periodic> purge_;
  std::unique_ptr<Periodic> purge_feed_;
  std::atomic<int64_t> outbox_mails_ = 0;
  std::atomic<double> outbox_oldest_seconds_ = 0;
  std::unique_ptr<Periodic> measure_outbox_;
  std::unique_ptr<MetricsListener> metrics_listener_;
};

Server::Server(Config config) : config_(std::move(config)) {}

Server::~Server() { Stop(); }

absl::Status Server::Start() {
  impl_ = std::make_unique<Impl>(config_);
  absl::Status started = impl_->Start(addresses_);
  if (!started.ok()) impl_.reset();
  return started;
}

void Server::Stop() { impl_.reset(); }

}  // namespace contacts::server
