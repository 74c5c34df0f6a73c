#pragma once

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <dmq/core/secret.hpp>

/// Hashes over OpenSSL. All functions may be called from any thread.
namespace dmq::inline DMQ_ABI::crypto {

using Sha256 = std::array<std::uint8_t, 32>;
using Md5 = std::array<std::uint8_t, 16>;

namespace detail {
/// Of all parts, one behind the other. `context` is made when there is none, and kept for the next: to make one costs
/// more than a short hash. False when OpenSSL does not have the algorithm, or has no memory.
inline bool digest(const EVP_MD* algorithm, EVP_MD_CTX*& context, std::initializer_list<std::string_view> parts,
                   std::uint8_t* out) {
  if (context == nullptr) context = EVP_MD_CTX_new();
  if (algorithm == nullptr || context == nullptr || EVP_DigestInit_ex2(context, algorithm, nullptr) != 1) return false;
  for (const std::string_view part : parts)
    if (EVP_DigestUpdate(context, part.data(), part.size()) != 1) return false;
  return EVP_DigestFinal_ex(context, out, nullptr) == 1;
}

/// Frees a thread's context at its end. Whoever hashes later still, in the destructor of a static, gets one that stays.
struct ContextEnd {
  EVP_MD_CTX*& context;
  ~ContextEnd() { EVP_MD_CTX_free(std::exchange(context, nullptr)); }
};

// Algorithms are fetched once and never freed: a fetch costs more than a hash, and exit order is nobody's to know.
inline Sha256 sha256(std::initializer_list<std::string_view> parts) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local EVP_MD_CTX* context = nullptr;
  thread_local const ContextEnd end{context};
  Sha256 result{};
  if (!digest(algorithm, context, parts, result.data())) result = {};
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
  thread_local EVP_MD_CTX* context = nullptr;
  thread_local const detail::ContextEnd end{context};
  Md5 result{};
  if (!detail::digest(algorithm, context, {data}, result.data())) return std::nullopt;
  return result;
}

/// HMAC-SHA-256 (RFC 2104) with a key that is set up once: two hashes without an allocation. OpenSSL's own takes half
/// as long again, over eleven of them. sign() may be called from any thread.
class HmacKey {
 public:
  explicit HmacKey(std::string_view key) {
    Sha256 hashed = key.size() > block_bytes ? sha256(key) : Sha256{};
    if (key.size() > block_bytes) key = as_text(hashed);
    inner_.fill(0x36);
    outer_.fill(0x5C);
    for (std::size_t i = 0; i < key.size(); ++i) {
      inner_[i] ^= static_cast<std::uint8_t>(key[i]);
      outer_[i] ^= static_cast<std::uint8_t>(key[i]);
    }
    wipe(hashed);
  }
  HmacKey(const HmacKey&) = default;
  HmacKey& operator=(const HmacKey&) = default;
  ~HmacKey() {
    wipe(inner_);
    wipe(outer_);
  }

  Sha256 sign(std::string_view data) const {
    const Sha256 inner = detail::sha256({as_text(inner_), data});
    return detail::sha256({as_text(outer_), as_text(inner)});
  }

 private:
  static constexpr std::size_t block_bytes = 64;  ///< Of SHA-256.

  static void wipe(std::span<std::uint8_t> bytes) noexcept {
    Secret::wipe(reinterpret_cast<char*>(bytes.data()), bytes.size());
  }

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
