#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/http/message.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/cognito_model.hpp>
#include <dmq/testing/sqs_service.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// How the gateway turns the status of SQS into its own: kept, or 200 for everything, as when nothing but the default
/// integration response is set up.
enum class StatusMapping { kept, default_only };

struct GatewayOptions {
  std::string queue = "dmq.fifo";
  std::vector<std::string> scopes = {"dmq/publish"};  ///< Any one lets in. None: an ID token is asked for.
  StatusMapping mapping = StatusMapping::kept;
};

/// An API Gateway REST API with a Cognito authorizer, whose routes are integrated with SQS: `POST /v1/publish-queue`
/// (query protocol, answers in JSON) and `POST /v1/publish-queue/batch` (JSON protocol). A value; not thread-safe.
class GatewayModel {
 public:
  static constexpr std::string_view publish_path = "/v1/publish-queue";
  static constexpr std::string_view batch_path = "/v1/publish-queue/batch";

  GatewayModel(GatewayOptions gateway_options, json::Parser parser, std::uint64_t seed)
      : options(std::move(gateway_options)), parse_(parser), random_(seed) {}

  GatewayOptions options;

  http::Response handle(const http::Request& request, std::string_view path, CognitoModel& cognito, SqsService& sqs,
                        Instant now);
  std::uint64_t requests() const noexcept { return requests_; }

 private:
  enum class Token { accepted, refused, expired };

  std::variant<std::string_view, http::Response> admit(const http::Request& request, std::string_view path) const;
  Token check(std::string_view token, CognitoModel& cognito, Instant now) const;
  bool has_scope(std::string_view granted) const;
  http::Response publish(const http::Request& request, NamedQueue* queue, Instant now);
  http::Response publish_batch(const http::Request& request, NamedQueue* queue, Instant now);
  static SqsResult<SendOrder> read_headers(const http::Request& request);
  std::string sent_text(const Sent& sent);
  std::string error_text(const SqsError& error);
  http::Response integrated(int status, std::string body) const;
  static http::Response refuse(int status, std::string_view message, std::string_view type);

  json::Parser parse_;
  Random random_;
  std::uint64_t requests_ = 0;
};

inline http::Response GatewayModel::handle(const http::Request& request, std::string_view path, CognitoModel& cognito,
                                           SqsService& sqs, Instant now) {
  ++requests_;
  const auto respond = [&]() -> http::Response {
    const auto admitted = admit(request, path);
    if (const auto* refusal = std::get_if<http::Response>(&admitted)) return *refusal;
    switch (check(std::get<std::string_view>(admitted), cognito, now)) {
      case Token::refused: return refuse(401, "Unauthorized", "UnauthorizedException");
      case Token::expired: return refuse(401, "The incoming token has expired", "UnauthorizedException");
      case Token::accepted: break;
    }
    const std::string_view type = request.headers.find("content-type").value_or("application/json");
    if (!encoding::equal_ignoring_case(encoding::trim(type.substr(0, type.find(';'))), "application/json"))
      return refuse(415, "Unsupported Media Type", "BadRequestException");
    NamedQueue* const queue = sqs.broker().find(options.queue);
    return path == batch_path ? publish_batch(request, queue, now) : publish(request, queue, now);
  };
  http::Response response = respond();
  response.headers.add("x-amzn-RequestId", make_uuid(random_));
  response.headers.add("x-amz-apigw-id", make_uuid(random_));
  return response;
}

/// What is checked before the token, which is the value. The status for headers that are too large is not recorded.
inline std::variant<std::string_view, http::Response> GatewayModel::admit(const http::Request& request,
                                                                          std::string_view path) const {
  constexpr std::size_t header_limit_bytes = 10'240;
  constexpr std::size_t payload_limit_bytes = 10U * 1024 * 1024;
  if (request.headers.wire_bytes() > header_limit_bytes || request.body.size() > payload_limit_bytes)
    return refuse(413, "Request Too Long", "RequestTooLargeException");
  if (request.method != http::Method::post || (path != publish_path && path != batch_path))
    return refuse(403, "Missing Authentication Token", "MissingAuthenticationTokenException");
  std::string_view token = encoding::trim(request.headers.get("authorization"));
  constexpr std::string_view scheme = "Bearer ";
  if (encoding::equal_ignoring_case(token.substr(0, scheme.size()), scheme)) token.remove_prefix(scheme.size());
  return encoding::trim(token);
}

