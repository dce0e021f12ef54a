#include "server/auth/tls.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/support/reloaded_file.h"

namespace contacts::server {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Store = std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio BioOf(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// A key file with a password fails, instead of asking for the password.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return 0; }

// Returns an empty list if one of them cannot be read.
std::vector<Certificate> CertificatesOf(const std::string& text) {
  const Bio from = BioOf(text);
  std::vector<Certificate> certificates;
  while (X509* next = PEM_read_bio_X509(from.get(), nullptr, NoPassword, nullptr)) {
    certificates.emplace_back(next, X509_free);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) certificates.clear();
  return certificates;
}

Key KeyOf(const std::string& text) {
  return {PEM_read_bio_PrivateKey(BioOf(text).get(), nullptr, NoPassword, nullptr), EVP_PKEY_free};
}

Store StoreOf(const std::vector<Certificate>& authorities) {
  Store store(X509_STORE_new(), X509_STORE_free);
  for (const Certificate& authority : authorities) {
    if (X509_STORE_add_cert(store.get(), authority.get()) != 1) return {nullptr, X509_STORE_free};
  }
  return store;
}

absl::Time EndOf(const X509& certificate) {
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &end) != 1) return absl::InfinitePast();
  return absl::FromTM(end, absl::UTCTimeZone());
}

absl::Status InvalidFile(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", why));
}

// OpenSSL's objection to the last certificate or key, such as a key that is too short.
absl::Status OpenSslError(const std::string& path) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return InvalidFile(path,
                     absl::StrCat("OpenSSL refuses it: ", reason == nullptr ? "unknown" : reason));
}

// Builds a context as each connection will, because gRPC does not report a failure at that time.
absl::Status CheckWithOpenSsl(const TlsFiles& files, const std::vector<Certificate>& chain,
                              const Key& key, const std::vector<Certificate>& authorities) {
  ERR_clear_error();
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  SSL_CTX_free);
  if (SSL_CTX_use_certificate(context.get(), chain.front().get()) != 1) {
    return OpenSslError(files.certificate);
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) != 1) {
      return OpenSslError(files.certificate);
    }
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) return OpenSslError(files.key);
  if (StoreOf(authorities) == nullptr) return OpenSslError(files.client_ca);
  return absl::OkStatus();
}

absl::Status Check(const TlsFiles& files, const TlsPem& pem) {
  const auto chain = CertificatesOf(pem.certificate);
  if (chain.empty()) return InvalidFile(files.certificate, "want certificates in PEM");
  const Key key = KeyOf(pem.key);
  if (key == nullptr)
    return InvalidFile(files.key, "want a private key in PEM, without a password");
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    return InvalidFile(files.key, absl::StrCat("is not the key of ", files.certificate));
  }
  if (EndOf(*chain.front()) <= absl::Now())
    return InvalidFile(files.certificate, "its time is over");
  const auto authorities = CertificatesOf(pem.client_ca);
  if (!files.client_ca.empty() && authorities.empty()) {
    return InvalidFile(files.client_ca, "want certificates in PEM");
  }
  return CheckWithOpenSsl(files, chain, key, authorities);
}

}  // namespace

absl::StatusOr<TlsPem> ReadTls(const TlsFiles& files) {
  auto certificate = ReadTrustedFile(files.certificate);
  if (!certificate.ok()) return certificate.status();
  auto key = ReadSecretFile(files.key);
  if (!key.ok()) return key.status();
  TlsPem pem{.certificate = *std::move(certificate), .key = *std::move(key)};
  if (!files.client_ca.empty()) {
    auto client_ca = ReadTrustedFile(files.client_ca);
    if (!client_ca.ok()) return client_ca.status();
    pem.client_ca = *std::move(client_ca);
  }
  if (auto checked = Check(files, pem); !checked.ok()) return checked;
  return pem;
}

