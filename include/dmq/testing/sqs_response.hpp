#pragma once

#include <string>
#include <string_view>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/http/message.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_query.hpp>
#include <dmq/testing/sqs_query_json.hpp>
#include <dmq/testing/sqs_query_names.hpp>
#include <dmq/testing/sqs_xml.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// How an answer has to be written.
struct SqsReply {
  SqsProtocol protocol = SqsProtocol::json;
  std::string operation{};  ///< Matters where the answer is not an error.
};

namespace detail {
inline void write_json_response(http::Response& response, const SqsResult<std::string>& answer) {
  response.headers.add("Content-Type", "application/x-amz-json-1.0");
  if (answer) {
    response.body = *answer;
    return;
  }
  const SqsError& error = answer.error();
  response.headers.add("x-amzn-query-error", error.service_code + ";" + std::string(fault_of(error)));
  encoding::JsonWriter json(response.body);
  json.begin_object().key("__type").value(error.type).key("message").value(error.message).end_object();
}
}  // namespace detail

/// An answer of the JSON protocol, or an error, as the caller's protocol has it.
inline http::Response write_response(const SqsReply& reply, const SqsResult<std::string>& answer,
                                     std::string_view request_id, json::Parser parse) {
  http::Response response{.status = answer ? 200 : answer.error().http_status};
  response.headers.add("x-amzn-RequestId", request_id);
  if (reply.protocol == SqsProtocol::json) {
    detail::write_json_response(response, answer);
    return response;
  }
  const bool xml = reply.protocol == SqsProtocol::query_xml;
  response.headers.add("Content-Type", xml ? "text/xml" : "application/json");
  if (!answer) {
    response.body = xml ? xml_error(answer.error(), request_id) : query_json_error(answer.error(), request_id);
    return response;
  }
  json::Document document;
  if (!answer->empty()) parse(*answer, document, {}).value();
  response.body = xml ? xml_answer(reply.operation, document.root(), request_id)
                      : query_json_answer(reply.operation, document.root(), request_id);
  return response;
}

}  // namespace dmq::inline DMQ_ABI::testing
