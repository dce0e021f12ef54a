// Strangers attack the edge, nginx with deploy/edge.conf, in front of a server for customers'
// sessions. The server keeps answering others, in bounded memory.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/testing/bearer_tokens.h"
#include "tests/testing/certificates.h"
#include "tests/testing/fleet.h"
#include "tests/testing/http2.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using namespace contacts::testing::http2;  // NOLINT(google-build-using-namespace): as above.

constexpr int64_t kMaxKilobytes = 150'000;  // Of the server. It has about 35 MB without an attack.
constexpr uint32_t kStranger = 9;           // 127.0.0.9. Honest callers are at 127.0.0.1.
constexpr char kProfile[] = "/contacts.v1.ContactService/GetProfile";
constexpr char kWatchHealth[] = "/grpc.health.v1.Health/Watch";

class TlsConnection : public Connection {
 public:
  explicit TlsConnection(const std::string& address, uint32_t host = kStranger)
      : Connection(address, host), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_set_alpn_protos(context_.get(), reinterpret_cast<const uint8_t*>("\x02h2"), 3);
    SSL_CTX_set_mode(context_.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd());
    begun_ = SSL_connect(ssl_.get()) == 1;
    fcntl(fd(), F_SETFL, O_NONBLOCK);
  }
  // Whether the edge agreed to TLS. False if it closed the connection before.
  bool begun() const { return begun_; }

 private:
  ssize_t ReadSome(char* buffer, std::size_t size) override {
    return Count(SSL_read(ssl_.get(), buffer, static_cast<int>(size)));
  }
  ssize_t WriteSome(const char* bytes, std::size_t size) override {
    return Count(SSL_write(ssl_.get(), bytes, static_cast<int>(size)));
  }
  ssize_t Count(int done) const {
    if (done > 0) return done;
    const int error = SSL_get_error(ssl_.get(), done);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  bool begun_ = false;
};

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&place), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&place), &size), 0);
  close(fd);
  return ntohs(place.sin_port);
}

// nginx with deploy/edge.conf. Its files and addresses are the test's; each of `changes` replaces
// a text that the file must contain.
class Edge {
 public:
  Edge(const std::string& directory, const std::string& server,
       std::vector<std::pair<std::string, std::string>> changes)
      : address_(absl::StrCat("127.0.0.1:", FreePort())) {
    std::string text =
        ReadFile(absl::StrCat(std::getenv("CONTACTS_TEST_SOURCE_DIR"), "/deploy/edge.conf"));
    changes.insert(changes.end(), {{"listen 443;", absl::StrCat("listen ", address_, ";")},
                                   {"127.0.0.1:50051", server},
                                   {"/etc/contacts/", directory + "/"},
                                   {"/run/", directory + "/"},
                                   {"/var/lib/nginx/body", directory + "/body"},
                                   {"/var/log/nginx/", directory + "/"}});
    for (const auto& [old, by] : changes) {
      EXPECT_GT(absl::StrReplaceAll({{old, by}}, &text), 0) << old;
    }
    const std::string path = directory + "/edge.conf";
    const std::string log = directory + "/error.log";
    std::ofstream(path) << text;
    chmod(directory.c_str(), 0711);  // nginx's workers run as another user.
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      execlp("nginx", "nginx", "-e", log.c_str(), "-g", "daemon off;", "-c", path.c_str(), nullptr);
      _exit(127);
    }
  }
  ~Edge() {
    kill(pid_, SIGTERM);
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;
  const std::string& address() const { return address_; }

 private:
  const std::string address_;
  pid_t pid_ = -1;
};

