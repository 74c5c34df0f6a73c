#pragma once

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <dmq/core/secret.hpp>

/// Hashes over OpenSSL. All functions may be called from any thread.
namespace dmq::inline DMQ_ABI::crypto {

using Sha256 = std::array<std::uint8_t, 32>;
using Md5 = std::array<std::uint8_t, 16>;

namespace detail {
/// One algorithm with a context that is used again and again: to make one costs more than a short hash. For one thread.
class Digest {
 public:
  /// The algorithm lives for ever.
  explicit Digest(const EVP_MD* algorithm) : algorithm_(algorithm), context_(EVP_MD_CTX_new()) {}

  /// Of all parts, one behind the other. False when OpenSSL does not have the algorithm, or has no memory.
  bool run(std::initializer_list<std::string_view> parts, std::uint8_t* digest) {
    if (algorithm_ == nullptr || context_ == nullptr) return false;
    if (EVP_DigestInit_ex2(context_.get(), algorithm_, nullptr) != 1) return false;
    for (const std::string_view part : parts)
      if (EVP_DigestUpdate(context_.get(), part.data(), part.size()) != 1) return false;
    return EVP_DigestFinal_ex(context_.get(), digest, nullptr) == 1;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  const EVP_MD* algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// Algorithms are fetched once and never freed: a fetch costs more than a hash, and exit order is nobody's to know.
inline Sha256 sha256(std::initializer_list<std::string_view> parts) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local Digest digest(algorithm);
  Sha256 result{};
  if (!digest.run(parts, result.data())) result = {};
  return result;
}
}  // namespace detail

inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// All zero when OpenSSL is broken beyond hashing; the service then refuses what is signed with it.
inline Sha256 sha256(std::string_view data) {
  return detail::sha256({data});
}

/// Nothing where MD5 is switched off (FIPS).
inline std::optional<Md5> md5(std::string_view data) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
  thread_local detail::Digest digest(algorithm);
  Md5 result{};
  if (!digest.run({data}, result.data())) return std::nullopt;
  return result;
}

/// HMAC-SHA-256 (RFC 2104) with a key that is set up once: two hashes without an allocation. OpenSSL's own takes half
/// as long again, over eleven of them. sign() may be called from any thread.
class HmacKey {
 public:
  explicit HmacKey(std::string_view key) {
    const Sha256 hashed = key.size() > block_bytes ? sha256(key) : Sha256{};
    if (key.size() > block_bytes) key = as_text(hashed);
    inner_.fill(0x36);
    outer_.fill(0x5C);
    for (std::size_t i = 0; i < key.size(); ++i) {
      inner_[i] ^= static_cast<std::uint8_t>(key[i]);
      outer_[i] ^= static_cast<std::uint8_t>(key[i]);
    }
  }
  HmacKey(const HmacKey&) = default;
  HmacKey& operator=(const HmacKey&) = default;
  ~HmacKey() {
    Secret::wipe(reinterpret_cast<char*>(inner_.data()), inner_.size());
    Secret::wipe(reinterpret_cast<char*>(outer_.data()), outer_.size());
  }

  Sha256 sign(std::string_view data) const {
    const Sha256 inner = detail::sha256({as_text(inner_), data});
    return detail::sha256({as_text(outer_), as_text(inner)});
  }

 private:
  static constexpr std::size_t block_bytes = 64;  ///< Of SHA-256.

  std::array<std::uint8_t, block_bytes> inner_{};
  std::array<std::uint8_t, block_bytes> outer_{};
};

inline Sha256 hmac_sha256(std::string_view key, std::string_view data) {
  return HmacKey(key).sign(data);
}

/// Cryptographically strong random bytes; false when the system has none to give.
inline bool random_bytes(std::span<std::uint8_t> out) {
  return out.size() <= INT_MAX && RAND_bytes(out.data(), static_cast<int>(out.size())) == 1;
}

}  // namespace dmq::inline DMQ_ABI::crypto
