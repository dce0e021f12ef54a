// Connections over TLS and callers' certificates, at a server in its own process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/testing/bearer_tokens.h"
#include "tests/testing/certificates.h"
#include "tests/testing/fleet.h"
#include "tests/testing/http.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

constexpr char kPolicy[] = R"({"callers": [
  {"name": "shop", "uri": "spiffe://example.org/shop", "may": ["front_end"]},
  {"name": "sync", "dns": "sync.example.org", "may": ["operator"]},
  {"name": "audit", "uri": "spiffe://example.org/audit", "may": ["observer"]},
  {"name": "prometheus", "dns": "prometheus.example.org", "may": ["metrics_reader"]}]})";

using Entries = std::vector<std::pair<std::string, std::string>>;

class TlsTest : public ::testing::Test {
 protected:
  // `callers`: entries of the policy.
  explicit TlsTest(const std::vector<std::string>& more = {"--auth=mtls"}, bool callers = true) {
    ShowCertificate(authority_);
    Write("ca.pem", authority_.certificate());
    Write("policy.json", kPolicy);
    Write("jwks.json", Jwks({issuer_.Jwk()}));
    MakeTokenKey();
    std::vector<std::string> flags = {"--tls_cert=cert.pem", "--tls_key=key.pem",
                                      "--token_keys_file=token-keys", "--log_level=trace"};
    if (callers) {
      flags.insert(flags.end(), {"--tls_client_ca=ca.pem", "--policy_file=policy.json"});
    }
    flags.insert(flags.end(), more.begin(), more.end());
    server_ = std::make_unique<ServerProcess>(database_.server_uri(), directory_.path(), flags);
    server_->Start();
    if (!callers) return;
    v1::CreateAccountRequest request;
    request.mutable_account()->set_id(kFleetAdmin);
    request.mutable_account()->set_email("admin@mail.example");
    v1::CreateAccountResponse response;
    const auto context = ContextOf({});
    EXPECT_EQ(ReasonOf(v1::DirectoryService::NewStub(ChannelOf(sync_))
                           ->CreateAccount(context.get(), request, &response)),
              "OK");
  }

  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }

  // Replaces the file as a whole, so that the server never reads half of it.
  void Write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    std::ofstream(Path(name + ".new")) << text;
    chmod(Path(name + ".new").c_str(), mode);
    std::filesystem::rename(Path(name + ".new"), Path(name));
  }

  void ShowCertificate(const CertificateAuthority& authority) const {
    const auto own = authority.Issue("DNS:localhost,IP:127.0.0.1");
    Write("key.pem", own.key, 0600);
    Write("cert.pem", own.certificate);
  }

  void MakeTokenKey() const {
    const std::string command =
        absl::StrCat(std::getenv("CONTACTS_TEST_BIN_DIR"), "/server/contactsd --make_token_key");
    std::FILE* out = popen(command.c_str(), "r");
    char line[256] = "";
    EXPECT_NE(std::fgets(line, sizeof line, out), nullptr);
    EXPECT_EQ(pclose(out), 0);
    Write("token-keys", line, 0600);
  }

  // `ca`: the authority that the client trusts. Null: a client without a certificate.
  std::shared_ptr<grpc::Channel> ChannelOf(const CertificateAndKey* own,
                                           const CertificateAuthority& ca) const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ca.certificate();
    if (own != nullptr) {
      options.pem_private_key = own->key;
      options.pem_cert_chain = own->certificate;
    }
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("localhost");
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    return grpc::CreateCustomChannel(server_->address(), grpc::SslCredentials(options), arguments);
  }
  std::shared_ptr<grpc::Channel> ChannelOf(const CertificateAndKey& own) const {
    return ChannelOf(&own, authority_);
  }

  static std::unique_ptr<grpc::ClientContext> ContextOf(const Entries& entries) {
    auto context = std::make_unique<grpc::ClientContext>();
    for (const auto& [key, value] : entries) context->AddMetadata(key, value);
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    return context;
  }

  static grpc::Status GetProfile(const std::shared_ptr<grpc::Channel>& channel,
                                 const Entries& entries) {
    const auto context = ContextOf(entries);
    v1::GetProfileResponse response;
    const auto status =
        v1::ContactService::NewStub(channel)->GetProfile(context.get(), {}, &response);
    EXPECT_EQ(response.account().id(), status.ok() ? kFleetAdmin : "");
    return status;
  }
  static std::string Profile(const std::shared_ptr<grpc::Channel>& channel,
                             const Entries& entries) {
    return ReasonOf(GetProfile(channel, entries));
  }
  static std::string Account(const std::shared_ptr<grpc::Channel>& channel,
                             const Entries& entries) {
    const auto context = ContextOf(entries);
    v1::GetAccountRequest request;
    request.set_account(kFleetAdmin);
    v1::GetAccountResponse response;
    return ReasonOf(
        v1::DirectoryService::NewStub(channel)->GetAccount(context.get(), request, &response));
  }
  static std::string Watch(const std::shared_ptr<grpc::Channel>& channel, const Entries& entries) {
    const auto context = ContextOf(entries);
    const auto stream =
        v1::ContactService::NewStub(channel)->WatchContactChanges(context.get(), {});
    v1::WatchContactChangesResponse response;
    if (stream->Read(&response)) return "OK";
    return ReasonOf(stream->Finish());
  }

  static int Connect(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static void WaitUntil(const char* what, const std::function<bool()>& is_so) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (!is_so()) {
      ASSERT_LT(absl::Now(), deadline) << what;
      absl::SleepFor(absl::Milliseconds(50));
    }
  }
  bool LogHas(const std::string& text) const {
    return absl::StrContains(ReadFile(Path("log")), text);
  }

  const CertificateAuthority authority_{"authority"};
  const CertificateAuthority other_{"another authority"};
  const CertificateAndKey shop_ = authority_.Issue("URI:spiffe://example.org/shop");
  const CertificateAndKey sync_ = authority_.Issue("DNS:sync.example.org");
  const CertificateAndKey audit_ = authority_.Issue("URI:spiffe://example.org/audit");
  const IssuerKey issuer_ = IssuerKey::Es256("ec-1");
  const TestDatabase database_;
  const TemporaryDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
};