// The connections that a server's port has now.
int Connections(const std::string& address) {
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  const std::string own =
      absl::StrCat(":", absl::AsciiStrToUpper(absl::StrCat(absl::Hex(port, absl::kZeroPad4))));
  std::ifstream table("/proc/net/tcp");
  int count = 0;
  for (std::string line; std::getline(table, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    constexpr char kEstablished[] = "01";
    count += absl::EndsWith(fields.at(1), own) && fields.at(3) == kEstablished ? 1 : 0;
  }
  return count;
}

class EdgeTest : public ::testing::Test {
 protected:
  explicit EdgeTest(const std::vector<std::pair<std::string, std::string>>& changes = {}) {
    const auto own = authority_.Issue("DNS:localhost");
    std::ofstream(fleet_.directory() + "/edge.crt") << own.certificate;
    std::ofstream(fleet_.directory() + "/edge.key") << own.key;
    chmod((fleet_.directory() + "/edge.key").c_str(), 0600);
    std::ofstream(fleet_.directory() + "/jwks.json") << Jwks({issuer_.Jwk()});
    server_.Start();
    edge_ = std::make_unique<Edge>(fleet_.directory(), server_.address(), changes);
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (access((fleet_.directory() + "/nginx.pid").c_str(), F_OK) != 0 &&
           absl::Now() < deadline) {
      absl::SleepFor(kMoment);
    }
    early_ = Stub();
    EXPECT_EQ(Profile(*early_), "OK");
    session_ = Session(absl::Minutes(2));
    watch_ = early_->WatchContactChanges(session_.get(), {});
    EXPECT_TRUE(watch_->Read(&event_));  // It has begun.
    bystander_ = std::thread([this] {
      const auto stub = Stub();
      while (!over_) {
        const std::string reason = Profile(*stub);
        if (reason == "OK") {
          ++answered_;
        } else {
          ADD_FAILURE() << "the bystander got " << reason;
        }
        max_kilobytes_ = std::max<int64_t>(max_kilobytes_, server_.ResidentKilobytes());
        max_connections_ = std::max<int>(max_connections_, Connections(server_.address()));
        absl::SleepFor(kMoment);
      }
    });
  }

  void TearDown() override {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (answered_ <= 10 && absl::Now() < deadline) absl::SleepFor(kMoment);
    over_ = true;
    bystander_.join();
    EXPECT_GT(answered_, 10);
    EXPECT_EQ(Profile(*early_), "OK");
    EXPECT_EQ(Profile(*Stub()), "OK");
    // The stream from before the attack goes on: it tells a change that the other server makes.
    v1::ChangeContactsResponse response;
    EXPECT_EQ(ReasonOf(Fleet::Ask(*fleet_.Stub(0), Fleet::ServiceName(0), kFleetSecond,
                                  NewRequestId(), response)),
              "OK");
    do {
      ASSERT_TRUE(watch_->Read(&event_));
    } while (!event_.has_event());
    session_->TryCancel();
    watch_->Finish();
    EXPECT_LT(max_kilobytes_, kMaxKilobytes);
    RecordProperty("answered", answered_);
    RecordProperty("max_kilobytes", static_cast<int>(max_kilobytes_));
    EXPECT_EQ(server_.Terminate(), 0);
  }

  std::string Token() const { return issuer_.Sign(SessionClaims(kFleetAdmin, absl::Now())); }

  std::unique_ptr<grpc::ClientContext> Session(absl::Duration limit) const {
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("authorization", "Bearer " + Token());
    context->set_deadline(absl::ToChronoTime(absl::Now() + limit));
    return context;
  }

  std::unique_ptr<v1::ContactService::Stub> Stub() const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = authority_.certificate();
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("localhost");
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
    return v1::ContactService::NewStub(
        grpc::CreateCustomChannel(edge_->address(), grpc::SslCredentials(options), arguments));
  }

  std::string Profile(v1::ContactService::Stub& stub) const {
    v1::GetProfileResponse response;
    return ReasonOf(stub.GetProfile(Session(absl::Seconds(10)).get(), {}, &response));
  }

  std::unique_ptr<TlsConnection> Connect() const {
    return std::make_unique<TlsConnection>(edge_->address());
  }

  static std::string Head(const std::string& path) {
    return "\x83\x87" + Literal(":path", path) + Literal(":authority", "localhost") +
           Literal("te", "trailers") + Literal("content-type", "application/grpc");
  }
  std::string HeadOfSession() const {
    return Head(kProfile) + Literal("authorization", "Bearer " + Token());
  }

  // Calls attack() on `threads` threads, again and again, for the time of the attack.
  static void Attack(int threads, const std::function<void(absl::Time end)>& attack) {
    const absl::Time end = absl::Now() + absl::Seconds(4);
    std::vector<std::thread> attackers;
    for (int i = 0; i < threads; ++i) {
      attackers.emplace_back([&] {
        while (absl::Now() < end) attack(end);
      });
    }
    for (std::thread& attacker : attackers) attacker.join();
  }

  static constexpr absl::Duration kMoment = absl::Milliseconds(20);

  CertificateAuthority authority_{"edge"};
  IssuerKey issuer_ = IssuerKey::Es256("key");
  Fleet fleet_{1, {}, 1};
  ServerProcess server_{
      fleet_.database().server_uri(),
      fleet_.directory(),
      {"--auth=jwt", "--token_keys_file=contacts-token-keys", "--jwt_jwks_file=jwks.json",
       "--jwt_issuer=https://login.example", "--jwt_audience=contacts"}};
  std::unique_ptr<Edge> edge_;
  std::unique_ptr<v1::ContactService::Stub> early_;
  std::unique_ptr<grpc::ClientContext> session_;
  std::unique_ptr<grpc::ClientReader<v1::WatchContactChangesResponse>> watch_;
  v1::WatchContactChangesResponse event_;
  std::atomic<bool> over_ = false;
  std::atomic<int> answered_ = 0;
  std::atomic<int64_t> max_kilobytes_ = 0;
  std::atomic<int> max_connections_ = 0;  // Of the server. Each call has its own.
  std::thread bystander_;
};

