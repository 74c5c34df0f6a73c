#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <dmq/core/random.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/http/message.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/cognito_model.hpp>
#include <dmq/testing/gateway_authorizer.hpp>
#include <dmq/testing/gateway_faults.hpp>
#include <dmq/testing/gateway_options.hpp>
#include <dmq/testing/rate_limit.hpp>
#include <dmq/testing/sqs_service.hpp>
#include <dmq/testing/uuid.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What the gateway answers, and how long after the request.
struct GatewayAnswer {
  http::Response response{};
  Duration after{};
};

/// An API Gateway REST API with a Cognito authorizer, whose routes are integrated with SQS: `POST
/// /{stage}/publish-queue` (query protocol, answers in JSON) and `POST /{stage}/publish-queue/batch` (JSON protocol).
/// In what order it looks for what is wrong with a request is not recorded from AWS. A value; not thread-safe.
class GatewayModel {
 public:
  GatewayModel(GatewayOptions gateway_options, json::Parser parser, std::uint64_t seed)
      : options(std::move(gateway_options)), parse_(parser), authorizer_(parser), random_(seed), chance_(~seed) {}

  GatewayOptions options;

  /// What SQS does with the request it does now, however late the answer.
  GatewayAnswer handle(const http::Request& request, std::string_view path, const CognitoModel& cognito,
                       SqsService& sqs, Instant now);
  std::string publish_path() const { return "/" + options.stage + "/publish-queue"; }
  std::uint64_t requests() const noexcept { return requests_; }

 private:
  GatewayAnswer serve(const http::Request& request, std::string_view path, const CognitoModel& cognito, SqsService& sqs,
                      Instant now);
  std::optional<http::Response> check_request(const http::Request& request, std::string_view path) const;
  std::optional<http::Response> authorize(const http::Request& request, const CognitoModel& cognito, Instant now);
  http::Response integrate(const http::Request& request, std::string_view path, SqsService& sqs, Instant now);
  http::Response publish(const http::Request& request, SqsService& sqs, Instant now);
  http::Response publish_batch(const http::Request& request, NamedQueue* queue, Instant now);
  static std::string render_form(const http::Request& request);
  http::Response integrated(int status, std::string body) const;
  static http::Response refuse(int status, std::string_view message, std::string_view type);

  json::Parser parse_;
  GatewayAuthorizer authorizer_;
  TokenBucket bucket_;
  QuotaCounter used_;
  Random random_;
  Random chance_;  ///< Of faults: they change no id.
  std::uint64_t requests_ = 0;
};

inline GatewayAnswer GatewayModel::handle(const http::Request& request, std::string_view path,
                                          const CognitoModel& cognito, SqsService& sqs, Instant now) {
  ++requests_;
  GatewayAnswer answer = serve(request, path, cognito, sqs, now);
  answer.response.headers.add("x-amzn-RequestId", make_uuid(random_));
  answer.response.headers.add("x-amz-apigw-id", make_uuid(random_));
  return answer;
}

inline GatewayAnswer GatewayModel::serve(const http::Request& request, std::string_view path,
                                         const CognitoModel& cognito, SqsService& sqs, Instant now) {
  if (auto refusal = check_request(request, path)) return {*std::move(refusal)};
  const auto throttled = [] { return refuse(429, "Too Many Requests", "TooManyRequestsException"); };
  if (!bucket_.take(options.throttle, now.ticks)) return {throttled()};
  if (auto refusal = authorize(request, cognito, now)) return {*std::move(refusal)};
  const auto error = [] { return refuse(500, "Internal server error", "InternalServerErrorException"); };
  const auto timed_out = [] { return refuse(504, "Endpoint request timed out", "InternalServerErrorException"); };
  const GatewayFault fault = draw_fault(options.faults, chance_);
  if (fault == GatewayFault::throttled) return {throttled()};
  if (fault == GatewayFault::error_before) return {error()};
  if (fault == GatewayFault::timeout_before) return {timed_out(), options.integration_timeout};
  http::Response response = integrate(request, path, sqs, now);
  if (fault == GatewayFault::error_after) return {error()};
  if (fault == GatewayFault::timeout_after) return {timed_out(), options.integration_timeout};
  return {std::move(response)};
}

/// What is wrong with the request whoever sends it. The status for headers that are too large and the answer to an
/// unknown stage are not recorded from AWS.
inline std::optional<http::Response> GatewayModel::check_request(const http::Request& request,
                                                                 std::string_view path) const {
  if (request.headers.wire_bytes() > options.header_limit_bytes || request.body.size() > options.payload_limit_bytes)
    return refuse(413, "Request Too Long", "RequestTooLargeException");
  const std::string resource = publish_path();
  if (path.substr(0, path.find('/', 1)) != "/" + options.stage) return refuse(403, "Forbidden", "ForbiddenException");
  if (request.method != http::Method::post || (path != resource && path != resource + "/batch"))
    return refuse(403, "Missing Authentication Token", "MissingAuthenticationTokenException");
  return std::nullopt;
}

inline std::optional<http::Response> GatewayModel::authorize(const http::Request& request, const CognitoModel& cognito,
                                                             Instant now) {
  std::string_view token = encoding::trim(request.headers.get("authorization"));
  constexpr std::string_view scheme = "Bearer ";
  if (encoding::equal_ignoring_case(token.substr(0, scheme.size()), scheme)) token.remove_prefix(scheme.size());
  switch (authorizer_.check(encoding::trim(token), options.authorizer, cognito, now)) {
    case GatewayAuthorizer::Verdict::refused: return refuse(401, "Unauthorized", "UnauthorizedException");
    case GatewayAuthorizer::Verdict::expired:
      return refuse(401, "The incoming token has expired", "UnauthorizedException");
    case GatewayAuthorizer::Verdict::accepted: break;
  }
  if (!options.api_key.empty() && request.headers.get("x-api-key") != options.api_key)
    return refuse(403, "Forbidden", "ForbiddenException");
  if (!used_.take(options.quota, now.wall)) return refuse(429, "Limit Exceeded", "LimitExceededException");
  return std::nullopt;
}

inline http::Response GatewayModel::integrate(const http::Request& request, std::string_view path, SqsService& sqs,
                                              Instant now) {
  const std::string_view type = request.headers.find("content-type").value_or("application/json");
  if (!encoding::equal_ignoring_case(encoding::trim(type.substr(0, type.find(';'))), "application/json"))
    return refuse(415, "Unsupported Media Type", "BadRequestException");
  return path.ends_with("/batch") ? publish_batch(request, sqs.broker().find(options.queue), now)
                                  : publish(request, sqs, now);
}

/// What the mapping template makes of a request: headers that are not there are left out, and an empty body is an
/// empty object.
inline std::string GatewayModel::render_form(const http::Request& request) {
  std::string form = "Action=SendMessage";
  encoding::append_form_field(form, "MessageBody", request.body.empty() ? "{}" : request.body);
  for (const std::string_view name : {"MessageGroupId", "MessageDeduplicationId"})
    if (const std::string_view id = request.headers.get(name); !id.empty()) encoding::append_form_field(form, name, id);
  return form;
}

inline http::Response GatewayModel::publish(const http::Request& request, SqsService& sqs, Instant now) {
  http::Request call{.method = http::Method::post,
                     .url = sqs.queue_url("https://sqs.amazonaws.com", options.queue),
                     .body = render_form(request)};
  call.headers.add("Content-Type", "application/x-www-form-urlencoded");
  call.headers.add("Accept", "application/json");
  auto answer = std::get<http::Response>(sqs.handle_trusted(call, now));
  return integrated(answer.status, std::move(answer.body));
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
