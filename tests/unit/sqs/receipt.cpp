#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <string>
#include <vector>

#include <dmq/sqs/receipt.hpp>

using dmq::Attribute;
using dmq::DeliveryState;
using dmq::Entry;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Receipt;
using dmq::Result;
using dmq::http::Response;
using dmq::sqs::read_receipt;
using dmq::sqs::read_receipts;

namespace {

const Entry hello{.message = {.body = "hello", .group = "g"}, .deduplication_id = "d"};
const Entry message{.message = {.body = "message", .group = "h"}, .deduplication_id = "e"};
const char* const hello_md5 = "5d41402abc4b2a76b9719d911017c592";
const char* const message_md5 = "78e731027d8fd50ed642340b7c9a63b3";

Result<Receipt> single(const std::string& body, const Entry& entry = hello) {
  dmq::json::Document document;
  const auto parsed = support::parse(body, document);
  Response response{.status = 200, .body = body};
  response.headers.add("x-amzn-RequestId", "r1");
  return read_receipt(response, parsed ? document.root() : dmq::json::Value(), entry);
}

std::vector<Result<Receipt>> batch(const std::string& body, std::size_t count = 2) {
  dmq::json::Document document;
  support::parse(body, document).value();
  const Entry* const entries[] = {&hello, &message};
  Response response{.status = 200, .body = body};
  response.headers.add("x-amzn-RequestId", "r1");
  return read_receipts(response, document.root(), dmq::EntryBatch(entries).first(count));
}

std::string done(const char* id, const char* md5) {
  return R"({"Id":")" + std::string(id) + R"(","MessageId":"m)" + id + R"(","MD5OfMessageBody":")" + md5 +
         R"(","SequenceNumber":"1"})";
}

std::string answer(const std::string& successful, const std::string& failed = "") {
  return R"({"Successful":[)" + successful + R"(],"Failed":[)" + failed + "]}";
}

void check_unknown(const Result<Receipt>& result) {
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::protocol);
  CHECK(result.error().delivery == DeliveryState::unknown);
  CHECK(result.error().request_id == "r1");
}

}  // namespace

TEST_CASE("a message id with the right MD5 is acceptance") {
  const Receipt receipt =
      single(R"({"MessageId":"m1","MD5OfMessageBody":"5D41402ABC4B2A76B9719D911017C592","SequenceNumber":"18849"})")
          .value();
  CHECK(receipt.message_id == "m1");
  CHECK(receipt.sequence_number == "18849");
  CHECK(receipt.deduplication_id == "d");
  CHECK(receipt.attempts == 1);
  CHECK(single(R"({"MessageId":"m1","SequenceNumber":null,"MD5OfMessageBody":")" + std::string(hello_md5) + "\"}")
            .value()
            .sequence_number.empty());
}

TEST_CASE("an answer without a message id or MD5 leaves the fate unknown") {
  for (const char* body :
       {"", "{}", "[]", "{\"MessageId\":\"m\"}",
        R"({"MessageId":"","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"})",
        R"({"MessageId":1,"MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"})",
        R"({"MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"})", R"({"MessageId":"m","MD5OfMessageBody":null})"}) {
    CAPTURE(body);
    check_unknown(single(body));
  }
}

TEST_CASE("the MD5 of another body is an integrity error of unknown fate") {
  for (const std::string& md5 : {std::string(message_md5), std::string(""), std::string(31, '0')}) {
    const auto result = single(R"({"MessageId":"m1","MD5OfMessageBody":")" + md5 + "\"}");
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::integrity);
    CHECK(result.error().delivery == DeliveryState::unknown);
    CHECK(result.error().message.find("message m1, but the MD5 of its body") != std::string::npos);
    CHECK(result.error().message.find("hello") == std::string::npos);
    CHECK(result.error().request_id == "r1");
  }
  const auto endless = single(R"({"MessageId":")" + std::string(100'000, 'm') + R"(","MD5OfMessageBody":"0"})");
  CHECK(endless.error().message.size() < 1000);
}

