#pragma once

#include <support/parser.hpp>

#include <chrono>
#include <string>
#include <string_view>

#include <dmq/auth/credentials.hpp>
#include <dmq/auth/metadata_request.hpp>
#include <dmq/http/message.hpp>
#include <dmq/testing/manual_clock.hpp>

/// What the tests of sources of credentials have in common. The time is 2026-01-01T00:00:00Z.
namespace support {

inline dmq::Result<void> parse_json(std::string_view text, dmq::json::Document& document, dmq::json::Limits limits) {
  return parse(text, document, limits);
}

/// Keys as metadata services give them.
inline std::string metadata_keys(std::string_view expiration = "2026-01-01T06:00:00Z") {
  return R"({"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"hunter2","Token":"hunter3","Expiration":")" +
         std::string(expiration) + R"("})";
}

/// Keys as STS gives them.
inline std::string sts_keys(std::string_view action, std::string_view expiration = "2026-01-01T01:00:00Z",
                            std::string_view id = "ASIA") {
  const std::string name(action);
  return "<" + name + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" + name +
         "Result><Credentials><AccessKeyId>" + std::string(id) +
         "</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey><SessionToken>hunter3</SessionToken><Expiration>" +
         std::string(expiration) + "</Expiration></Credentials></" + name + "Result></" + name + "Response>";
}

inline std::string sts_error(std::string_view code) {
  return "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>" +
         std::string(code) +
         "</Code><Message>hunter2 &amp; hunter3</Message></Error><RequestId>r</RequestId></ErrorResponse>";
}

/// Waits for nothing.
inline dmq::auth::Sleep no_sleep() {
  return [](dmq::Duration, std::stop_token stop) { return !stop.stop_requested(); };
}

inline bool holds_secret(const std::string& text) {
  return text.find("hunter") != std::string::npos;
}

}  // namespace support