TEST_F(EdgeTest, RapidResetsLeaveTheServerToOthers) {
  constexpr uint32_t kRound = 50;  // Calls.
  const absl::Time begun = absl::Now();
  std::atomic<int> sent = 0;
  Attack(3, [&](absl::Time end) {
    const auto connection = Connect();
    if (!connection->Send(Begin())) return;
    for (uint32_t first = 1; first < 100'000 && absl::Now() < end; first += 2 * kRound) {
      // nginx drops a call that is reset at once. So each second round is reset a moment later.
      const bool at_once = first % (4 * kRound) == 1;
      std::string calls;
      std::string resets;
      for (uint32_t stream = first; stream < first + 2 * kRound; stream += 2) {
        calls += Frame(kHeaders, kEndHeaders, stream, Head(kProfile)) +
                 Frame(kData, kEndStream, stream, Message(""));
        (at_once ? calls : resets) += Frame(kReset, 0, stream, Number(8, 4));
      }
      sent += kRound;
      if (!connection->Send(calls) ||
          !connection->Receive([](FrameType, uint32_t, const std::string&) {}) ||
          !connection->Send(resets)) {
        return;
      }
    }
  });
  // Without a token: the bystander's calls do not count.
  int arrived = 0;
  for (const auto line : absl::StrSplit(fleet_.log(), '\n')) {
    arrived += absl::StrContains(line, R"("reason":"UNAUTHENTICATED")") ? 1 : 0;
  }
  EXPECT_GT(arrived, 0);
  const double most = 500 + 500 * absl::ToDoubleSeconds(absl::Now() - begun);  // Of limit_req.
  EXPECT_LE(arrived, most);
  EXPECT_GT(sent, 2 * most);
}

TEST_F(EdgeTest, MessagesThatNeverEndDoNotReachTheServer) {
  constexpr uint32_t kStreams = 100;
  constexpr int64_t kSize = 1'000'000;
  std::atomic<int64_t> sent = 0;
  Attack(10, [&](absl::Time end) {
    const auto connection = Connect();
    std::string bytes = Begin() + Frame(kSettings, 1, 0, "");
    int64_t window = 65535;
    int64_t initial = 65535;
    std::map<uint32_t, std::pair<int64_t, int64_t>> streams;  // Window, and what was sent.
    for (uint32_t id = 1; id < 2 * kStreams; id += 2) {
      bytes += Frame(kHeaders, kEndHeaders, id, HeadOfSession());
      streams[id] = {initial, 0};
    }
    const auto take = [&](FrameType type, uint32_t id, const std::string& payload) {
      if (type == kWindowUpdate) {
        if (id == 0) window += Read(payload, 0, 4);
        if (streams.count(id) > 0) streams[id].first += Read(payload, 0, 4);
      } else if (type == kReset || type == kHeaders) {
        streams.erase(id);
      } else if (type == kSettings) {
        for (std::size_t at = 0; at + 6 <= payload.size(); at += 6) {
          if (Read(payload, at, 2) != 4) continue;  // SETTINGS_INITIAL_WINDOW_SIZE.
          for (auto& [other, stream] : streams) {
            stream.first += Read(payload, at + 2, 4) - initial;
          }
          initial = Read(payload, at + 2, 4);
        }
      }
    };
    if (!connection->Send(bytes)) return;
    while (absl::Now() < end && !streams.empty() && connection->Receive(take)) {
      for (auto& [id, stream] : streams) {
        const int64_t count =
            std::min({int64_t{16384}, window, stream.first, kSize - stream.second});
        if (count <= 5) continue;
        const std::string prefix = std::string(1, '\0') + Number(kSize + 5, 4);
        const std::string part = (stream.second == 0 ? prefix : "") + std::string(16384, 'x');
        if (!connection->Send(Frame(kData, 0, id, part.substr(0, static_cast<size_t>(count))))) {
          return;
        }
        sent += count;
        stream.first -= count;
        stream.second += count;
        window -= count;
      }
    }
  });
  EXPECT_GT(sent, 1'000'000);
  // Of the bystander and the watch alone. Each unfinished request would have one, too.
  EXPECT_LT(max_connections_, 10);
}