const Entries kAsAdmin = {{"contacts-account", kFleetAdmin}};

TEST_F(TlsTest, TalksToNobodyWithoutACertificateOfItsAuthority) {
  EXPECT_EQ(Profile(ChannelOf(shop_), kAsAdmin), "OK");
  const auto code_of = [](const std::shared_ptr<grpc::Channel>& channel) {
    return GetProfile(channel, kAsAdmin).error_code();
  };
  EXPECT_EQ(code_of(ChannelOf(nullptr, authority_)), grpc::StatusCode::UNAVAILABLE);
  const auto forged = other_.Issue("URI:spiffe://example.org/shop");
  EXPECT_EQ(code_of(ChannelOf(forged)), grpc::StatusCode::UNAVAILABLE);
  const auto ended = authority_.Issue("URI:spiffe://example.org/shop", -absl::Minutes(1));
  EXPECT_EQ(code_of(ChannelOf(ended)), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(code_of(server_->Channel()), grpc::StatusCode::UNAVAILABLE);
  // Nor does a client trust a server that its authority did not sign.
  EXPECT_EQ(code_of(ChannelOf(&shop_, other_)), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(server_->Terminate(), 0);
}

TEST_F(TlsTest, TheProtocolIsOneDotTwoOrLater) {
  const auto handshakes = [&](int version) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_method()),
                                                                    SSL_CTX_free);
    // Above level 0, OpenSSL itself refuses the signatures of old versions.
    SSL_CTX_set_cipher_list(context.get(), "DEFAULT:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    const unsigned char protocols[] = "\x02h2";
    SSL_CTX_set_alpn_protos(context.get(), protocols, sizeof protocols - 1);
    Write("shop.pem", shop_.certificate + shop_.key, 0600);
    EXPECT_EQ(
        SSL_CTX_use_certificate_file(context.get(), Path("shop.pem").c_str(), SSL_FILETYPE_PEM), 1);
    EXPECT_EQ(
        SSL_CTX_use_PrivateKey_file(context.get(), Path("shop.pem").c_str(), SSL_FILETYPE_PEM), 1);
    const std::string server = server_->address();
    const int fd = Connect(std::atoi(server.substr(server.rfind(':') + 1).c_str()));
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
    SSL_set_fd(ssl.get(), fd);
    const bool done = SSL_connect(ssl.get()) == 1;
    close(fd);
    return done;
  };
  EXPECT_FALSE(handshakes(TLS1_VERSION));
  EXPECT_FALSE(handshakes(TLS1_1_VERSION));
  EXPECT_TRUE(handshakes(TLS1_2_VERSION));
  EXPECT_TRUE(handshakes(TLS1_3_VERSION));
}

