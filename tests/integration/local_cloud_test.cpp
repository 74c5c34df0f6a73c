#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/environment.hpp>
#include <dmq/http/curl_transport.hpp>
#include <support/certificates.hpp>
#include <support/cloud.hpp>
#include <support/local_cloud_program.hpp>
#include <support/raw_client.hpp>

using namespace std::chrono_literals;
using support::Json;
using support::LocalCloudProgram;
using support::RawClient;
using support::wire_text;
namespace http = dmq::http;

namespace {

const std::string send_hello = R"("MessageGroupId":"g","MessageDeduplicationId":"1","MessageBody":"hello")";
const std::string jwks = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

dmq::Result<http::Response> send(const http::Request& request) {
  http::CurlTransport transport;
  return transport.send(request);
}

/// A directory that goes with it.
class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dmq-cloud-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::terminate();
    path_ = pattern;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) found.push_back(entry.path().filename());
    return found;
  }

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The exit status and standard error of a program that does not become ready.
std::pair<int, std::string> refusal(const std::vector<std::string>& arguments) {
  LocalCloudProgram program(arguments);
  CHECK_FALSE(program.ready());
  return {program.wait(), program.errors()};
}

/// A long poll that the program has in hand.
std::unique_ptr<RawClient> begin_poll(const LocalCloudProgram& program) {
  auto client = std::make_unique<RawClient>(program.port());
  // The answer to the first request shows that this thread of the program comes to the second one next.
  client->write(jwks + wire_text(program.call("ReceiveMessage", "\"WaitTimeSeconds\":20")));
  CHECK(client->read_answer().starts_with("HTTP/1.1 200 "));
  return client;
}

}  // namespace

