#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include <dmq/auth/canonical_request.hpp>
#include <dmq/auth/sigv4.hpp>

using dmq::auth::canonical_request;
using dmq::auth::CanonicalRequest;
using dmq::auth::Credentials;
using dmq::auth::PathForm;
using dmq::auth::SigningScope;
using dmq::http::Method;
using dmq::http::Request;
using dmq::http::Url;

namespace {

constexpr const char* short_token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
constexpr const char* long_token =
    "AQoDYXdzEPT//////////"
    "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/"
    "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+"
    "xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

using Fields = std::vector<std::pair<std::string, std::string>>;

/// A case of AWS's own suite for Signature Version 4 (aws-c-auth, Apache-2.0): a request as its first line and fields
/// give it, the parts of its canonical form that differ from case to case, and its signature.
struct Vector {
  std::string name;
  Method method = Method::get;
  std::string target;
  Fields headers{};
  std::string body{};
  std::string token{};
  PathForm form = PathForm::normalized;
  std::string path = "/";
  std::string query{};
  Fields fields{};  ///< Of the canonical form, without those that all have.
  std::string signature;
};

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all = {
      {.name = "get-header-key-duplicate",
       .target = "/",
       .headers = {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
       .fields = {{"my-header1", "value2,value2,value1"}},
       .signature = "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {.name = "get-header-value-order",
       .target = "/",
       .headers =
           {{"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}},
       .fields = {{"my-header1", "value4,value1,value3,value2"}},
       .signature = "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
      {.name = "get-relative-normalized",
       .target = "/example/..",
       .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {.name = "get-relative-relative-unnormalized",
       .target = "/example1/example2/../..",
       .form = PathForm::as_written,
       .path = "/example1/example2/../..",
       .signature = "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b"},
      {.name = "get-slash-dot-slash-normalized",
       .target = "/./",
       .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {.name = "get-slash-normalized",
       .target = "//",
       .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {.name = "get-slash-pointless-dot-unnormalized",
       .target = "/./example",
       .form = PathForm::as_written,
       .path = "/./example",
       .signature = "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff"},
      {.name = "get-slashes-normalized",
       .target = "//example//",
       .path = "/example/",
       .signature = "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
      {.name = "get-space-normalized",
       .target = "/example space/",
       .path = "/example%20space/",
       .signature = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {.name = "get-unreserved",
       .target = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
       .path = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
       .signature = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {.name = "get-vanilla-empty-query-key",
       .target = "/?Param1=value1",
       .query = "Param1=value1",
       .signature = "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
      {.name = "get-vanilla-query",
       .target = "/",
       .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {.name = "get-vanilla-query-order-key-case",
       .target = "/?Param2=value2&Param1=value1",
       .query = "Param1=value1&Param2=value2",
       .signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {.name = "get-vanilla-with-session-token",
       .target = "/",
       .token = short_token,
       .signature = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
      {.name = "post-header-key-case",
       .method = Method::post,
       .target = "/",
       .signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {.name = "post-header-value-case",
       .method = Method::post,
       .target = "/",
       .headers = {{"My-Header1", "VALUE1"}},
       .fields = {{"my-header1", "VALUE1"}},
       .signature = "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
      {.name = "post-sts-header-before",
       .method = Method::post,
       .target = "/",
       .token = long_token,
       .signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
      {.name = "post-vanilla-query",
       .method = Method::post,
       .target = "/?Param1=value1",
       .query = "Param1=value1",
       .signature = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
      {.name = "post-x-www-form-urlencoded-parameters",
       .method = Method::post,
       .target = "/",
       .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                   {"Content-Length", "13"},
                   {"X-Amz-Content-Sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"}},
       .body = "Param1=value1",
       .fields = {{"content-length", "13"},
                  {"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                  {"x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"}},
       .signature = "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
  };
  return all;
}

const SigningScope scope{.region = "us-east-1", .service = "service"};
const dmq::WallTime signed_at{std::chrono::seconds(1'440'938'160)};  // 2015-08-30T12:36:00Z

Credentials credentials(const Vector& vector) {
  return {"AKIDEXAMPLE", dmq::Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), dmq::Secret(vector.token)};
}

std::string sha256(std::string_view text) {
  return dmq::encoding::hex(dmq::crypto::sha256(text));
}

/// The target may hold what a URL can't, so it is cut by hand.
Url url(const Vector& vector) {
  const std::size_t question = std::min(vector.target.find('?'), vector.target.size());
  Url url{.scheme = "https", .host = "example.amazonaws.com", .port = 443};
  url.path = vector.target.substr(0, question);
  if (question < vector.target.size()) url.query = vector.target.substr(question + 1);
  return url;
}

Request request(const Vector& vector) {
  Request request{.method = vector.method, .url = "https://example.amazonaws.com" + vector.target};
  for (const auto& [name, value] : vector.headers) request.headers.add(name, value);
  request.body = vector.body;
  return request;
}

struct Expected {
  std::string text{};
  std::string signed_headers{};
};

Expected expected(const Vector& vector) {
  Fields fields = vector.fields;
  fields.emplace_back("host", "example.amazonaws.com");
  fields.emplace_back("x-amz-date", "20150830T123600Z");
  if (!vector.token.empty()) fields.emplace_back("x-amz-security-token", vector.token);
  std::sort(fields.begin(), fields.end());
  Expected canonical;
  canonical.text.append(to_string(vector.method)).append("\n");
  canonical.text.append(vector.path).append("\n").append(vector.query).append("\n");
  for (const auto& [name, value] : fields) {
    canonical.text.append(name).append(":").append(value).append("\n");
    canonical.signed_headers.append(canonical.signed_headers.empty() ? "" : ";").append(name);
  }
  canonical.text.append("\n").append(canonical.signed_headers).append("\n").append(sha256(vector.body));
  return canonical;
}

std::string canonical_path(std::string path) {
  return dmq::auth::detail::normalize_path(path);
}

}  // namespace

TEST_CASE("all cases of AWS's suite have their canonical form") {
  CHECK(vectors().size() == 19);
  for (const Vector& vector : vectors()) {
    CAPTURE(vector.name);
    Request signed_request = request(vector);
    signed_request.headers.add("X-Amz-Date", "20150830T123600Z");
    if (!vector.token.empty()) signed_request.headers.add("X-Amz-Security-Token", vector.token);
    const CanonicalRequest canonical = canonical_request(signed_request, url(vector), sha256(vector.body), vector.form);
    CHECK(canonical.text == expected(vector).text);
    CHECK(canonical.signed_headers() == expected(vector).signed_headers);
  }
}

TEST_CASE("all cases of AWS's suite have their signature") {
  const dmq::crypto::HmacKey key = dmq::auth::signing_key(credentials({}).secret_access_key, "20150830", scope);
  int signed_by_us = 0;
  for (const Vector& vector : vectors()) {
    CAPTURE(vector.name);
    const Expected canonical = expected(vector);
    const std::string to_sign =
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n" + sha256(canonical.text);
    CHECK(dmq::encoding::hex(key.sign(to_sign)) == vector.signature);
    Request whole = request(vector);
    if (!sign(whole, credentials(vector), key, scope, signed_at, vector.form)) continue;
    ++signed_by_us;
    CHECK(whole.headers.get("Authorization") ==
          "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" +
              canonical.signed_headers + ", Signature=" + vector.signature);
  }
  CHECK(signed_by_us == 18);  // One has a space in its path, which a URL can't.
}

TEST_CASE("a Host field takes the place of the URL's host, which has no default port") {
  const auto host = [](const std::string& url, const char* field) {
    Request request{.url = url};
    if (field != nullptr) request.headers.add("hOsT", field);
    return canonical_request(request, Url::parse(url).value(), "").text;
  };
  CHECK(host("https://h:443/", nullptr) == "GET\n/\n\nhost:h\n\nhost\n");
  CHECK(host("http://h:9324/", nullptr) == "GET\n/\n\nhost:h:9324\n\nhost\n");
  CHECK(host("https://h/", "other") == "GET\n/\n\nhost:other\n\nhost\n");
}

TEST_CASE("values are trimmed, and runs of spaces are one") {
  Request request{.url = "https://h/"};
  request.headers.add("A", "  a   b  c ");
  request.headers.add("a", "   ");
  request.headers.add("B", "\"a   b\"");
  const CanonicalRequest canonical = canonical_request(request, Url::parse(request.url).value(), "x");
  CHECK(canonical.text == "GET\n/\n\na:a b c,\nb:\"a b\"\nhost:h\n\na;b;host\nx");
}

TEST_CASE("headers that change on the way are not signed") {
  Request request{.url = "https://h/"};
  for (const char* name : {"Authorization", "Connection", "Expect", "Keep-Alive", "Proxy-Anything", "TE", "Trailer",
                           "Transfer-Encoding", "Upgrade", "User-Agent", "X-Amzn-Trace-Id"})
    request.headers.add(name, "v");
  request.headers.add("x-amzn-query-mode", "true");
  CHECK(canonical_request(request, Url::parse(request.url).value(), "").signed_headers() == "host;x-amzn-query-mode");
}

TEST_CASE("fields of one name keep their order, however many") {
  Request request{.url = "https://h/"};
  std::string joined;
  for (int i = 0; i < 100; ++i) {
    request.headers.add(i % 2 == 0 ? "X-Many" : "x-many", std::to_string(100 - i));
    joined.append(i == 0 ? "" : ",").append(std::to_string(100 - i));
  }
  const std::string text = canonical_request(request, Url::parse(request.url).value(), "").text;
  CHECK(text.find("\nx-many:" + joined + "\n") != std::string::npos);
}

TEST_CASE("a path loses its dots and doubled slashes") {
  CHECK(canonical_path("") == "/");
  CHECK(canonical_path("/") == "/");
  CHECK(canonical_path("/a/./b//c/../d") == "/a/b/d");
  CHECK(canonical_path("/../../a") == "/a");
  CHECK(canonical_path("/a/..") == "/");
  CHECK(canonical_path("/a/b/..") == "/a/");
  CHECK(canonical_path("/a/b/.") == "/a/b/");
  CHECK(canonical_path("/a/...") == "/a/...");
}

TEST_CASE("an encoded path is encoded once more, an encoded query is not") {
  const Request request{.url = "https://h/a%20b?k%20=v%2f+&&b&a=2&a=1&A=%zz"};
  const std::string text = canonical_request(request, Url::parse(request.url).value(), "").text;
  CHECK(text.starts_with("GET\n/a%2520b\nA=%25zz&a=1&a=2&b=&k%20=v%2F%2B\n"));
}