TEST_F(TlsTest, ACallerMayWhatThePolicySays) {
  const auto shop = ChannelOf(shop_);
  const auto sync = ChannelOf(sync_);
  const auto audit = ChannelOf(audit_);
  const auto stranger = ChannelOf(authority_.Issue("URI:spiffe://example.org/shop/else"));
  const auto nameless = ChannelOf(authority_.Issue(""));
  const auto both =
      ChannelOf(authority_.Issue("URI:spiffe://example.org/shop,DNS:sync.example.org"));

  EXPECT_EQ(Profile(shop, kAsAdmin), "OK");
  EXPECT_EQ(Profile(shop, {}), "CALLER_NOT_ALLOWED");
  EXPECT_EQ(Account(shop, {}), "CALLER_NOT_ALLOWED");
  EXPECT_EQ(Account(shop, {{"contacts-caller", "operator"}}), "CALLER_NOT_ALLOWED");
  EXPECT_EQ(Watch(shop, {}), "CALLER_NOT_ALLOWED");
  EXPECT_EQ(Watch(shop, kAsAdmin), "OK");

  EXPECT_EQ(Account(sync, {}), "OK");
  EXPECT_EQ(Profile(sync, kAsAdmin), "CALLER_NOT_ALLOWED");
  EXPECT_EQ(Watch(sync, {}), "CALLER_NOT_ALLOWED");

  EXPECT_EQ(Watch(audit, {}), "OK");
  EXPECT_EQ(Account(audit, {}), "CALLER_NOT_ALLOWED");
  EXPECT_EQ(Profile(audit, kAsAdmin), "CALLER_NOT_ALLOWED");

  for (const auto& nobody : {stranger, both}) {
    EXPECT_EQ(Profile(nobody, kAsAdmin), "CALLER_NOT_ALLOWED");
    EXPECT_EQ(Account(nobody, {{"contacts-caller", "operator"}}), "CALLER_NOT_ALLOWED");
    EXPECT_EQ(Watch(nobody, {}), "CALLER_NOT_ALLOWED");
  }
  EXPECT_EQ(Profile(nameless, kAsAdmin), "UNAUTHENTICATED");
  EXPECT_EQ(server_->Terminate(), 0);
  EXPECT_TRUE(LogHas("mTLS:sync"));
}

