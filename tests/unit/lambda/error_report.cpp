#include <dmq/lambda/error_report.hpp>

#include <doctest/doctest.h>

#include <string>

#include <support/parser.hpp>

using dmq::lambda::Blame;
using dmq::lambda::error_report;

TEST_CASE("an error report names the error and says what happened") {
  const dmq::Error error{.kind = dmq::ErrorKind::configuration, .message = "SQS_QUEUE_URL is \"missing\""};
  CHECK(dmq::lambda::error_type(error, Blame::function) == "Function.configuration");
  CHECK(error_report(error, Blame::runtime) ==
        R"({"errorMessage":"configuration (not_sent): SQS_QUEUE_URL is \"missing\"",)"
        R"("errorType":"Runtime.configuration","stackTrace":[]})");
}

TEST_CASE("an error report is JSON whatever the message is") {
  const std::string odd = std::string("a\xFF b\xE2\x82 c\n\x01 é", 13) + std::string(1, '\0');
  dmq::json::Document document;
  CHECK(support::parse(error_report({.message = odd}, Blame::function), document).has_value());
  CHECK(document.root()["errorMessage"].string() == "protocol (not_sent): a? b?? c   é ");
}
