#ifndef CONTACTS_TESTS_TESTING_CERTIFICATES_H_
#define CONTACTS_TESTS_TESTING_CERTIFICATES_H_

#include <memory>
#include <string>

#include "absl/time/time.h"

struct evp_pkey_st;
struct x509_st;

namespace contacts::testing {

// PEM texts.
struct CertificateAndKey {
  std::string certificate;
  std::string key;
};

// A new authority that signs every certificate that a test asks for.
class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& name);

  const std::string& certificate() const { return certificate_; }
  // `names` as OpenSSL writes them, such as "URI:spiffe://example.org/shop,DNS:shop.example";
  // empty for a certificate with none.
  CertificateAndKey Issue(const std::string& names, absl::Duration life = absl::Hours(1)) const;
  // A certificate with a key that is too short.
  CertificateAndKey IssueWeak(const std::string& names) const;

 private:
  CertificateAndKey IssueFor(const std::shared_ptr<evp_pkey_st>& key, const std::string& names,
                             absl::Duration life) const;

  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> x509_;
  std::string certificate_;
};

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_CERTIFICATES_H_
