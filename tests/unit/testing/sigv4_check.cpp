#include <dmq/testing/sigv4_check.hpp>

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <utility>

#include <support/cloud.hpp>

using namespace std::chrono_literals;
using dmq::testing::AccessKey;
using dmq::testing::AccessKeys;
namespace http = dmq::http;
namespace sigv4 = dmq::testing::sigv4;

namespace {

/// A signed request of the AWS signing test suite (Apache-2.0).
struct Vector {
  const char* name;
  const char* method;
  const char* target;
  const char* headers;  ///< "Name: value" a line.
  const char* body;
  const char* session_token;

  http::Request request() const {
    http::Request made{.method = std::string(method) == "GET" ? http::Method::get : http::Method::post,
                       .url = "https://example.amazonaws.com" + std::string(target),
                       .body = body};
    std::istringstream lines(headers);
    for (std::string line; std::getline(lines, line);)
      made.headers.add(line.substr(0, line.find(':')), line.substr(line.find(':') + 2));
    return made;
  }
};

const Vector vectors[] = {
    {"get-header-value-order", "GET", "/",
     "Host: example.amazonaws.com\n"
     "My-Header1: value4\n"
     "My-Header1: value1\n"
     "My-Header1: value3\n"
     "My-Header1: value2\n"
     "X-Amz-Date: 20150830T123600Z\n"
     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
     "SignedHeaders=host;my-header1;x-amz-date, "
     "Signature=08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01\n",
     "", ""},
    {"get-slashes-normalized", "GET", "//example//",
     "Host: example.amazonaws.com\n"
     "X-Amz-Date: 20150830T123600Z\n"
     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
     "SignedHeaders=host;x-amz-date, Signature=9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84\n",
     "", ""},
    {"get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     "Host: example.amazonaws.com\n"
     "X-Amz-Date: 20150830T123600Z\n"
     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
     "SignedHeaders=host;x-amz-date, Signature=07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f\n",
     "", ""},
    {"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1",
     "Host: example.amazonaws.com\n"
     "X-Amz-Date: 20150830T123600Z\n"
     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
     "SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500\n",
     "", ""},
    {"get-vanilla-with-session-token", "GET", "/",
     "Host: example.amazonaws.com\n"
     "X-Amz-Security-Token: 6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267\n"
     "X-Amz-Date: 20150830T123600Z\n"
     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
     "SignedHeaders=host;x-amz-date;x-amz-security-token, "
     "Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8\n",
     "", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"},
    {"post-x-www-form-urlencoded-parameters", "POST", "/",
     "Content-Type: application/x-www-form-urlencoded; charset=utf-8\n"
     "Host: example.amazonaws.com\n"
     "Content-Length: 13\n"
     "X-Amz-Date: 20150830T123600Z\n"
     "x-amz-content-sha256: 9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e\n"
     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
     "SignedHeaders=content-length;content-type;host;x-amz-content-sha256;x-amz-date, "
     "Signature=328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422\n",
     "Param1=value1", ""},
};

const dmq::WallTime signed_at = dmq::testing::parse_amz_date("20150830T123600Z").value();

AccessKeys keys(std::string session_token = "", std::string secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY") {
  return {{"AKIDEXAMPLE", AccessKey{"AKIDEXAMPLE", std::move(secret), std::move(session_token)}}};
}

/// The code and the message of the refusal, nothing when it was let in.
std::pair<std::string, std::string> refusal(const http::Request& request, const AccessKeys& known,
                                            dmq::WallTime now = signed_at,
                                            const sigv4::Scope& scope = {"us-east-1", "service"}) {
  const auto checked = sigv4::check(request, known, scope, {now, {}});
  if (checked) return {};
  CHECK(checked.error().http_status == (checked.error().service_code == "IncompleteSignature" ? 400 : 403));
  return {checked.error().service_code, checked.error().message};
}

std::string code(const http::Request& request, const AccessKeys& known, dmq::WallTime now = signed_at) {
  return refusal(request, known, now).first;
}

http::Request with(http::Request request, std::string_view name, std::string_view value) {
  request.headers.set(name, value);
  return request;
}

}  // namespace

TEST_CASE("signatures of the AWS test suite are accepted, and nothing that differs from what was signed") {
  for (const Vector& vector : vectors) {
    CAPTURE(vector.name);
    const http::Request request = vector.request();
    const AccessKeys known = keys(vector.session_token);
    CHECK(refusal(request, known).first == "");
    CHECK(refusal(request, {}).first == "");

    http::Request tampered = request;
    tampered.body += "x";
    CHECK(code(tampered, known) == "SignatureDoesNotMatch");
    tampered = request;
    tampered.url += tampered.url.find('?') == std::string::npos ? "?a=b" : "&a=b";
    CHECK(code(tampered, known) == "SignatureDoesNotMatch");
    tampered = request;
    tampered.method = http::Method::put;
    CHECK(code(tampered, known) == "SignatureDoesNotMatch");
    CHECK(code(with(request, "Host", "other.amazonaws.com"), known) == "SignatureDoesNotMatch");
    CHECK(code(request, keys(vector.session_token, "wrong")) == "SignatureDoesNotMatch");
  }
}

TEST_CASE("the host comes from the URL when there is no header for it") {
  http::Request request = vectors[0].request();
  request.headers.remove("Host");
  CHECK(code(request, keys()) == "");
}

TEST_CASE("who is not known, and what is not complete") {
  const http::Request request = vectors[0].request();
  http::Request bare = request;
  bare.headers.remove("Authorization");
  CHECK(code(bare, keys()) == "AccessDenied");
  CHECK(code(request, {{"OTHER", {}}}) == "InvalidClientTokenId");
  CHECK(code(with(request, "Authorization", "Bearer x"), keys()) == "IncompleteSignature");
  CHECK(code(with(request, "Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE"), keys()) ==
        "IncompleteSignature");
  CHECK(code(with(request, "Authorization",
                  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/x, SignedHeaders=host;x-amz-date, Signature=0"),
             keys()) == "IncompleteSignature");
  http::Request undated = request;
  undated.headers.remove("X-Amz-Date");
  CHECK(code(undated, keys()) == "IncompleteSignature");
  CHECK(code(with(request, "Authorization",
                  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                  "SignedHeaders=x-amz-date, Signature=0"),
             keys()) == "SignatureDoesNotMatch");
}

TEST_CASE("session tokens") {
  const std::string token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
  http::Request request;
  for (const Vector& vector : vectors)
    if (vector.session_token == token) request = vector.request();
  CHECK(code(request, keys("another")) == "InvalidClientTokenId");
  CHECK(code(request, keys()) == "InvalidClientTokenId");
  CHECK(code(vectors[0].request(), keys(token)) == "InvalidClientTokenId");
  AccessKeys expiring = keys(token);
  expiring.begin()->second.expires = signed_at + 1s;
  CHECK(code(request, expiring) == "");
  CHECK(code(request, expiring, signed_at + 1s) == "ExpiredToken");
}

TEST_CASE("a clock may be wrong by five minutes") {
  const http::Request request = vectors[0].request();
  CHECK(code(request, keys(), signed_at + 5min) == "");
  CHECK(code(request, keys(), signed_at - 5min) == "");
  CHECK(refusal(request, keys(), signed_at + 5min + 1s) ==
        std::pair<std::string, std::string>("SignatureDoesNotMatch",
                                            "Signature expired: 20150830T123600Z is now earlier than "
                                            "20150830T123601Z (20150830T124101Z - 5 min.)"));
  CHECK(refusal(request, keys(), signed_at - 5min - 1s).second ==
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)");
}

TEST_CASE("the scope names the day, the region and the service") {
  const http::Request request = vectors[0].request();
  CHECK(refusal(request, keys(), signed_at, {"eu-west-1", "service"}).second ==
        "Credential should be scoped to a valid region.");
  CHECK(refusal(request, keys(), signed_at, {"us-east-1", "sqs"}).second ==
        "Credential should be scoped to correct service: 'sqs'.");
  std::string authorization(request.headers.get("authorization"));
  authorization.replace(authorization.find("20150830"), 8, "20150829");
  CHECK(code(with(request, "Authorization", authorization), keys()) == "SignatureDoesNotMatch");
}

TEST_CASE("SQS in a cloud with access keys asks for a signature, and answers in its protocol") {
  support::Cloud cloud({.signing_key = support::signing_key()});
  const auto response = cloud.call("ReceiveMessage", "");
  CHECK(response.status == 403);
  CHECK(response.headers.get("x-amzn-query-error") == "AccessDenied;Sender");
  CHECK(support::Json(response.body)["__type"].string() == "com.amazon.coral.service#AccessDeniedException");
  CHECK(cloud.model.calls("ReceiveMessage") == 0);
}
