#pragma once

#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <dmq/version.hpp>

/// Hashes over OpenSSL. All functions may be called from any thread.
namespace dmq::inline DMQ_ABI::crypto {

using Sha256 = std::array<std::uint8_t, 32>;
using Md5 = std::array<std::uint8_t, 16>;

namespace detail {
// Fetched once and never freed: a fetch costs more than a hash, and exit order is nobody's to know.
inline const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}
inline const EVP_MD* md5_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
  return algorithm;
}
inline EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return algorithm;
}

struct MdContextFree {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
struct MacContextFree {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
}  // namespace detail

/// One context for several hashes in a row. Not thread-safe.
class Hasher {
 public:
  /// All zero when OpenSSL is broken beyond hashing; the service then refuses what is signed with it.
  Sha256 sha256(std::string_view data) {
    Sha256 digest{};
    run(detail::sha256_algorithm(), data, digest.data());
    return digest;
  }

  /// Nothing where MD5 is switched off (FIPS).
  std::optional<Md5> md5(std::string_view data) {
    Md5 digest{};
    if (!run(detail::md5_algorithm(), data, digest.data())) return std::nullopt;
    return digest;
  }

 private:
  bool run(const EVP_MD* algorithm, std::string_view data, std::uint8_t* digest) {
    return algorithm != nullptr && context_ != nullptr && EVP_DigestInit_ex2(context_.get(), algorithm, nullptr) == 1 &&
           EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1 &&
           EVP_DigestFinal_ex(context_.get(), digest, nullptr) == 1;
  }

  std::unique_ptr<EVP_MD_CTX, detail::MdContextFree> context_{EVP_MD_CTX_new()};
};

inline Sha256 sha256(std::string_view data) {
  return Hasher().sha256(data);
}
inline std::optional<Md5> md5(std::string_view data) {
  return Hasher().md5(data);
}

/// HMAC-SHA-256 with a key that is set up once. sign() may be called from any thread. All zero when moved from, or when
/// OpenSSL is broken beyond hashing.
class HmacKey {
 public:
  explicit HmacKey(std::string_view key) {
    if (key.data() == nullptr) key = "";  // OpenSSL takes a null pointer for "the key of before".
    if (EVP_MAC* const algorithm = detail::hmac_algorithm()) keyed_.reset(EVP_MAC_CTX_new(algorithm));
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
    if (keyed_ != nullptr)
      EVP_MAC_init(keyed_.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), parameters);
  }

  Sha256 sign(std::string_view data) const {
    Sha256 mac{};
    if (keyed_ == nullptr) return mac;
    std::size_t size = 0;
    const std::unique_ptr<EVP_MAC_CTX, detail::MacContextFree> context(EVP_MAC_CTX_dup(keyed_.get()));
    if (context != nullptr) {
      EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(data.data()), data.size());
      EVP_MAC_final(context.get(), mac.data(), &size, mac.size());
    }
    return mac;
  }

 private:
  std::unique_ptr<EVP_MAC_CTX, detail::MacContextFree> keyed_;
};

inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Sha256 hmac_sha256(std::string_view key, std::string_view data) {
  return HmacKey(key).sign(data);
}

/// Cryptographically strong random bytes; false when the system has none to give.
inline bool random_bytes(std::span<std::uint8_t> out) {
  return out.size() <= INT_MAX && RAND_bytes(out.data(), static_cast<int>(out.size())) == 1;
}

}  // namespace dmq::inline DMQ_ABI::crypto
