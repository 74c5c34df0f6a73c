#include <dmq/testing/sqs_permissions.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <support/cloud.hpp>

using namespace std::chrono_literals;
using support::Cloud;
using support::Json;

namespace {

struct Permissions : Cloud {
  dmq::http::Response add(std::string_view label, std::string_view accounts = R"("111111111111")",
                          std::string_view actions = R"("ReceiveMessage")") {
    return call("AddPermission", "\"Label\":\"" + std::string(label) + "\",\"AWSAccountIds\":[" +
                                     std::string(accounts) + "],\"Actions\":[" + std::string(actions) + "]");
  }
  dmq::http::Response remove(std::string_view label) {
    return call("RemovePermission", "\"Label\":\"" + std::string(label) + "\"");
  }
  std::string policy() {
    const Json told(call("GetQueueAttributes", R"("AttributeNames":["Policy"])").body);
    return std::string(told["Attributes"]["Policy"].string().value_or(""));
  }
};

void check_refused(const dmq::http::Response& response, int status, std::string_view code, std::string_view message) {
  CHECK(response.status == status);
  CHECK(response.headers.get("x-amzn-query-error") == std::string(code) + ";Sender");
  CHECK(Json(response.body)["message"].string() == message);
}

constexpr std::string_view begin =
    R"({"Version":"2008-10-17","Id":"arn:aws:sqs:us-east-1:000000000000:dmq.fifo/SQSDefaultPolicy","Statement":[)";
constexpr std::string_view resource = R"(,"Resource":"arn:aws:sqs:us-east-1:000000000000:dmq.fifo"})";

}  // namespace

TEST_CASE("a permission is a statement of the queue's policy, as AWS writes it") {
  Permissions cloud;
  const auto added = cloud.add("one", R"("111111111111","668614515564")");
  CHECK(added.status == 200);
  CHECK(added.body.empty());
  const std::string one = R"({"Sid":"one","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:root",)"
                          R"("arn:aws:iam::668614515564:root"]},"Action":"SQS:ReceiveMessage")" +
                          std::string(resource);
  CHECK(cloud.policy() == std::string(begin) + one + "]}");
  cloud.add("two", R"("111111111111")", R"("*","SendMessage")");
  const std::string two = R"({"Sid":"two","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},)"
                          R"("Action":["SQS:*","SQS:SendMessage"])" +
                          std::string(resource);
  CHECK(cloud.policy() == std::string(begin) + one + "," + two + "]}");
  CHECK(cloud.remove("one").body.empty());
  CHECK(cloud.policy() == std::string(begin) + two + "]}");
  CHECK(cloud.remove("two").status == 200);
  CHECK(cloud.call("GetQueueAttributes", R"("AttributeNames":["Policy"])").body == "{}");
}

TEST_CASE("a policy that was set keeps what is its own") {
  Permissions cloud;
  const std::string own =
      R"({\"Version\":\"2012-10-17\", \"Statement\":{\"Sid\":\"\",\"Condition\":{\"x\":[1,true,null]}}})";
  CHECK(cloud.call("SetQueueAttributes", "\"Attributes\":{\"Policy\":\"" + own + "\"}").status == 200);
  CHECK(cloud.policy() == R"({"Version":"2012-10-17", "Statement":{"Sid":"","Condition":{"x":[1,true,null]}}})");
  CHECK(cloud.add("one").status == 200);
  CHECK(cloud.policy().starts_with(
      R"({"Version":"2012-10-17","Statement":[{"Sid":"","Condition":{"x":[1,true,null]}},{"Sid":"one")"));
  CHECK(cloud.remove("one").status == 200);
  CHECK(cloud.policy() == R"({"Version":"2012-10-17","Statement":[{"Sid":"","Condition":{"x":[1,true,null]}}]})");
}

TEST_CASE("permissions that AWS refuses are refused") {
  Permissions cloud;
  CHECK(cloud.add("one").status == 200);
  check_refused(cloud.add("one", R"("668614515564")"), 400, "InvalidParameterValue",
                "Value one for parameter Label is invalid. Reason: Already exists.");
  check_refused(cloud.remove("two"), 400, "InvalidParameterValue",
                "Value two for parameter Label is invalid. Reason: can't find label.");
  check_refused(cloud.add("two", R"("111111111111")", R"("RemovePermission")"), 400, "InvalidParameterValue",
                "Value SQS:RemovePermission for parameter ActionName is invalid. Reason: Only the queue owner is "
                "allowed to invoke this action.");
  check_refused(cloud.add("two", R"("111111111111")",
                          R"("*","SendMessage","ReceiveMessage","DeleteMessage","PurgeQueue","GetQueueUrl",)"
                          R"("GetQueueAttributes","ChangeMessageVisibility")"),
                403, "OverLimit", "8 Actions were found, maximum allowed is 7.");
  check_refused(cloud.add("two", R"("111111111111")", ""), 400, "MissingParameter",
                "The request must contain the parameter Actions.");
  CHECK(cloud.add("two", R"("11111111111")").status == 400);
  CHECK(cloud.add("two", R"("11111111111x")").status == 400);
  CHECK(cloud.add("two", "").status == 400);
  CHECK(cloud.add("").status == 400);
  CHECK(cloud.add("a b").status == 400);
  CHECK(cloud.add(std::string(81, 'a')).status == 400);
  CHECK(cloud.add(std::string(80, 'a')).status == 200);
}

TEST_CASE("a permission changes the time of the last modification") {
  Permissions cloud;
  cloud.now = cloud.now + 90s;
  cloud.add("one");
  const Json told(cloud.call("GetQueueAttributes", R"("AttributeNames":["All"])").body);
  CHECK(told["Attributes"]["LastModifiedTimestamp"].string() == "1767225690");
}