// Remembers the PEM texts that a port got last. gRPC builds an OpenSSL context from the answer,
// which a connection should cost only after a change.
class Tls::Port {
 public:
  explicit Port(const Tls* tls) : tls_(tls) {}

  // gRPC calls this when each connection begins, under a lock of the port.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* port, grpc_ssl_server_certificate_config** config) {
    return static_cast<Port*>(port)->Fetch(config);
  }

 private:
  grpc_ssl_certificate_config_reload_status Fetch(grpc_ssl_server_certificate_config** config) {
    auto pem = tls_->pem();
    const absl::Time now = absl::Now();
    if (pem == given_ && now < given_time_ + tls_->context_life_) {
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    const grpc_ssl_pem_key_cert_pair pair = {pem->key.c_str(), pem->certificate.c_str()};
    // gRPC needs authorities even if it does not ask for a certificate.
    const std::string& authorities = pem->client_ca.empty() ? pem->certificate : pem->client_ca;
    *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
    given_ = std::move(pem);
    given_time_ = now;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const Tls* const tls_;
  std::shared_ptr<const TlsPem> given_;
  absl::Time given_time_;
};

// gRPC's C++ has no credentials that change and whose changes can be checked first. Its core does.
class Tls::PortCredentials final : public grpc::ServerCredentials {
 public:
  explicit PortCredentials(Tls* tls) : tls_(tls) {}
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& /*none is used*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    const auto asked = tls_->pem()->client_ca.empty()
                           ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                           : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
    tls_->ports_.push_back(std::make_unique<Port>(tls_));
    grpc_server_credentials* credentials = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(asked, Port::Fetch,
                                                                        tls_->ports_.back().get()));
    const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
    grpc_server_credentials_release(credentials);
    return port;
  }

  Tls* const tls_;
};

Tls::Tls(TlsPem pem, absl::Duration context_life)
    : context_life_(context_life), pem_(std::make_shared<const TlsPem>(std::move(pem))) {}

Tls::~Tls() = default;

void Tls::Replace(TlsPem pem) {
  auto fresh = std::make_shared<const TlsPem>(std::move(pem));
  const std::lock_guard lock(mutex_);
  pem_ = std::move(fresh);
}

std::shared_ptr<const TlsPem> Tls::pem() const {
  const std::lock_guard lock(mutex_);
  return pem_;
}

absl::Time Tls::expires() const { return EndOf(*CertificatesOf(pem()->certificate).front()); }

std::shared_ptr<grpc::ServerCredentials> Tls::Credentials() {
  return std::make_shared<PortCredentials>(this);
}

void Tls::Prepare(SSL_CTX* context) const {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // A resumed session would show no certificate.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_cb(context, ShowCertificate, const_cast<Tls*>(this));
}

// OpenSSL calls this before it shows a certificate. 0 ends the connection.
int Tls::ShowCertificate(SSL* connection, void* tls) {
  const auto pem = static_cast<const Tls*>(tls)->pem();
  const auto chain = CertificatesOf(pem->certificate);
  const Key key = KeyOf(pem->key);
  SSL_certs_clear(connection);  // OpenSSL may call this function twice.
  if (SSL_use_certificate(connection, chain.front().get()) != 1 ||
      SSL_use_PrivateKey(connection, key.get()) != 1) {
    return 0;
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_add1_chain_cert(connection, chain[i].get()) != 1) return 0;
  }
  const Store authorities = StoreOf(CertificatesOf(pem->client_ca));
  return SSL_set1_verify_cert_store(connection, authorities.get()) == 1 ? 1 : 0;
}

PeerNames NamesOfPeer(const SSL* connection) {
  PeerNames peer;
  const Certificate certificate(SSL_get1_peer_certificate(connection), X509_free);
  if (certificate == nullptr) return peer;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type != GEN_URI && type != GEN_DNS) continue;
    const auto* text = static_cast<const ASN1_STRING*>(value);
    (type == GEN_URI ? peer.uris : peer.dns)
        .emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return peer;
}

}  // namespace contacts::server
