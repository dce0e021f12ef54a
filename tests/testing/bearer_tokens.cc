#include "tests/testing/bearer_tokens.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace contacts::testing {
namespace {

constexpr int kCoordinateSize = 32;

void Must(bool done) {
  if (done) return;
  std::fprintf(stderr, "OpenSSL failed\n");
  std::abort();
}

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// A number of the key, in `size` bytes, or in as few as needed.
std::string Part(EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* number = nullptr;
  Must(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(number)), '\0');
  Must(BN_bn2binpad(number, Bytes(bytes), static_cast<int>(bytes.size())) >= 0);
  BN_free(number);
  return Base64Url(bytes);
}

}  // namespace

std::string Base64Url(absl::string_view bytes) { return absl::WebSafeBase64Escape(bytes); }

IssuerKey::IssuerKey(std::string id, std::string algorithm, evp_pkey_st* key)
    : id_(std::move(id)), algorithm_(std::move(algorithm)), key_(key, EVP_PKEY_free) {
  Must(key != nullptr);
}

IssuerKey IssuerKey::Es256(std::string id) { return {std::move(id), "ES256", EVP_EC_gen("P-256")}; }

IssuerKey IssuerKey::EdDsa(std::string id) {
  return {std::move(id), "EdDSA", EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
}

IssuerKey IssuerKey::Rs256(std::string id, int bits) {
  return {std::move(id), "RS256", EVP_RSA_gen(static_cast<unsigned>(bits))};
}

std::string IssuerKey::Jwk(absl::string_view more) const {
  const std::string kid = id_.empty() ? "" : absl::StrCat(",\"kid\":\"", id_, "\"");
  std::string parts;
  if (algorithm_ == "ES256") {
    parts = absl::StrCat(R"("kty":"EC","crv":"P-256","x":")",
                         Part(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, kCoordinateSize), R"(","y":")",
                         Part(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinateSize), "\"");
  } else if (algorithm_ == "RS256") {
    parts = absl::StrCat(R"("kty":"RSA","n":")", Part(key_.get(), OSSL_PKEY_PARAM_RSA_N),
                         R"(","e":")", Part(key_.get(), OSSL_PKEY_PARAM_RSA_E), "\"");
  } else {
    std::string x(kCoordinateSize, '\0');
    std::size_t size = x.size();
    Must(EVP_PKEY_get_raw_public_key(key_.get(), Bytes(x), &size) == 1);
    parts = absl::StrCat(R"("kty":"OKP","crv":"Ed25519","x":")", Base64Url(x), "\"");
  }
  return absl::StrCat("{", parts, kid, more, "}");
}

std::string IssuerKey::Pem() const {
  BIO* out = BIO_new(BIO_s_mem());
  Must(PEM_write_bio_PUBKEY(out, key_.get()) == 1);
  char* text = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(out, &text));
  std::string pem(text, size);
  BIO_free(out);
  return pem;
}

std::string IssuerKey::Header() const {
  const std::string kid = id_.empty() ? "" : absl::StrCat(",\"kid\":\"", id_, "\"");
  return absl::StrCat("{\"alg\":\"", algorithm_, "\"", kid, "}");
}

std::string IssuerKey::Sign(absl::string_view header, absl::string_view payload) const {
  const std::string text = absl::StrCat(Base64Url(header), ".", Base64Url(payload));
  return absl::StrCat(text, ".", Base64Url(Signature(text)));
}

std::string IssuerKey::Signature(absl::string_view text, bool der) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const EVP_MD* digest = algorithm_ == "EdDSA" ? nullptr : EVP_sha256();
  Must(EVP_DigestSignInit(context, nullptr, digest, nullptr, key_.get()) == 1);
  std::size_t size = 0;
  Must(EVP_DigestSign(context, nullptr, &size, Bytes(text), text.size()) == 1);
  std::string signature(size, '\0');
  Must(EVP_DigestSign(context, Bytes(signature), &size, Bytes(text), text.size()) == 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  if (algorithm_ != "ES256" || der) return signature;

  const unsigned char* at = Bytes(absl::string_view(signature));
  ECDSA_SIG* numbers = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
  Must(numbers != nullptr);
  std::string plain(2 * kCoordinateSize, '\0');
  Must(BN_bn2binpad(ECDSA_SIG_get0_r(numbers), Bytes(plain), kCoordinateSize) > 0);
  Must(BN_bn2binpad(ECDSA_SIG_get0_s(numbers), Bytes(plain) + kCoordinateSize, kCoordinateSize) >
       0);
  ECDSA_SIG_free(numbers);
  return plain;
}

std::string Jwks(const std::vector<std::string>& jwks) {
  return absl::StrCat("{\"keys\":[", absl::StrJoin(jwks, ","), "]}");
}

std::string SessionClaims(absl::string_view account, absl::Time now, absl::string_view more) {
  const int64_t seconds = absl::ToUnixSeconds(now);
  return absl::StrCat(R"({"iss":"https://login.example","aud":"contacts","sub":")", account,
                      R"(","iat":)", seconds, R"(,"exp":)", seconds + 600, more, "}");
}

}  // namespace contacts::testing