TEST_F(TlsTest, FollowsThePolicyAndKeepsItWhereTheNextIsBad) {
  const auto shop = ChannelOf(shop_);  // One connection, throughout.
  EXPECT_EQ(Account(shop, {}), "CALLER_NOT_ALLOWED");
  Write("policy.json", R"({"callers": [{"name": "shop", "uri": "spiffe://example.org/shop",
                           "may": ["operator"]}]})");
  WaitUntil("an operator", [&] { return Account(shop, {}) == "OK"; });
  EXPECT_EQ(Profile(shop, kAsAdmin), "CALLER_NOT_ALLOWED");

  Write("policy.json", R"({"callers": [{"name": "shop", "uri": "spiffe://example.org/shop",
                           "may": ["everything"]}]})");
  WaitUntil("told", [&] {
    return LogHas("policy.json: callers[0].may: \\\"everything\\\"") ||
           LogHas("policy.json: callers[0].may: \"everything\"");
  });
  EXPECT_EQ(Account(shop, {}), "OK");

  Write("policy.json", R"({"callers": []})");
  WaitUntil("nobody", [&] { return Account(shop, {}) == "CALLER_NOT_ALLOWED"; });
  EXPECT_EQ(server_->Terminate(), 0);
}

TEST_F(TlsTest, AStreamDoesNotOutliveThePolicyThatLetItIn) {
  const auto context = ContextOf({});
  const auto watch = v1::ContactService::NewStub(ChannelOf(audit_))
                         ->WatchContactChanges(context.get(), v1::WatchContactChangesRequest());
  v1::WatchContactChangesResponse token;
  ASSERT_TRUE(watch->Read(&token));
  const auto import_context = ContextOf({});
  const auto import =
      v1::DirectoryService::NewStub(ChannelOf(sync_))->ImportDirectory(import_context.get());
  v1::ImportDirectoryRequest record;
  record.mutable_account()->set_id("ee5-ovh");
  record.mutable_account()->set_email("ee5@mail.example");
  ASSERT_TRUE(import->Write(record));
  v1::ImportDirectoryResponse acknowledged;
  ASSERT_TRUE(import->Read(&acknowledged));

  Write("policy.json", R"({"callers": []})");
  EXPECT_FALSE(watch->Read(&token));
  EXPECT_EQ(ReasonOf(watch->Finish()), "UNAVAILABLE");
  EXPECT_FALSE(import->Read(&acknowledged));
  EXPECT_EQ(ReasonOf(import->Finish()), "UNAVAILABLE");
  EXPECT_EQ(Watch(ChannelOf(audit_), {}), "CALLER_NOT_ALLOWED");
  EXPECT_EQ(server_->Terminate(), 0);
}