/// As the Cognito authorizer does: without scopes on the method it takes the token for an ID token, which an access
/// token is not.
inline GatewayModel::Token GatewayModel::check(std::string_view token, CognitoModel& cognito, Instant now) const {
  const auto jwt = Jwt::parse(token);
  json::Document header;
  json::Document claims;
  if (!jwt || !parse_(jwt->header, header, {}) || !parse_(jwt->claims, claims, {})) return Token::refused;
  if (header.root()["alg"].string() != "RS256" || header.root()["kid"].string() != CognitoModel::key_id ||
      !cognito.key().verify(jwt->signed_text, jwt->signature))
    return Token::refused;
  const json::Value root = claims.root();
  if (root["iss"].string() != cognito.issuer()) return Token::refused;
  if (root["exp"].integer().value_or(0) <= unix_seconds(now.wall)) return Token::expired;
  if (cognito.is_revoked(root["jti"].string().value_or(""))) return Token::refused;
  const std::string_view wanted = options.scopes.empty() ? "id" : "access";
  if (root["token_use"].string() != wanted) return Token::refused;
  if (!options.scopes.empty() && !has_scope(root["scope"].string().value_or(""))) return Token::refused;
  return Token::accepted;
}

inline bool GatewayModel::has_scope(std::string_view granted) const {
  while (!(granted = encoding::trim(granted)).empty()) {
    const std::string_view scope = granted.substr(0, granted.find(' '));
    if (std::count(options.scopes.begin(), options.scopes.end(), scope) > 0) return true;
    granted.remove_prefix(scope.size());
  }
  return false;
}

inline SqsResult<SendOrder> GatewayModel::read_headers(const http::Request& request) {
  SendOrder order;
  // The mapping renders an empty body as an empty object.
  order.message.body = request.body.empty() ? "{}" : request.body;
  order.message.group = request.headers.get("MessageGroupId");
  order.message.deduplication_id = request.headers.get("MessageDeduplicationId");
  for (const auto& [name, id] : {std::pair("MessageGroupId", &order.message.group),
                                 std::pair("MessageDeduplicationId", &order.message.deduplication_id)})
    if (auto checked = check_identifier(name, *id); !id->empty() && !checked) return std::move(checked).error();
  return order;
}

inline http::Response GatewayModel::publish(const http::Request& request, NamedQueue* queue, Instant now) {
  const auto answer = [&]() -> SqsResult<Sent> {
    if (queue == nullptr) return queue_does_not_exist();
    auto order = read_headers(request);
    if (!order) return std::move(order).error();
    return send(queue->queue, *std::move(order), now);
  }();
  return answer ? integrated(200, sent_text(*answer))
                : integrated(answer.error().http_status, error_text(answer.error()));
}

inline http::Response GatewayModel::publish_batch(const http::Request& request, NamedQueue* queue, Instant now) {
  json::Document document;
  if (!parse_(request.body, document, {}))
    return refuse(400, "Could not parse request body into json", "BadRequestException");
  const SqsAnswer answer =
      queue == nullptr ? SqsAnswer(queue_does_not_exist()) : send_batch(queue->queue, document.root()["Entries"], now);
  if (answer) return integrated(200, *answer);
  std::string body;
  encoding::JsonWriter json(body);
  json.begin_object().key("__type").value(answer.error().type);
  json.key("message").value(answer.error().message).end_object();
  return integrated(answer.error().http_status, std::move(body));
}

inline std::string GatewayModel::sent_text(const Sent& sent) {
  std::string body;
  encoding::JsonWriter json(body);
  json.begin_object().key("SendMessageResponse").begin_object();
  json.key("ResponseMetadata").begin_object().key("RequestId").value(make_uuid(random_)).end_object();
  json.key("SendMessageResult").begin_object().key("MD5OfMessageAttributes").null();
  json.key("MD5OfMessageBody").value(sent.body_md5).key("MD5OfMessageSystemAttributes").null();
  json.key("MessageId").value(sent.accepted.message_id).key("SequenceNumber");
  if (sent.accepted.sequence_number.empty())
    json.null();
  else
    json.value(sent.accepted.sequence_number);
  json.end_object().end_object().end_object();
  return body;
}

/// As SQS writes errors in the query protocol when it is asked for JSON.
inline std::string GatewayModel::error_text(const SqsError& error) {
  std::string body;
  encoding::JsonWriter json(body);
  json.begin_object().key("Error").begin_object().key("Code").value(error.service_code);
  json.key("Message").value(error.message).key("Type").value(error.http_status < 500 ? "Sender" : "Receiver");
  json.end_object().key("RequestId").value(make_uuid(random_)).end_object();
  return body;
}

inline http::Response GatewayModel::integrated(int status, std::string body) const {
  http::Response response{.status = options.mapping == StatusMapping::kept ? status : 200};
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

inline http::Response GatewayModel::refuse(int status, std::string_view message, std::string_view type) {
  http::Response response{.status = status};
  response.headers.add("Content-Type", "application/json");
  response.headers.add("x-amzn-ErrorType", type);
  encoding::JsonWriter(response.body).begin_object().key("message").value(message).end_object();
  return response;
}

}  // namespace dmq::inline DMQ_ABI::testing