TEST_CASE("attributes have a sum of their own") {
  Entry entry = hello;
  entry.message.attributes = {{"timestamp", Attribute::number("1493147359900")}};
  const std::string start = R"({"MessageId":"m1","MD5OfMessageBody":")" + std::string(hello_md5) + "\"";
  CHECK(single(start + R"(,"MD5OfMessageAttributes":"235c5c510d26fb653d073faed50ae77c"})", entry).has_value());
  for (const std::string& end : {std::string("}"), std::string(R"(,"MD5OfMessageAttributes":null})"),
                                 std::string(R"(,"MD5OfMessageAttributes":"d838729972a4b70e2d2acd9d59ac847c"})")}) {
    const auto result = single(start + end, entry);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::integrity);
    CHECK(result.error().delivery == DeliveryState::unknown);
    CHECK(result.error().message.find("MD5 of its attributes") != std::string::npos);
  }
  // Without attributes the service's sum of them is nothing to compare.
  CHECK(single(start + R"(,"MD5OfMessageAttributes":"x"})").has_value());
}

TEST_CASE("a batch gives each entry its own result, whatever the order") {
  const auto results = batch(answer(done("1", message_md5) + "," + done("0", hello_md5)));
  CHECK(results[0].value().message_id == "m0");
  CHECK(results[0].value().deduplication_id == "d");
  CHECK(results[1].value().message_id == "m1");
  CHECK(results[1].value().deduplication_id == "e");
}

TEST_CASE("a failed entry has its own error, with the answer's status and request id") {
  const auto results = batch(
      answer(done("0", hello_md5), R"({"Id":"1","SenderFault":true,"Code":"InvalidMessageContents","Message":"odd"})"));
  CHECK(results[0].has_value());
  REQUIRE_FALSE(results[1]);
  CHECK(results[1].error().kind == ErrorKind::rejected);
  CHECK(results[1].error().delivery == DeliveryState::rejected);
  CHECK(results[1].error().service_code == "InvalidMessageContents");
  CHECK(results[1].error().message == "odd");
  CHECK(results[1].error().http_status == 200);
  CHECK(results[1].error().request_id == "r1");
}

TEST_CASE("an entry that failed by the service's fault is unknown") {
  const auto results = batch(answer("", R"({"Id":"0","SenderFault":false,"Code":"InternalError"},)"
                                        R"({"Id":"1","SenderFault":false,"Code":"RequestThrottled"})"));
  CHECK(results[0].error().kind == ErrorKind::unavailable);
  CHECK(results[0].error().delivery == DeliveryState::unknown);
  CHECK(results[1].error().kind == ErrorKind::throttled);
  CHECK(results[1].error().delivery == DeliveryState::rejected);
}

TEST_CASE("an entry that the answer leaves out is unknown") {
  for (const std::string& body : {std::string("{}"), answer(""), std::string(R"({"Successful":null,"Failed":7})"),
                                  std::string(R"({"Successful":{}})"), std::string(R"({"Successful":["0",0,null]})")})
    for (const auto& result : batch(body)) check_unknown(result);
  const auto results = batch(R"({"Successful":[)" + done("1", message_md5) + "]}");
  check_unknown(results[0]);
  CHECK(results[1].has_value());
}

TEST_CASE("an entry that is named more than once is unknown") {
  const std::string failed = R"({"Id":"0","SenderFault":true,"Code":"X"})";
  for (const std::string& body :
       {answer(done("0", hello_md5) + "," + done("0", hello_md5) + "," + done("1", message_md5)),
        answer(done("0", hello_md5) + "," + done("1", message_md5), failed),
        answer(done("1", message_md5), failed + "," + failed),
        answer(done("0", hello_md5) + "," + done("0", hello_md5) + "," + done("0", hello_md5) + "," +
               done("1", message_md5))}) {
    const auto results = batch(body);
    check_unknown(results[0]);
    CHECK(results[1].has_value());
  }
}

TEST_CASE("an Id that was never given counts for nothing") {
  for (const char* id : {"2", "00", "01", "-0", "+0", " 0", "0 ", "0x0", "", "a", "18446744073709551616"})
    for (const auto& result : batch(answer(done(id, hello_md5)))) check_unknown(result);
  for (const auto& result : batch(R"({"Successful":[{"Id":0,"MessageId":"m"}]})")) check_unknown(result);
}

TEST_CASE("the MD5 of each entry of a batch is its own") {
  const auto results = batch(answer(done("0", message_md5) + "," + done("1", message_md5)));
  CHECK(results[0].error().kind == ErrorKind::integrity);
  CHECK(results[1].has_value());
}
