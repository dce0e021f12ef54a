#include "server/auth/jwks.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace contacts::server {
namespace {

using nlohmann::json;

constexpr int kMaxJsonDepth = 32;
constexpr std::size_t kCoordinateSize = 32;  // P-256, Ed25519.
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr unsigned char kUncompressedPoint = 0x04;

using Key = std::shared_ptr<EVP_PKEY>;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* freed) const {
    Free(freed);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;
using Number = Owned<BIGNUM, BN_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

const unsigned char* Unsigned(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number ReadNumber(absl::string_view bytes) {
  return Number(BN_bin2bn(Unsigned(bytes), static_cast<int>(bytes.size()), nullptr));
}

// The bytes of a base64url member. "" if it is missing or malformed.
std::string BytesMember(const json& jwk, const char* name) {
  const auto found = jwk.find(name);
  if (found == jwk.end() || !found->is_string()) return "";
  return DecodeBase64Url(found->get_ref<const std::string&>()).value_or("");
}

// The text of a member. "" if it is missing, nothing if it is not text.
std::optional<std::string> StringMember(const json& jwk, const char* name) {
  const auto found = jwk.find(name);
  if (found == jwk.end()) return "";
  if (!found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

// Builds a key and checks it. Null if the key is not sound.
Key Build(const char* type, OSSL_PARAM_BLD* parts) {
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(parts));
  const KeyContext maker(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!parameters || !maker || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
      EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  Key key(made, EVP_PKEY_free);
  const KeyContext checker(EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr));
  if (!checker || EVP_PKEY_public_check(checker.get()) != 1) return nullptr;
  return key;
}

Key ReadEc(const json& jwk) {
  const std::string x = BytesMember(jwk, "x");
  const std::string y = BytesMember(jwk, "y");
  if (x.size() != kCoordinateSize || y.size() != kCoordinateSize) return nullptr;
  const std::string point = absl::StrCat(std::string(1, kUncompressedPoint), x, y);
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> parts(OSSL_PARAM_BLD_new());
  if (!parts ||
      OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return Build("EC", parts.get());
}

Key ReadEd25519(const json& jwk) {
  const std::string x = BytesMember(jwk, "x");
  if (x.size() != kCoordinateSize) return nullptr;
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Unsigned(x), x.size()),
          EVP_PKEY_free};
}

Key ReadRsa(const json& jwk) {
  const Number n = ReadNumber(BytesMember(jwk, "n"));
  const Number e = ReadNumber(BytesMember(jwk, "e"));
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> parts(OSSL_PARAM_BLD_new());
  if (!n || !e || !parts || BN_num_bits(n.get()) < kMinRsaBits ||
      BN_num_bits(n.get()) > kMaxRsaBits ||
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return Build("RSA", parts.get());
}

struct Algorithm {
  const char* name;
  const char* type;   // "kty".
  const char* curve;  // "crv".
  Key (*read)(const json& jwk);
  const char* wanted;
};

constexpr Algorithm kAlgorithms[] = {
    {"ES256", "EC", "P-256", ReadEc, "a point of P-256"},
    {"EdDSA", "OKP", "Ed25519", ReadEd25519, "32 bytes"},
    {"RS256", "RSA", "", ReadRsa, "RSA of 2048 to 8192 bits, exponent 65537 or so"},
};

// Whether the key's members allow it to verify signatures.
bool ForVerifying(const json& jwk) {
  if (jwk.contains("use") && jwk["use"] != "sig") return false;
  if (!jwk.contains("key_ops")) return true;
  const json& operations = jwk["key_ops"];
  return std::find(operations.begin(), operations.end(), "verify") != operations.end();
}

// The key's algorithm, which only the key determines. Null if it is not in `allowed`.
const Algorithm* FindAlgorithm(const json& jwk, const std::vector<std::string>& allowed) {
  const std::string type = StringMember(jwk, "kty").value_or("");
  const std::string curve = StringMember(jwk, "crv").value_or("");
  const auto named = StringMember(jwk, "alg");
  for (const Algorithm& algorithm : kAlgorithms) {
    const bool fits = algorithm.type == type && algorithm.curve == curve && named &&
                      (named->empty() || *named == algorithm.name);
    if (fits && std::find(allowed.begin(), allowed.end(), algorithm.name) != allowed.end()) {
      return &algorithm;
    }
  }
  return nullptr;
}

absl::Status InvalidKey(std::size_t place, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("keys[", place, "]: ", why));
}

// Checks that a token can name each key.
absl::Status CheckIds(const std::vector<VerificationKey>& keys) {
  std::set<std::string> ids;
  for (const VerificationKey& key : keys) {
    if (keys.size() > 1 && key.id().empty()) {
      return absl::InvalidArgumentError("want a \"kid\" in each of several keys");
    }
    if (!ids.insert(key.id()).second) {
      return absl::InvalidArgumentError("two keys have the same \"kid\"");
    }
  }
  return absl::OkStatus();
}

// OpenSSL's DER of ECDSA's two numbers, which JWS writes side by side. "" if they are invalid.
std::string DerSignature(absl::string_view signature) {
  if (signature.size() != 2 * kCoordinateSize) return "";
  const Owned<ECDSA_SIG, ECDSA_SIG_free> numbers(ECDSA_SIG_new());
  Number r = ReadNumber(signature.substr(0, kCoordinateSize));
  Number s = ReadNumber(signature.substr(kCoordinateSize));
  if (!numbers || !r || !s || ECDSA_SIG_set0(numbers.get(), r.get(), s.get()) != 1) return "";
  // The signature owns them now.
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(numbers.get(), &der);
  if (size <= 0) return "";
  const absl::Cleanup freer = [&] { OPENSSL_free(der); };
  return {reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
}

}  // namespace

const std::vector<std::string>& JwtAlgorithms() {
  static const auto& names = *new std::vector<std::string>{"ES256", "EdDSA", "RS256"};
  return names;
}

std::optional<std::string> DecodeBase64Url(absl::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(text, &bytes)) return std::nullopt;
  // The decoder accepts several forms of the same bytes. Only the form that the encoder writes is
  // canonical.
  if (absl::WebSafeBase64Escape(bytes) != text) return std::nullopt;
  return bytes;
}

std::optional<json> ReadJsonObject(absl::string_view text) {
  // The parser takes a NUL for the end and ignores the rest.
  if (text.find('\0') != absl::string_view::npos) return std::nullopt;
  // It skips a byte order mark, which other readers reject.
  if (absl::StartsWith(text, "\xef\xbb\xbf")) return std::nullopt;
  bool strict = true;
  std::vector<std::set<std::string>> names;  // Of each open object.
  const auto look = [&](int depth, json::parse_event_t event, const json& value) {
    if (depth > kMaxJsonDepth) strict = false;
    if (event == json::parse_event_t::object_start) names.emplace_back();
    if (event == json::parse_event_t::object_end) names.pop_back();
    if (event == json::parse_event_t::key) {
      strict &= names.back().insert(value.get<std::string>()).second;
    }
    return true;
  };
  json parsed = json::parse(text.begin(), text.end(), look, /*allow_exceptions=*/false);
  if (!strict || !parsed.is_object()) return std::nullopt;
  return parsed;
}

VerificationKey::VerificationKey(std::string id, std::string algorithm,
                                 std::shared_ptr<evp_pkey_st> key)
    : id_(std::move(id)), algorithm_(std::move(algorithm)), key_(std::move(key)) {}

bool VerificationKey::Verifies(absl::string_view text, absl::string_view signature) const {
  std::string der;
  if (algorithm_ == "ES256") {
    der = DerSignature(signature);
    signature = der;
  }
  const EVP_MD* digest = algorithm_ == "EdDSA" ? nullptr : EVP_sha256();
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  const bool verified =
      context && !signature.empty() &&
      EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), Unsigned(signature), signature.size(), Unsigned(text),
                       text.size()) == 1;
  ERR_clear_error();  // A later user of this thread must not see errors from here.
  return verified;
}

