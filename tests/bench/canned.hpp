#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/hex.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/http/message.hpp>
#include <dmq/options.hpp>

/// What every measurement sends, and what the server answers, which looks at nothing but the operation's name.
namespace bench {

inline const std::string& message_body() {
  static const std::string body = [] {
    std::string text = "{\"order\": 4711, \"lines\": [";
    while (text.size() < 250) text += "12345, ";
    text.resize(254, '6');
    return text + "]}";
  }();
  return body;
}

inline std::string message_md5() {
  return dmq::encoding::hex(*dmq::crypto::md5(message_body()));
}

namespace detail {
constexpr std::string_view message_id = "5fea7756-0ea4-451a-a703-a558b933e274";
constexpr std::string_view sequence_number = "18849496460467696128";

inline std::string json_text(std::string_view text) {
  std::string out;
  dmq::encoding::append_json_string(out, text);
  return out;
}

/// The fields of an accepted message, without brackets.
inline std::string accepted() {
  return R"("MD5OfMessageBody":")" + message_md5() + R"(","MessageId":")" + std::string(message_id) +
         R"(","SequenceNumber":")" + std::string(sequence_number) + '"';
}

template <class Item>
std::string ten(Item item) {
  std::string all;
  for (int i = 0; i < 10; ++i) all += (i > 0 ? "," : "") + item(std::to_string(i));
  return '[' + all + ']';
}

inline std::string received(const std::string& digit) {
  std::string handle(344, 'h');
  handle.back() = digit.front();
  return R"({"MessageId":"5fea7756-0ea4-451a-a703-a558b933e27)" + digit + R"(","ReceiptHandle":")" + handle +
         R"(","MD5OfBody":")" + message_md5() + R"(","Body":)" + json_text(message_body()) +
         R"(,"Attributes":{"SenderId":"AIDASSYFHUBOBT7F4XT75","ApproximateFirstReceiveTimestamp":"1677112433437",)"
         R"("ApproximateReceiveCount":"1","SentTimestamp":"1677112427387","SequenceNumber":"1884949646046769612)" +
         digit + R"(","MessageDeduplicationId":"0123456789abcdef0123456789abcdef","MessageGroupId":"group-)" + digit +
         R"("}})";
}
}  // namespace detail

inline std::string send_answer() {
  return '{' + detail::accepted() + '}';
}
inline std::string send_batch_answer() {
  return R"({"Failed":[],"Successful":)" + detail::ten([](const std::string& digit) {
           return R"({"Id":")" + digit + R"(",)" + detail::accepted() + '}';
         }) +
         '}';
}
inline std::string receive_answer() {
  return R"({"Messages":)" + detail::ten(detail::received) + '}';
}
inline std::string delete_batch_answer() {
  return R"({"Failed":[],"Successful":)" +
         detail::ten([](const std::string& digit) { return R"({"Id":")" + digit + R"("})"; }) + '}';
}
inline std::string gateway_answer() {
  return R"({"SendMessageResponse":{"ResponseMetadata":{"RequestId":"5e0d1b2c-0000-4000-8000-000000000000"},)"
         R"("SendMessageResult":{"MD5OfMessageAttributes":null,)" +
         detail::accepted() + "}}}";
}
inline std::string token_answer() {
  return R"({"access_token":")" + std::string(1024, 't') + R"(","expires_in":3600,"token_type":"Bearer"})";
}

/// The answer to a request, as the server gives it.
inline std::string canned_answer(const dmq::http::Request& request) {
  if (request.url.ends_with("/oauth2/token")) return token_answer();
  if (request.url.ends_with("/publish-queue")) return gateway_answer();
  const std::string_view target = request.headers.get("X-Amz-Target");
  if (target == "AmazonSQS.SendMessageBatch") return send_batch_answer();
  if (target == "AmazonSQS.ReceiveMessage") return receive_answer();
  if (target == "AmazonSQS.DeleteMessageBatch") return delete_batch_answer();
  return send_answer();
}

/// Of clients whose services are all at `origin`.
inline dmq::QueueOptions queue_options(const std::string& origin) {
  dmq::QueueOptions options;
  options.queue_url = origin + "/123456789012/orders.fifo";
  options.region = "eu-central-1";
  options.endpoint = origin;
  options.credentials = {.access_key_id = "AKIDEXAMPLE",
                         .secret_access_key = dmq::Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")};
  return options;
}
inline dmq::GatewayOptions gateway_options(const std::string& origin) {
  dmq::GatewayOptions options;
  options.api_url = origin + "/v1/publish-queue";
  options.client.token_url = origin + "/oauth2/token";
  options.client.client_id = "4example23456789client";
  options.client.client_secret = dmq::Secret("example-secret");
  return options;
}

}  // namespace bench
