#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <string>

#include <dmq/sqs/service_error.hpp>

using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::http::Response;
using dmq::sqs::is_missing_queue;
using dmq::sqs::response_error;
using dmq::sqs::to_error;

namespace {

Error read(const Response& response) {
  dmq::json::Document document;
  const auto parsed = support::parse(response.body, document);
  return response_error(response, parsed ? document.root() : dmq::json::Value());
}

Response json_answer(int status, const std::string& type, const std::string& query_code) {
  Response response{.status = status, .body = R"({"__type":")" + type + R"(","message":"no"})"};
  if (!query_code.empty()) response.headers.add("x-amzn-query-error", query_code + ";Sender");
  return response;
}

struct Row {
  int status;
  const char* type;
  const char* query_code;
  ErrorKind kind;
};

constexpr Row rows[] = {
    {400, "com.amazonaws.sqs#BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
     ErrorKind::rejected},
    {400, "com.amazonaws.sqs#BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", ErrorKind::rejected},
    {400, "com.amazonaws.sqs#EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", ErrorKind::rejected},
    {400, "com.amazonaws.sqs#InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", ErrorKind::rejected},
    {400, "com.amazonaws.sqs#TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
     ErrorKind::rejected},
    {404, "com.amazonaws.sqs#InvalidAddress", "InvalidAddress", ErrorKind::configuration},
    {403, "com.amazonaws.sqs#InvalidSecurity", "InvalidSecurity", ErrorKind::authorization},
    {400, "com.amazonaws.sqs#InvalidAttributeName", "InvalidAttributeName", ErrorKind::rejected},
    {400, "com.amazonaws.sqs#InvalidAttributeValue", "InvalidAttributeValue", ErrorKind::rejected},
    {400, "com.amazonaws.sqs#InvalidIdFormat", "InvalidIdFormat", ErrorKind::rejected},
    {400, "com.amazonaws.sqs#InvalidMessageContents", "InvalidMessageContents", ErrorKind::rejected},
    {400, "com.amazonaws.sqs#KmsAccessDenied", "KMS.AccessDeniedException", ErrorKind::authorization},
    {400, "com.amazonaws.sqs#KmsDisabled", "KMS.DisabledException", ErrorKind::configuration},
    {400, "com.amazonaws.sqs#KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException", ErrorKind::configuration},
    {400, "com.amazonaws.sqs#KmsInvalidState", "KMS.InvalidStateException", ErrorKind::configuration},
    {400, "com.amazonaws.sqs#KmsNotFound", "KMS.NotFoundException", ErrorKind::configuration},
    {403, "com.amazonaws.sqs#KmsOptInRequired", "KMS.OptInRequired", ErrorKind::authorization},
    {400, "com.amazonaws.sqs#KmsThrottled", "KMS.ThrottlingException", ErrorKind::throttled},
    {400, "com.amazonaws.sqs#MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", ErrorKind::rejected},
    {403, "com.amazonaws.sqs#OverLimit", "OverLimit", ErrorKind::rejected},
    {403, "com.amazonaws.sqs#PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", ErrorKind::rejected},
    {400, "com.amazonaws.sqs#QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently", ErrorKind::rejected},
    {400, "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", ErrorKind::configuration},
    {400, "com.amazonaws.sqs#QueueNameExists", "QueueAlreadyExists", ErrorKind::rejected},
    {404, "com.amazonaws.sqs#ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", ErrorKind::rejected},
    {403, "com.amazonaws.sqs#RequestThrottled", "RequestThrottled", ErrorKind::throttled},
    {404, "com.amazonaws.sqs#ResourceNotFoundException", "ResourceNotFoundException", ErrorKind::rejected},
    {400, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", ErrorKind::rejected},
    {400, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue", ErrorKind::rejected},
    {400, "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter", ErrorKind::rejected},
    {403, "com.amazon.coral.service#AccessDeniedException", "AccessDenied", ErrorKind::authorization},
    {403, "com.amazon.coral.service#UnrecognizedClientException", "InvalidClientTokenId", ErrorKind::authentication},
    {403, "com.amazon.coral.service#InvalidSignatureException", "SignatureDoesNotMatch", ErrorKind::authentication},
    {400, "com.amazon.coral.service#IncompleteSignatureException", "IncompleteSignature", ErrorKind::authentication},
    {400, "com.amazon.coral.service#UnknownOperationException", "InvalidAction", ErrorKind::configuration},
    {400, "com.amazon.coral.service#SerializationException", "MalformedInput", ErrorKind::rejected},
    {400, "ThrottlingException", "Throttling", ErrorKind::throttled},
    {403, "com.amazon.coral.service#ExpiredTokenException", "ExpiredToken", ErrorKind::authentication},
};

}  // namespace

TEST_CASE("each error of SQS has its kind, by both names and by either alone") {
  for (const Row& row : rows) {
    CAPTURE(row.type);
    const std::string type = row.type;
    const std::string shape = type.substr(type.find('#') + 1);
    const Error both = read(json_answer(row.status, type, row.query_code));
    const Error by_shape = read(json_answer(row.status, type + ":http://internal/x", ""));
    const Error by_query =
        read({.status = row.status,
              .body = R"({"Error":{"Code":")" + std::string(row.query_code) + R"(","Message":"no","Type":"Sender"}})"});
    for (const Error* error : {&both, &by_shape, &by_query}) {
      CHECK(error->kind == row.kind);
      CHECK(error->delivery == DeliveryState::rejected);
      CHECK(error->http_status == row.status);
      CHECK(error->message.starts_with("no"));
    }
    CHECK(both.service_code == shape);
    CHECK(by_shape.service_code == shape);
    CHECK(by_query.service_code == row.query_code);
    CHECK(is_missing_queue(both) == (shape == "QueueDoesNotExist"));
    CHECK(is_missing_queue(by_query) == (shape == "QueueDoesNotExist"));
  }
}

TEST_CASE("every throttle is one under 400, 403, 429 and 503, and a refusal") {
  for (const char* code :
       {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled",
        "TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException",
        "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "SlowDown",
        "PriorRequestNotComplete", "EC2ThrottledException", "KmsThrottled", "KMS.ThrottlingException"})
    for (const int status : {400, 403, 429, 503}) {
      const Error error = read(json_answer(status, code, ""));
      CHECK_MESSAGE(error.kind == ErrorKind::throttled, code);
      CHECK(error.delivery == DeliveryState::rejected);
    }
  CHECK(read({.status = 429, .body = "slow"}).kind == ErrorKind::throttled);
  CHECK(read(json_answer(400, "Unheard", "Throttling")).kind == ErrorKind::throttled);
}

TEST_CASE("what the service blames on itself is unknown") {
  for (const int status : {500, 502, 503, 504, 599}) {
    const Error error = read({.status = status, .body = "<html>"});
    CHECK(error.kind == ErrorKind::unavailable);
    CHECK(error.delivery == DeliveryState::unknown);
  }
  for (const char* code :
       {"InternalError", "InternalFailure", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException"}) {
    const Error error = read(json_answer(400, code, ""));
    CHECK_MESSAGE(error.kind == ErrorKind::unavailable, code);
    CHECK(error.delivery == DeliveryState::unknown);
  }
  Response response = json_answer(400, "com.amazonaws.sqs#Something", "");
  response.headers.add("x-amzn-query-error", "Something;Receiver");
  CHECK(read(response).delivery == DeliveryState::unknown);
  CHECK(read({.status = 400, .body = R"({"Error":{"Code":"X","Type":"Receiver"}})"}).delivery ==
        DeliveryState::unknown);
}

TEST_CASE("an entry's SenderFault decides where its code says nothing") {
  CHECK(to_error({.code = "InvalidParameterValue", .senders = true}).delivery == DeliveryState::rejected);
  CHECK(to_error({.code = "InvalidParameterValue", .senders = false}).delivery == DeliveryState::unknown);
  CHECK(to_error({.code = "InternalError", .senders = false}).kind == ErrorKind::unavailable);
  CHECK(to_error({.code = "RequestThrottled", .senders = false}).kind == ErrorKind::throttled);
  CHECK(to_error({.code = "RequestThrottled", .senders = false}).delivery == DeliveryState::rejected);
}

TEST_CASE("an answer without a name is judged by its status") {
  const auto kind = [](int status) { return read({.status = status, .body = "<html>"}).kind; };
  CHECK(kind(400) == ErrorKind::rejected);
  CHECK(kind(401) == ErrorKind::authentication);
  CHECK(kind(403) == ErrorKind::authorization);
  CHECK(kind(413) == ErrorKind::rejected);
  CHECK(kind(429) == ErrorKind::throttled);
}

TEST_CASE("a redirect comes from something else than SQS, and may mean anything") {
  for (const int status : {301, 302, 303, 307, 308, 100}) {
    const Error error = read({.status = status, .body = R"({"message":"over there"})"});
    CHECK(error.kind == ErrorKind::configuration);
    CHECK(error.delivery == DeliveryState::unknown);
    CHECK(error.message.find("redirects are not followed") != std::string::npos);
  }
}

TEST_CASE("an error carries request id and wait") {
  Response response = json_answer(403, "RequestThrottled", "");
  response.headers.add("x-amzn-RequestId", "r1");
  response.headers.add("x-amz-retry-after", "250");
  const Error error = read(response);
  CHECK(error.request_id == "r1");
  CHECK(error.retry_after == std::chrono::milliseconds(250));
}

TEST_CASE("the text says what to do, and may stand under either name") {
  CHECK(read({.status = 400, .body = R"({"__type":"QueueDoesNotExist","Message":"gone."})"}).message ==
        "gone; check the queue URL, the region and the queue's settings");
  CHECK(read(json_answer(403, "AccessDeniedException", "")).message.find("policies") != std::string::npos);
  CHECK(read(json_answer(403, "InvalidSignatureException", "")).message.find("clock") != std::string::npos);
  CHECK(read(json_answer(400, "Throttling", "")).message.find("send less") != std::string::npos);
  CHECK(read({.status = 400, .body = "{}"}).message == "SQS refuses the request");
}

TEST_CASE("of a long text the beginning is kept, in whole characters, of several lines the first") {
  const std::string text = std::string(499, 'x') + "\xC3\xA4\xC3\xA4";
  const Error error = to_error({.code = "X", .text = text, .status = 400});
  CHECK(error.message == std::string(499, 'x'));
  CHECK(to_error({.code = std::string(5000, 'c'), .status = 400}).service_code.size() == 500);
  const Error signature = read(
      {.status = 403,
       .body = R"({"__type":"InvalidSignatureException","message":"The signature does not match.\n\nThe Canonical )"
               R"(String for this request should have been\n'POST\nx-amz-security-token:hunter2'"})"});
  CHECK(signature.message.starts_with("The signature does not match;"));
  CHECK(signature.message.find("hunter2") == std::string::npos);
}

TEST_CASE("odd answers are errors without a name, not crashes") {
  for (const char* body : {"", "{", "[]", "7", "null", R"({"__type":7})", R"({"__type":""})", R"({"__type":"#"})",
                           R"({"__type":":"})", R"({"Error":"x"})", R"({"Error":{}})", R"({"Error":{"Code":7}})"}) {
    CAPTURE(body);
    const Error error = read({.status = 400, .body = body});
    CHECK(error.kind == ErrorKind::rejected);
    CHECK(error.service_code.empty());
  }
}
