#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>
#include <vector>

#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/hex.hpp>

using namespace dmq::crypto;
using dmq::encoding::hex;

TEST_CASE("MD5 has the vectors of RFC 1321, where it is not switched off") {
  const auto any = md5("");
  if (!any) return;
  CHECK(hex(*any) == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hex(*md5({})) == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hex(*md5("a")) == "0cc175b9c0f1b6a831c399e269772661");
  CHECK(hex(*md5("abc")) == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(hex(*md5("message digest")) == "f96b697d7cb7938d525a2f31aaf161d0");
  CHECK(hex(*md5("abcdefghijklmnopqrstuvwxyz")) == "c3fcd3d76192e4007dfb496cca67e13b");
  CHECK(hex(*md5("12345678901234567890123456789012345678901234567890123456789012345678901234567890")) ==
        "57edf4a22be3c955ac49da2e2107b67a");
}

TEST_CASE("the queue's MD5 of a body is this one") {
  if (const auto digest = md5("hello")) CHECK(hex(*digest) == "5d41402abc4b2a76b9719d911017c592");
}

TEST_CASE("SHA-256 has the vectors of FIPS 180-4") {
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex(sha256(std::string(1'000'000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("the deduplication id that a queue derives from a body is its SHA-256") {
  CHECK(hex(sha256("same")) == "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5");
}

TEST_CASE("one hash does not change the next, of whatever kind") {
  const auto small = sha256("abc");
  const auto small_md5 = md5("abc");
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 1000U}) {
    CHECK(sha256(std::string(size, 'x')) != small);
    CHECK(sha256("abc") == small);
    CHECK(md5("abc") == small_md5);
  }
}

TEST_CASE("HMAC-SHA-256 has the vectors of RFC 4231") {
  CHECK(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(hmac_sha256(std::string(20, '\xaa'), std::string(50, '\xdd'))) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("an empty HMAC key is a key, also one without memory") {
  const std::string expected = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  CHECK(hex(hmac_sha256("", "")) == expected);
  CHECK(hex(hmac_sha256({}, {})) == expected);
}

TEST_CASE("a key signs again and again, from any thread") {
  const HmacKey key("Jefe");
  std::array<Sha256, 4> macs{};
  {
    std::vector<std::jthread> threads;
    for (Sha256& mac : macs)
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) mac = key.sign("what do ya want for nothing?");
      });
  }
  for (const Sha256& mac : macs) CHECK(mac == hmac_sha256("Jefe", "what do ya want for nothing?"));
}

TEST_CASE("a key signs as OpenSSL's own HMAC does, whatever its length") {
  for (std::size_t size = 0; size <= 200; ++size) {
    const std::string key(size, static_cast<char>('a' + size % 26));
    const std::string text(size * 3 % 150, 'z');
    Sha256 expected{};
    REQUIRE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                 reinterpret_cast<const unsigned char*>(text.data()), text.size(), expected.data(),
                 nullptr) != nullptr);
    CHECK(hex(HmacKey(key).sign(text)) == hex(expected));
  }
}

TEST_CASE("a copy of a key signs alike") {
  const HmacKey key("Jefe");
  const HmacKey copy = key;
  CHECK(copy.sign("x") == key.sign("x"));
  CHECK(copy.sign("x") == hmac_sha256("Jefe", "x"));
}

TEST_CASE("random bytes fill all they are given and do not repeat") {
  std::array<std::uint8_t, 64> first{};
  std::array<std::uint8_t, 64> second{};
  CHECK(random_bytes(first));
  CHECK(random_bytes(second));
  CHECK(first != second);
  CHECK(std::count(first.begin() + 32, first.end(), 0) < 16);
  CHECK(random_bytes({}));
}

TEST_CASE("bytes are seen as text without a copy") {
  const std::array<std::uint8_t, 2> bytes{0x41, 0xff};
  CHECK(as_text(bytes) == "A\xff");
  CHECK(as_text(bytes).data() == reinterpret_cast<const char*>(bytes.data()));
}