TEST_F(EdgeTest, StreamsOfHealthAreRefused) {
  std::atomic<int> opened = 0;
  std::atomic<int> refused = 0;
  Attack(4, [&](absl::Time end) {
    const auto connection = Connect();
    if (!connection->Send(Begin())) return;
    std::set<uint32_t> open;
    const auto take = [&](FrameType type, uint32_t id, const std::string& /*payload*/) {
      if ((type == kHeaders || type == kReset) && open.erase(id) > 0) ++refused;
    };
    for (uint32_t stream = 1; stream < 100'000 && absl::Now() < end; stream += 2) {
      if (!connection->Send(Frame(kHeaders, kEndHeaders, stream, Head(kWatchHealth)) +
                            Frame(kData, kEndStream, stream, Message("")))) {
        return;
      }
      ++opened;
      open.insert(stream);
      if (open.size() > 50 && !connection->Receive(take)) return;
    }
  });
  EXPECT_GT(opened, 1000);
  EXPECT_GT(refused, opened / 2);
  EXPECT_LT(max_connections_, 10) << "the server got some of them";
}

class IdleEdgeTest : public EdgeTest {
 protected:
  IdleEdgeTest()
      : EdgeTest({{"keepalive_timeout 60s;\n\n        # TLS",
                   "keepalive_timeout 3s;\n\n        # TLS"}}) {}
};

TEST_F(IdleEdgeTest, IdleConnectionsThatAnswerAndSendPingsAreClosed) {
  constexpr std::size_t kLimit = 100;  // limit_conn in edge.conf.
  std::vector<std::unique_ptr<TlsConnection>> connections;
  for (std::size_t i = 0; i < 3 * kLimit; ++i) {
    auto connection = Connect();
    if (!connection->begun() || !connection->Send(Begin() + Frame(kSettings, 1, 0, ""))) continue;
    connections.push_back(std::move(connection));
  }
  EXPECT_LE(connections.size(), kLimit + 50);  // Some that were first are closed by now.
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (!connections.empty() && absl::Now() < deadline) {
    for (auto at = connections.begin(); at != connections.end();) {
      std::string answer = Frame(kPing, 0, 0, "12345678");
      const bool open = (*at)->Receive([&](FrameType type, uint32_t, const std::string& payload) {
        if (type == kPing) answer += Frame(kPing, 1, 0, payload);
      });
      at = open && (*at)->Send(answer) ? at + 1 : connections.erase(at);
    }
    absl::SleepFor(absl::Milliseconds(500));
  }
  EXPECT_TRUE(connections.empty()) << connections.size();
}

TEST_F(EdgeTest, AMalformedBinaryHeaderEndsItsOwnCallAlone) {
  for (int round = 0; round < 5; ++round) {
    // Calls of one connection, as from a proxy that customers share.
    const auto connection = Connect();
    ASSERT_TRUE(connection->Send(Begin() + Frame(kSettings, 1, 0, "")));
    const auto malformed = [](uint32_t stream) { return stream % 4 == 3; };
    for (uint32_t stream = 1; stream < 60; stream += 2) {
      const std::string more = malformed(stream) ? Literal("x-bin", "!not base64!") : "";
      EXPECT_TRUE(connection->Send(Frame(kHeaders, kEndHeaders, stream, HeadOfSession() + more) +
                                   Frame(kData, kEndStream, stream, Message(""))));
    }
    std::map<uint32_t, std::string> answers;
    std::map<uint32_t, int> headers;
    std::set<uint32_t> ended;
    bool open = true;
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (open && ended.size() < 30 && absl::Now() < deadline) {
      open = connection->Receive([&](FrameType type, uint32_t id, const std::string& payload) {
        if (type == kData) answers[id] += payload;
        // An answer has trailers after its message. A refusal has one block of headers.
        if (type == kHeaders && ++headers[id] == (malformed(id) ? 1 : 2)) ended.insert(id);
      });
    }
    EXPECT_TRUE(open);
    EXPECT_EQ(ended.size(), 30U);
    for (uint32_t stream = 1; stream < 60; stream += 2) {
      EXPECT_EQ(absl::StrContains(answers[stream], kFleetAdmin), !malformed(stream)) << stream;
    }
  }
}

}  // namespace
}  // namespace contacts
