#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/base64.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/testing/rsa_key.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The thumbprint of RFC 7638, by which tokens and key sets name the key: the same for the same key everywhere.
inline std::string key_id(const RsaKey& key) {
  const auto number = [](const std::string& bytes) { return encoding::base64_encode(bytes, encoding::Base64::url); };
  std::string text;
  encoding::JsonWriter json(text);
  json.begin_object().key("e").value(number(key.exponent())).key("kty").value("RSA");
  json.key("n").value(number(key.modulus())).end_object();
  return encoding::base64_encode(crypto::as_text(crypto::sha256(text)), encoding::Base64::url);
}

struct SigningKey {
  std::string id{};
  RsaKey key;
};

/// The keys of an issuer of tokens. The newest signs, all verify. A value whose copies share the keys that were made;
/// not thread-safe.
class SigningKeys {
 public:
  explicit SigningKeys(std::optional<RsaKey> first) {
    if (first) rotate(*std::move(first));
  }

  /// The one that signs. If there is none, it is made, which takes about 100 ms.
  const SigningKey& current() {
    if (keys_.empty()) rotate(RsaKey::generate());
    return keys_.back();
  }
  const RsaKey* find(std::string_view id) const {
    const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const auto& key) { return key.id == id; });
    return found == keys_.end() ? nullptr : &found->key;
  }

  /// From now on `next` signs; those before it stay. Returns its id.
  std::string rotate(RsaKey next) {
    std::string id = key_id(next);
    std::erase_if(keys_, [&](const auto& key) { return key.id == id; });
    keys_.push_back({id, std::move(next)});
    return id;
  }
  /// Its tokens are refused from now on. False when there is no such key, or it is the one that signs.
  bool retire(std::string_view id) {
    if (find(id) == nullptr || current().id == id) return false;
    return std::erase_if(keys_, [&](const auto& key) { return key.id == id; }) > 0;
  }

  /// All of them as a JSON Web Key Set (RFC 7517).
  std::string jwks() {
    current();
    std::string text;
    encoding::JsonWriter json(text);
    json.begin_object().key("keys").begin_array();
    for (const SigningKey& signing : keys_) write(json, signing);
    json.end_array().end_object();
    return text;
  }

 private:
  static void write(encoding::JsonWriter& json, const SigningKey& signing) {
    const auto number = [](const std::string& bytes) { return encoding::base64_encode(bytes, encoding::Base64::url); };
    json.begin_object().key("alg").value("RS256").key("e").value(number(signing.key.exponent()));
    json.key("kid").value(signing.id).key("kty").value("RSA").key("n").value(number(signing.key.modulus()));
    json.key("use").value("sig").end_object();
  }

  std::vector<SigningKey> keys_;
};

}  // namespace dmq::inline DMQ_ABI::testing
