#include "server/server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/engine/feed.h"
#include "core/engine/outbox.h"
#include "core/letter/design.h"
#include "core/letter/render.h"
#include "core/mail/maildir.h"
#include "core/mail/relay.h"
#include "core/mail/smtp.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "server/auth/credentials.h"
#include "server/background.h"
#include "server/calls/contact_service.h"
#include "server/calls/directory_service.h"
#include "server/calls/health.h"
#include "server/calls/support_service.h"
#include "server/calls/unary_call.h"
#include "server/calls/watch.h"
#include "server/ports.h"
#include "server/server_metrics.h"
#include "server/standard/health_service.h"
#include "server/standard/reflection.h"
#include "server/support/reloaded_file.h"
#include "server/telemetry/metrics.h"
#include "server/telemetry/metrics_listener.h"

namespace contacts::server {
namespace {

// Few e-mails, because all of them wait if the mail server hangs at one.
constexpr int64_t kSmtpBatch = 5;
constexpr absl::Duration kSmtpMargin = absl::Seconds(10);

// The queue has as many places as calls begin in this time. 256 callers in a closed loop wait less
// than this for each other's workflows (tests/bench).
constexpr absl::Duration kLongestWait = absl::Seconds(1);

// One account has a quarter of the threads, so its calls would wait longest in a long queue.
constexpr std::size_t kWaitingPerAccount = 128;

// One account has a quarter of the threads. (At half of the threads, a flood kept two cores so busy
// that taking turns did not help the other accounts.)
WorkQueue::Limits WorkQueueLimits(const Config& config) {
  const auto threads = static_cast<std::size_t>(config.workers);
  return {.threads = threads,
          .waiting = static_cast<std::size_t>(config.queue_limit),
          .threads_per_tenant = (threads + 3) / 4,
          .waiting_per_tenant = kWaitingPerAccount,
          .wait = kLongestWait};
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

// The file descriptors of everything but clients. Reads and writes have this many connections each.
int64_t ReservedDescriptors(const Config& config) {
  return 4 * DatabaseOptionsOf(config).max_connections + kOtherDescriptors;
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

// Full names of the services that reflection lists.
std::vector<std::string> ReflectedServices() {
  return {v1::ContactService::service_full_name(),
          v1::DirectoryService::service_full_name(),
          v1::SupportService::service_full_name(),
          grpc::health::v1::Health::service_full_name(),
          grpc::reflection::v1::ServerReflection::service_full_name(),
          grpc::reflection::v1alpha::ServerReflection::service_full_name()};
}

}  // namespace

absl::Status PrepareDatabase(Database& database, bool migrate) {
  return migrate ? database.Migrate() : database.CheckSchema();
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
        renderer_(config.letters, config.design),
        relay_(&outbox_, transport_.get(), &renderer_, MakeRelayOptions(config, DatabaseTime())),
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
        directory_(&calls_, &imports_, &engine_),
        support_(&calls_, &engine_),
        background_(&database_, &engine_, &feed_, &outbox_, config.sweep_interval) {}

  absl::Status Start(std::vector<std::string>& addresses) {
    if (!validator_.gaps().empty()) {
      return absl::InternalError(absl::StrJoin(validator_.gaps(), "; "));
    }
    if (auto ready = credentials_.Start(); !ready.ok()) return ready;
    if (auto ready = PrepareDatabase(database_, config_.migrate); !ready.ok()) return ready;
    if (auto ready = transport_->Prepare(); !ready.ok()) return ready;
    if (config_.reflection) reflection_ = MakeReflection(ReflectedServices());
    auto listening = ports_.Start(config_, credentials_, ReservedDescriptors(config_), Services());
    if (!listening.ok()) return listening.status();
    addresses = *std::move(listening);
    health_ =
        std::make_unique<Health>(&database_, &workers_, &health_service_, config_.health_interval);
    FollowDesign();
    relay_.Start();
    background_.Start(/*measures_outbox=*/!config_.metrics.empty());
    watch_.Start();
    return config_.metrics.empty() ? absl::OkStatus() : StartMetrics();
  }

  ~Impl() {
    if (!ports_.started()) return;
    relay_.BeginStop();  // First, because a delivery may take as long as calls do.
    if (health_ != nullptr) health_->Drain();
    ports_.StopListening();
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
    ports_.End();
    relay_.Stop();
  }

 private:
  // Times that are stored in the database, or compared with stored ones, are the database's.
  Engine::Clock DatabaseTime() {
    return [this] { return database_.Now(); };
  }

  std::vector<grpc::Service*> Services() {
    std::vector<grpc::Service*> services = {&contacts_, &directory_, &support_, &health_service_};
    for (const auto& service : reflection_) services.push_back(service.get());
    return services;
  }

  void FollowDesign() {
    if (config_.mail_templates.empty() && config_.mail_brand_file.empty()) return;
    design_reloader_.emplace(
        "design of e-mails", config_.design_files,
        [this] {
          return ReadDesignFiles(config_.mail_templates, config_.mail_brand_file, ReadTrustedFile);
        },
        [this](const DesignFiles& files) {
          const auto design = Design::Make(files);
          if (design.ok()) renderer_.Use(*design);
          return design.status();
        });
  }

  absl::Status StartMetrics() {
    AddServerMetrics(metrics_, {.database = &database_,
                                .engine = &engine_,
                                .relay = &relay_,
                                .credentials = &credentials_,
                                .workers = &workers_,
                                .unread = &calls_.unread(),
                                .watch = &watch_,
                                .imports = &imports_,
                                .ports = &ports_,
                                .health = health_.get(),
                                .background = &background_});
    metrics_listener_ = std::make_unique<MetricsListener>(
        config_.metrics, config_.secure_metrics ? credentials_.tls() : nullptr,
        MetricsListener::Source{
            .collect = [this] { return metrics_.Exposition(); },
            .allows = [this](const PeerNames& peer) { return credentials_.MayReadMetrics(peer); }});
    return metrics_listener_->Start();
  }

  const Config& config_;
  Metrics metrics_;
  Database database_;
  Engine engine_;
  Outbox outbox_;
  std::unique_ptr<MailTransport> transport_;
  MailRenderer renderer_;
  std::optional<FileReloader<DesignFiles>> design_reloader_;
  MailRelay relay_;
  Credentials credentials_;
  RequestValidator validator_;
  Feed feed_;
  const Gate gate_;
  Watch watch_;  // Before the workers, which may still have one of its calls when they end.
  WorkQueue workers_;
  UnaryCalls calls_;
  ImportCalls imports_;
  ContactServer contacts_;
  DirectoryServer directory_;
  SupportServer support_;
  HealthService health_service_;
  std::vector<std::unique_ptr<grpc::Service>> reflection_;  // Empty if it is off.
  Ports ports_;
  std::unique_ptr<Health> health_;
  Background background_;
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