TEST_SUITE("local_cloud") {
  TEST_CASE("a signal ends it at once, with a long poll waiting and an idle connection") {
    for (const int signal : {SIGTERM, SIGINT}) {
      LocalCloudProgram program({});
      RawClient idle(program.port());
      const auto poll = begin_poll(program);
      CHECK(program.stop(signal) == 0);
      CHECK(poll->read_all().starts_with("HTTP/1.1 503 "));
      CHECK(program.errors().empty());
    }
  }

  TEST_CASE("the poll of a client that hung up takes no message") {
    LocalCloudProgram program({});
    const auto poll = begin_poll(program);
    poll->finish();
    CHECK(poll->read_all().starts_with("HTTP/1.1 503 "));
    CHECK(send(program.call("SendMessage", send_hello))->status == 200);
    const auto answer = send(program.call("ReceiveMessage", R"("MessageSystemAttributeNames":["All"])"));
    const Json json(answer->body);
    REQUIRE(json["Messages"].size() == 1);
    CHECK((*json["Messages"].begin())["Attributes"]["ApproximateReceiveCount"].string() == "1");
  }

  TEST_CASE("of connections beyond the bound the first request is answered 503") {
    LocalCloudProgram program({"--connections", "2"});
    const auto ask = [](RawClient& client) { return client.write(jwks), client.read_answer(); };
    RawClient first(program.port());
    auto second = std::make_unique<RawClient>(program.port());
    CHECK(ask(first).starts_with("HTTP/1.1 200 "));
    CHECK(ask(*second).starts_with("HTTP/1.1 200 "));
    const std::string refused = ask(*std::make_unique<RawClient>(program.port()));
    CHECK(refused.starts_with("HTTP/1.1 503 "));
    CHECK(refused.find("Connection: close") != std::string::npos);
    CHECK(refused.find("All connections that this server allows are in use") != std::string::npos);
    CHECK(ask(first).starts_with("HTTP/1.1 200 "));
    second.reset();
    while (!ask(*std::make_unique<RawClient>(program.port())).starts_with("HTTP/1.1 200 ")) {
    }
  }

  TEST_CASE("what is no request gets an answer, and the connection ends") {
    LocalCloudProgram program({});
    const auto answer = [&](const std::string& bytes) {
      RawClient client(program.port());
      client.write(bytes);
      return client.read_all();
    };
    CHECK(answer("\x01\x02 what\r\n\r\n").starts_with("HTTP/1.1 400 "));
    CHECK(answer("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 414 "));
    std::string ranges = "GET / HTTP/1.1\r\nConnection: close\r\nRange: bytes=0-0";
    for (int i = 0; i < 1900; ++i) ranges.append(",1-1");
    const std::string refused = answer(ranges + "\r\n\r\n");
    CHECK(refused.starts_with("HTTP/1.1 403 "));
    CHECK(refused.size() < 1000);
    CHECK(program.stop() == 0);
  }

  TEST_CASE("with a certificate and its key it serves https") {
    support::Certificates certificates;
    const auto files = certificates.server("ca", "IP:127.0.0.1");
    LocalCloudProgram program({"--tls", files.certificate, files.key});
    CHECK(program.origin().starts_with("https://127.0.0.1:"));
    CHECK(program.variable("COGNITO_TOKEN_URL") == program.origin() + "/oauth2/token");
    http::CurlTransport transport({.ca_file = certificates.authority("ca")});
    CHECK(transport.send(program.call("SendMessage", send_hello)).value().status == 200);
    const auto received = transport.send(program.call("ReceiveMessage", "")).value();
    CHECK((*Json(received.body)["Messages"].begin())["Body"].string() == "hello");
    CHECK(program.stop() == 0);
  }

  TEST_CASE("a certificate or key that is of no use ends it with its name") {
    support::Certificates certificates;
    const auto files = certificates.server("ca", "IP:127.0.0.1");
    const auto other = certificates.server("ca", "IP:127.0.0.1");
    const auto [status, errors] = refusal({"--tls", "/nowhere/cert.pem", files.key});
    CHECK(status == 1);
    CHECK(errors.find("/nowhere/cert.pem") != std::string::npos);
    const auto [other_status, other_errors] = refusal({"--tls", files.certificate, other.key});
    CHECK(other_status == 1);
    CHECK(other_errors.find(other.key) != std::string::npos);
  }

  TEST_CASE("the environment goes into a file that only its owner may read") {
    const Directory directory;
    const std::string file = directory.file("cloud.env");
    std::ofstream(file) << "OLD=1\n";
    std::filesystem::permissions(file, std::filesystem::perms::all);
    LocalCloudProgram program({"--seed-env", file});
    CHECK(dmq::Environment::parse(read_file(file), file).value() == program.environment());
    CHECK(std::filesystem::status(file).permissions() ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    CHECK(directory.names() == std::vector<std::string>{"cloud.env"});
    const auto [status, errors] = refusal({"--seed-env", directory.file("none/cloud.env")});
    CHECK(status == 1);
    CHECK(errors.find("none/cloud.env") != std::string::npos);
  }

  TEST_CASE("answers are delayed by the latency asked for") {
    LocalCloudProgram program({"--latency", "50"});
    const auto begin = std::chrono::steady_clock::now();
    CHECK(send(program.call("SendMessage", send_hello))->status == 200);
    CHECK(std::chrono::steady_clock::now() - begin >= 50ms);
  }

  TEST_CASE("tokens are revoked every so often") {
    LocalCloudProgram program({"--revoke-tokens", "1"});
    http::Request token{.method = http::Method::post, .url = program.variable("COGNITO_TOKEN_URL")};
    token.headers.add("Content-Type", "application/x-www-form-urlencoded");
    token.body = "grant_type=client_credentials&client_id=" + program.variable("COGNITO_CLIENT_ID") +
                 "&client_secret=" + program.variable("COGNITO_CLIENT_SECRET");
    const Json grant(send(token).value().body);
    http::Request publish{.method = http::Method::post, .url = program.variable("API_URL"), .body = "hello"};
    publish.headers.add("Authorization", "Bearer " + std::string(grant["access_token"].string().value()));
    publish.headers.add("MessageGroupId", "g");
    publish.headers.add("MessageDeduplicationId", "1");
    http::CurlTransport transport;
    int status = 0;
    do status = transport.send(publish).value().status;
    while (status == 200);
    CHECK(status == 401);
  }

  TEST_CASE("faults") {
    struct Expected {
      std::string name{};
      std::optional<int> status{};  ///< Nothing: there is no answer.
    };
    for (const Expected& expected : {Expected{"lost-request"}, Expected{"lost-reply"}, Expected{"throttle", 403},
                                     Expected{"timeout"}, Expected{"internal-error", 500}}) {
      CAPTURE(expected.name);
      LocalCloudProgram program({"--fault", expected.name + "=1", "--seed", "7"});
      http::Request request = program.call("SendMessage", send_hello);
      request.timeout = expected.name == "timeout" ? 300ms : 20s;
      const auto answer = send(request);
      CHECK(answer.has_value() == expected.status.has_value());
      if (answer) CHECK(answer->status == expected.status);
      if (!answer) CHECK(answer.error().delivery == dmq::DeliveryState::unknown);
      CHECK(program.stop() == 0);
      CHECK(program.errors() == expected.name + ": 1\n");
    }
  }

  TEST_CASE("the lost reply is there in part") {
    LocalCloudProgram program({"--fault", "lost-reply=1"});
    RawClient client(program.port());
    client.write(jwks);
    const std::string part = client.read_all();
    CHECK(part.starts_with("HTTP/1.1 200 "));
    CHECK_FALSE(part.ends_with("}"));
  }

  TEST_CASE("queues outlive a restart with a state file") {
    const Directory directory;
    const std::string file = directory.file("cloud.json");
    const auto message = [](int number) {
      const std::string text = std::to_string(number);
      return R"("MessageGroupId":"g","MessageDeduplicationId":"d)" + text + R"(","MessageBody":"m)" + text + "\"";
    };
    std::string handle;
    {
      LocalCloudProgram program({"--state", file});
      for (int i = 0; i < 4; ++i) CHECK(send(program.call("SendMessage", message(i)))->status == 200);
      const auto first = send(program.call("ReceiveMessage", ""));
      handle = (*Json(first->body)["Messages"].begin())["ReceiptHandle"].string().value();
      CHECK(program.stop() == 0);
    }
    CHECK(directory.names() == std::vector<std::string>{"cloud.json"});
    LocalCloudProgram program({"--state", file});
    // The group is still locked, a duplicate still known; the handle still deletes, which unlocks the group.
    CHECK(send(program.call("ReceiveMessage", ""))->body == "{}");
    CHECK(send(program.call("SendMessage", message(2)))->status == 200);
    CHECK(send(program.call("DeleteMessage", "\"ReceiptHandle\":\"" + handle + "\""))->status == 200);
    const auto rest = send(program.call("ReceiveMessage", "\"MaxNumberOfMessages\":10"));
    std::string bodies;
    const Json answer(rest->body);
    for (const auto received : answer["Messages"]) bodies.append(received["Body"].string().value()).append(" ");
    CHECK(bodies == "m1 m2 m3 ");
  }

  TEST_CASE("the state is saved while the program runs, and survives its being killed") {
    const Directory directory;
    const std::string file = directory.file("cloud.json");
    {
      LocalCloudProgram program({"--state", file});
      CHECK(send(program.call("SendMessage", send_hello))->status == 200);
      while (read_file(file).find("hello") == std::string::npos) {
      }
      CHECK(program.stop(SIGKILL) == -1);
    }
    LocalCloudProgram program({"--state", file});
    CHECK((*Json(send(program.call("ReceiveMessage", ""))->body)["Messages"].begin())["Body"].string() == "hello");
  }

  TEST_CASE("a state file that is damaged or of something else is refused, and stays as it is") {
    const Directory directory;
    const std::string file = directory.file("cloud.json");
    {
      LocalCloudProgram program({"--state", file});
      CHECK(send(program.call("SendMessage", send_hello))->status == 200);
      CHECK(program.stop() == 0);
    }
    const std::string good = read_file(file);
    std::string damaged = good;
    damaged.replace(damaged.find("hello"), 5, "jello");
    for (const auto& [text, says] : {std::pair(damaged, "its checksum is wrong"),
                                     {good.substr(0, good.size() - 10), "it is not JSON"},
                                     {std::string("{\"name\":\"other\"}"), "it is not the state of a local cloud"},
                                     {std::string(), "not JSON"}}) {
      std::ofstream(file) << text;
      const auto [status, errors] = refusal({"--state", file});
      CHECK(status == 1);
      CAPTURE(errors);
      CHECK(errors.find("cannot use the state file " + file) != std::string::npos);
      CHECK(errors.find(says) != std::string::npos);
      CHECK(read_file(file) == text);
    }
    CHECK(refusal({"--state", directory.file("")}).second.find("cannot read the state file") != std::string::npos);
    const auto [status, errors] = refusal({"--state", directory.file("none/cloud.json")});
    CHECK(status == 1);
    CHECK(errors.find("none/cloud.json") != std::string::npos);
  }

  TEST_CASE("arguments that make no sense are refused with an explanation") {
    struct Case {
      std::vector<std::string> arguments{};
      std::string_view says{};
    };
    for (const Case& refused :
         {Case{{"--what"}, "unknown argument --what"},
          Case{{"--fault", "typo=1"}, "lost-request, lost-reply, throttle"},
          Case{{"--fault", "throttle=1.5"}, "a rate from 0 to 1"}, Case{{"--fault", "throttle"}, "a rate from 0 to 1"},
          Case{{"--fault", "throttle=-0.1"}, "a rate from 0 to 1"}, Case{{"--fault", "throttle=nan"}, "a rate from 0"},
          Case{{"--tls", "cert.pem"}, "--tls needs two values"}, Case{{"--connections", "0"}, "from 1 to 30000"},
          Case{{"--latency", "soon"}, "must be a number"}, Case{{"--revoke-tokens", "0"}, "from 1 to 86400"}}) {
      const auto [status, errors] = refusal(refused.arguments);
      CHECK(status == 2);
      CAPTURE(errors);
      CHECK(errors.find(refused.says) != std::string::npos);
    }
  }
}
