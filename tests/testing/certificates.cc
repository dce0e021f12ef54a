#include "tests/testing/certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace contacts::testing {
namespace {

constexpr absl::Duration kBefore = absl::Hours(24);

void Must(bool done) {
  if (done) return;
  std::fprintf(stderr, "OpenSSL failed\n");
  std::abort();
}

using Key = std::shared_ptr<evp_pkey_st>;
using Certificate = std::shared_ptr<x509_st>;

Key NewKey() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

template <typename Write>
std::string Pem(const Write& write) {
  BIO* bio = BIO_new(BIO_s_mem());
  Must(write(bio) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

std::string PemOf(const Certificate& certificate) {
  return Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
}

void Extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  Must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

// An unsigned certificate by `issuer`, or by itself if that is null.
Certificate Make(const std::string& name, const Key& key, X509* issuer, absl::Duration life) {
  static std::atomic<int> serial = 1;
  Certificate made(X509_new(), X509_free);
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -absl::ToInt64Seconds(kBefore));
  X509_gmtime_adj(X509_getm_notAfter(made.get()), absl::ToInt64Seconds(life));
  X509_set_pubkey(made.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* by = issuer == nullptr ? made.get() : issuer;
  X509_set_issuer_name(made.get(), X509_get_subject_name(by));
  if (issuer == nullptr) Extend(made.get(), by, NID_basic_constraints, "critical,CA:TRUE");
  return made;
}

void Sign(const Certificate& certificate, evp_pkey_st* signer) {
  Must(X509_sign(certificate.get(), signer, EVP_sha256()) > 0);
}

}  // namespace

CertificateAuthority::CertificateAuthority(const std::string& name)
    : key_(NewKey()), x509_(Make(name, key_, nullptr, absl::Hours(24))) {
  Sign(x509_, key_.get());
  certificate_ = PemOf(x509_);
}

CertificateAndKey CertificateAuthority::Issue(const std::string& names, absl::Duration life) const {
  return IssueFor(NewKey(), names, life);
}

CertificateAndKey CertificateAuthority::IssueWeak(const std::string& names) const {
  return IssueFor({EVP_RSA_gen(1024), EVP_PKEY_free}, names, absl::Hours(1));
}

CertificateAndKey CertificateAuthority::IssueFor(const Key& key, const std::string& names,
                                                 absl::Duration life) const {
  const Certificate made = Make("contacts test", key, x509_.get(), life);
  if (!names.empty()) Extend(made.get(), x509_.get(), NID_subject_alt_name, names);
  Sign(made, key_.get());
  return {PemOf(made), Pem([&](BIO* bio) {
            return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr,
                                                 nullptr);
          })};
}

}  // namespace contacts::testing