TEST_F(TlsTest, CertificatesChangeWithNoCallLost) {
  // Callers that keep a connection, and callers that open one for each call.
  std::atomic<bool> ends = false;
  std::atomic<int> calls = 0;
  std::vector<std::thread> callers;
  for (const bool keeps : {true, false}) {
    callers.emplace_back([this, keeps, &ends, &calls] {
      auto channel = ChannelOf(shop_);
      while (!ends) {
        if (!keeps) channel = ChannelOf(shop_);
        const grpc::Status status = GetProfile(channel, kAsAdmin);
        EXPECT_TRUE(status.ok()) << status.error_message();
        ++calls;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    // The key first, so that for a moment the two do not fit.
    ShowCertificate(authority_);
    absl::SleepFor(absl::Milliseconds(300));
  }
  ends = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_GT(calls, 20);

  // A key that does not fit is not used, and the log says so.
  Write("key.pem", other_.Issue("DNS:localhost").key, 0600);
  WaitUntil("told", [&] { return LogHas("is not the key of"); });
  EXPECT_EQ(Profile(ChannelOf(shop_), kAsAdmin), "OK");
  chmod(Path("key.pem").c_str(), 0644);
  WaitUntil("told", [&] { return LogHas("want mode 0600"); });
  EXPECT_EQ(Profile(ChannelOf(shop_), kAsAdmin), "OK");

  // Another authority, for the server's certificate and for its callers'. Open connections stay
  // open.
  const auto open = ChannelOf(shop_);
  EXPECT_EQ(Profile(open, kAsAdmin), "OK");
  ShowCertificate(other_);
  Write("ca.pem", other_.certificate());
  const auto moved = other_.Issue("URI:spiffe://example.org/shop");
  WaitUntil("moved", [&] { return Profile(ChannelOf(&moved, other_), kAsAdmin) == "OK"; });
  EXPECT_EQ(GetProfile(ChannelOf(&shop_, other_), kAsAdmin).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Profile(open, kAsAdmin), "OK");
  EXPECT_EQ(server_->Terminate(), 0);
  EXPECT_THAT(ReadFile(Path("log")), Not(HasSubstr("PRIVATE KEY")));
}

TEST_F(TlsTest, TheSampleClientCallsOverIt) {
  Write("shop.pem", shop_.certificate);
  Write("shop.key", shop_.key, 0600);
  const std::string client = absl::StrCat(std::getenv("CONTACTS_TEST_BIN_DIR"),
                                          "/client/contactctl --server=", server_->address());
  const auto run = [&](const std::string& tls) {
    const std::string command =
        absl::StrCat(client, tls, " profile >/dev/null 2>", Path("client-log"));
    return std::system(command.c_str());  // NOLINT(cert-env33-c): the client as its users call it.
  };
  const std::string ca = absl::StrCat(" --tls-ca=", Path("ca.pem"));
  const std::string own =
      absl::StrCat(" --tls-cert=", Path("shop.pem"), " --tls-key=", Path("shop.key"));
  setenv("CONTACTS_ACCOUNT", kFleetAdmin, 1);
  EXPECT_EQ(run(ca + own), 0) << ReadFile(Path("client-log"));
  EXPECT_NE(run(ca + " --timeout=2s"), 0);
  EXPECT_NE(run(own + " --timeout=2s"), 0);  // No authority of the system signed it.
  EXPECT_NE(run(" --timeout=2s"), 0);
  EXPECT_EQ(server_->Terminate(), 0);
}

class MetricsOverTlsTest : public TlsTest {
 protected:
  MetricsOverTlsTest() : MetricsOverTlsTest(FreePort()) {}
  explicit MetricsOverTlsTest(int port)
      : TlsTest({"--auth=mtls", absl::StrCat("--metrics=0.0.0.0:", port)}), port_(port) {}
  HttpsAnswer Get(const std::optional<CertificateAndKey>& own, const std::string& path = "/metrics",
                  const CertificateAuthority* authority = nullptr) const {
    return HttpsGet(port_, path, authority == nullptr ? authority_ : *authority, own);
  }

  const CertificateAndKey prometheus_ = authority_.Issue("DNS:prometheus.example.org");
  const int port_;
};

TEST_F(MetricsOverTlsTest, BeyondLoopbackTheyAreForThoseThePolicyNames) {
  const HttpsAnswer answer = Get(prometheus_);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("\ncontacts_serving 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("\ncontacts_certificate_expiry_timestamp_seconds "));
  EXPECT_EQ(Get(prometheus_, "/metrics?name=value").status, 200);
  EXPECT_EQ(Get(prometheus_, "/").status, 404);

  for (const auto& other : {shop_, sync_, audit_, authority_.Issue("")}) {
    const HttpsAnswer refused = Get(other);
    EXPECT_EQ(refused.status, 403);
    EXPECT_THAT(refused.body, Not(HasSubstr("contacts_")));
  }
  EXPECT_EQ(Get(std::nullopt).status, 0);
  EXPECT_EQ(Get(other_.Issue("DNS:prometheus.example.org")).status, 0);
  EXPECT_EQ(Get(authority_.Issue("DNS:prometheus.example.org", -absl::Minutes(1))).status, 0);
  EXPECT_EQ(HttpGet(port_, "/metrics"), "");
  // A metrics reader may do nothing else.
  EXPECT_EQ(Profile(ChannelOf(prometheus_), kAsAdmin), "CALLER_NOT_ALLOWED");

  // The policy and the certificates are followed here too.
  ShowCertificate(other_);
  Write("ca.pem", other_.certificate());
  const auto moved = other_.Issue("DNS:prometheus.example.org");
  WaitUntil("moved", [&] { return Get(moved, "/metrics", &other_).status == 200; });
  EXPECT_EQ(Get(prometheus_, "/metrics", &other_).status, 0);
  Write("policy.json", R"({"callers": []})");
  WaitUntil("refused", [&] { return Get(moved, "/metrics", &other_).status == 403; });
  EXPECT_EQ(server_->Terminate(), 0);
}

TEST_F(MetricsOverTlsTest, ThoseWhoKeepConnectionsOpenKeepNobodyFromStopping) {
  std::vector<int> idle(40);
  for (int& fd : idle) fd = Connect(port_);
  // Sixteen connections are served, for ten seconds each. This one waits for its turn.
  EXPECT_EQ(Get(prometheus_).status, 200);
  EXPECT_EQ(Profile(ChannelOf(shop_), kAsAdmin), "OK");
  EXPECT_EQ(server_->Terminate(), 0);
  for (const int fd : idle) close(fd);
}

// Customers' own devices, for example, have no certificates.
class SessionAloneTest : public TlsTest {
 protected:
  SessionAloneTest()
      : TlsTest({"--auth=jwt", "--jwt_jwks_file=jwks.json", "--jwt_issuer=https://login.example",
                 "--jwt_audience=contacts"},
                /*callers=*/false) {}
};

TEST_F(SessionAloneTest, NeedsNoCertificateOfItsCaller) {
  const Entries session = {
      {"authorization", "Bearer " + issuer_.Sign(SessionClaims(kFleetAdmin, absl::Now()))}};
  EXPECT_EQ(Profile(ChannelOf(nullptr, authority_), session), "ACCOUNT_NOT_FOUND");
  EXPECT_EQ(Profile(ChannelOf(nullptr, authority_), {}), "UNAUTHENTICATED");
  EXPECT_EQ(Profile(ChannelOf(shop_), kAsAdmin), "UNAUTHENTICATED");
  ShowCertificate(other_);
  WaitUntil("moved",
            [&] { return Profile(ChannelOf(nullptr, other_), session) == "ACCOUNT_NOT_FOUND"; });
  EXPECT_EQ(server_->Terminate(), 0);
}

class TlsAndSessionTest : public TlsTest {
 protected:
  TlsAndSessionTest()
      : TlsTest({"--auth=mtls,jwt", "--jwt_jwks_file=jwks.json",
                 "--jwt_issuer=https://login.example", "--jwt_audience=contacts"}) {}
};

TEST_F(TlsAndSessionTest, AFrontEndBringsItsCustomersSession) {
  const Entries session = {
      {"authorization", "Bearer " + issuer_.Sign(SessionClaims(kFleetAdmin, absl::Now()))}};
  const Entries forged = {{"authorization", "Bearer " + IssuerKey::Es256("ec-1").Sign(SessionClaims(
                                                            kFleetAdmin, absl::Now()))}};
  const auto shop = ChannelOf(shop_);
  EXPECT_EQ(Profile(shop, session), "OK");
  EXPECT_EQ(Profile(shop, kAsAdmin), "UNAUTHENTICATED");
  EXPECT_EQ(Profile(shop, forged), "UNAUTHENTICATED");
  EXPECT_EQ(Profile(ChannelOf(audit_), session), "CALLER_NOT_ALLOWED");
  EXPECT_EQ(GetProfile(ChannelOf(nullptr, authority_), session).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Account(ChannelOf(sync_), {}), "OK");
  EXPECT_EQ(Account(shop, session), "CALLER_NOT_ALLOWED");
  EXPECT_EQ(server_->Terminate(), 0);
}

}  // namespace
}  // namespace contacts
