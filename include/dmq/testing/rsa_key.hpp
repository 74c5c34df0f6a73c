#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// An RSA key of 2048 bits over OpenSSL, for tokens that a test issues and checks. Copies share the key. The members
/// may be called from any thread.
class RsaKey {
 public:
  /// Takes about 100 ms.
  static RsaKey generate() { return RsaKey(EVP_RSA_gen(2048)); }

  /// The signature of JWT's RS256: PKCS #1 v1.5 over SHA-256. Empty when OpenSSL fails.
  std::string sign(std::string_view data) const {
    const Context context(EVP_MD_CTX_new());
    std::size_t size = 0;
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, bytes(data), data.size()) != 1)
      return {};
    std::string signature(size, '\0');
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes(data),
                       data.size()) != 1)
      return {};
    signature.resize(size);
    return signature;
  }

  bool verify(std::string_view data, std::string_view signature) const {
    const Context context(EVP_MD_CTX_new());
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(data), data.size()) == 1;
  }

  /// Big-endian bytes, as a JWKS has them in Base64.
  std::string modulus() const { return parameter(OSSL_PKEY_PARAM_RSA_N); }
  std::string exponent() const { return parameter(OSSL_PKEY_PARAM_RSA_E); }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    void operator()(BIGNUM* number) const noexcept { BN_free(number); }
  };
  using Context = std::unique_ptr<EVP_MD_CTX, Free>;

  explicit RsaKey(EVP_PKEY* key) : key_(key, EVP_PKEY_free) {}

  static const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }

  std::string parameter(const char* name) const {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key_.get(), name, &number) != 1) return {};
    const std::unique_ptr<BIGNUM, Free> owned(number);
    std::string big_endian(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(big_endian.data()));
    return big_endian;
  }

  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace dmq::inline DMQ_ABI::testing