absl::StatusOr<std::vector<VerificationKey>> ReadJwks(absl::string_view text,
                                                      const std::vector<std::string>& algorithms) {
  const absl::Cleanup forget = [] { ERR_clear_error(); };
  const auto set = ReadJsonObject(text);
  if (!set || !set->contains("keys") || !(*set)["keys"].is_array()) {
    return absl::InvalidArgumentError(
        "no JSON Web Key Set; want {\"keys\": [...]} without a name given twice");
  }
  std::vector<VerificationKey> keys;
  for (std::size_t place = 0; place < (*set)["keys"].size(); ++place) {
    const json& jwk = (*set)["keys"][place];
    if (!jwk.is_object()) return InvalidKey(place, "want an object");
    // Also for keys that are not used: a private key in a public set is exposed.
    if (jwk.contains("d") || jwk.contains("k")) {
      return InvalidKey(place, "holds a private or symmetric key; want public keys alone");
    }
    const auto id = StringMember(jwk, "kid");
    if (!id || (id->empty() && jwk.contains("kid")))
      return InvalidKey(place, "want text as \"kid\"");
    const Algorithm* algorithm = FindAlgorithm(jwk, algorithms);
    if (algorithm == nullptr || !ForVerifying(jwk)) continue;
    Key key = algorithm->read(jwk);
    if (!key) return InvalidKey(place, absl::StrCat("no sound key; want ", algorithm->wanted));
    keys.emplace_back(*id, algorithm->name, std::move(key));
  }
  if (keys.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no key to verify with; want one for ", absl::StrJoin(algorithms, ", ")));
  }
  if (auto distinct = CheckIds(keys); !distinct.ok()) return distinct;
  return keys;
}

}  // namespace contacts::server
