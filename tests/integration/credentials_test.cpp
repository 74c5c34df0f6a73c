#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/auth/credentials_chain.hpp>
#include <dmq/crypto/random_ids.hpp>
#include <dmq/http/curl_transport.hpp>
#include <dmq/log_observer.hpp>
#include <dmq/producer.hpp>
#include <dmq/sqs/send_route.hpp>
#include <support/credentials.hpp>
#include <support/keys_server.hpp>
#include <support/leaping_clock.hpp>
#include <support/temporary_directory.hpp>

using namespace std::chrono_literals;
using dmq::Environment;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Result;
using dmq::auth::Credentials;
using dmq::auth::CredentialsChain;
using dmq::auth::Fetched;
using dmq::testing::ManualClock;
using support::KeysServer;
using support::LeapingClock;
using Gives = KeysServer::Gives;

namespace {

/// CurlTransport, but that it finds the containers' address on the test's server, and waits for less.
class Detour {
 public:
  explicit Detour(std::string origin, dmq::Duration longest = 1h) : origin_(std::move(origin)), longest_(longest) {}

  Result<dmq::http::Response> send(const dmq::http::Request& request, std::stop_token stop) {
    constexpr std::string_view container = "http://169.254.170.2/";
    dmq::http::Request changed = request;
    if (changed.url.starts_with(container)) changed.url = origin_ + changed.url.substr(container.size() - 1);
    changed.timeout = std::min(changed.timeout, longest_);
    return curl_.send(changed, std::move(stop));
  }

 private:
  dmq::http::CurlTransport curl_;
  std::string origin_;
  dmq::Duration longest_;
};

/// A place that keys come from, set up for a server. Everything secret in it begins with "hunter".
struct Place {
  std::string name{};
  Environment::Values values{};
  ErrorKind refused = ErrorKind::configuration;
  bool is_last_resort = false;  ///< Then it can't be told from no place at all.
};

constexpr const char* key_lines =
    "aws_access_key_id = AKID\naws_secret_access_key = hunter2-file\naws_session_token = hunter2-t\n";

class Places {
 public:
  explicit Places(const std::string& origin) : origin_(origin) {}

  /// Those that ask a server.
  std::vector<Place> remote() const {
    const std::string token = directory_.write("token", "hunter2-token");
    return {
        {"container, relative URI",
         {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/container"},
          {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "hunter2-token"}}},
        {"container, full URI",
         {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", origin_ + "/container"},
          {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token}}},
        {"instance", {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", origin_}}, ErrorKind::configuration, true},
        {"web identity",
         {{"AWS_WEB_IDENTITY_TOKEN_FILE", token}, {"AWS_ROLE_ARN", "arn"}, {"AWS_ENDPOINT_URL_STS", origin_}},
         ErrorKind::authorization},
        {"role by keys",
         in_home("role", "[default]\nrole_arn = arn\nsource_profile = base\n[profile base]\n" + std::string(key_lines)),
         ErrorKind::authorization},
    };
  }

  /// Those that don't, and whether they have keys.
  std::vector<std::pair<Place, bool>> local() const {
    const Environment::Values key{{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "hunter2"}};
    Environment::Values expired = key;
    expired["AWS_CREDENTIAL_EXPIRATION"] = "2025-01-01T00:00:00Z";
    const std::string json =
        R"({"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"hunter2","SessionToken":"hunter3","Expiration":")";
    const auto program = [&](const std::string& name, const std::string& script) {
      return Place{name,
                   in_home(name, "[default]\ncredential_process = sh '" + directory_.write(name, script) + "'\n")};
    };
    return {
        {{"environment", key}, true},
        {{"expired environment", expired}, false},
        {{"half a key", {{"AWS_SECRET_ACCESS_KEY", "hunter2"}}}, false},
        {{"credentials file", in_home("a", "", "[default]\n" + std::string(key_lines))}, true},
        {{"config file", in_home("b", "[default]\n" + std::string(key_lines))}, true},
        {{"half a key in a file", in_home("c", "[default]\naws_secret_access_key = hunter2\n")}, false},
        {{"broken file", in_home("d", "[default]\nhunter2\n")}, false},
        {{"token with a line break",
          {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/container"},
           {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "hunter2\r\nhunter3"}}},
         false},
        {program("good-program", "echo '" + json + "2026-01-01T06:00:00Z\"}'"), true},
        {program("expired-program", "echo '" + json + "2025-01-01T06:00:00Z\"}'"), false},
        {program("failing-program", "echo '" + json + "\"}'; echo no login >&2; exit 1"), false},
        {program("broken-program", "echo '" + json + "'"), false},
        {program("slow-program", "echo hunter2; kill -9 $$"), false},
        {{"single sign-on", in_home("e", "[default]\nsso_session = x\n" + std::string(key_lines))}, false},
    };
  }

 private:
  Environment::Values in_home(const std::string& name, const std::string& config,
                              const std::string& credentials = "") const {
    directory_.write("homes/" + name + "/.aws/config", config);
    directory_.write("homes/" + name + "/.aws/credentials", credentials);
    return {{"HOME", directory_.path("homes/" + name)}, {"AWS_ENDPOINT_URL_STS", origin_}};
  }

  support::TemporaryDirectory directory_;
  std::string origin_;
};

CredentialsChain chain(Environment::Values values) {
  values.emplace("AWS_REGION", "eu-central-1");
  values.emplace("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9");
  return {{.environment = Environment::of(std::move(values)), .sleep = support::no_sleep()}, support::parse_json};
}

Result<Fetched<Credentials>> fetch(const Place& place, Detour transport, std::stop_token stop = {}) {
  return chain(place.values).fetch(transport, ManualClock::default_start, std::move(stop));
}

/// How a fetch from a place fails.
Error failure(const Place& place, KeysServer& server, Gives gives, dmq::Duration longest = 1h) {
  server.give(gives);
  const auto keys = fetch(place, Detour(server.origin(), longest));
  REQUIRE_FALSE(keys);
  CHECK_FALSE(support::holds_secret(keys.error().describe()));
  return keys.error();
}

template <class Clock, class Observer>
auto producer(const Place& place, const std::string& origin, Clock clock, Observer observer,
              dmq::Duration longest = 1h) {
  dmq::PublishSettings settings;
  settings.new_id = dmq::crypto::RandomIds();
  return dmq::Producer(Detour(origin, longest),
                       dmq::sqs::SendRoute({origin, support::parse_json}, origin + "/1/q.fifo"),
                       dmq::auth::SigV4(chain(place.values), {.region = "eu-central-1", .service = "sqs"}),
                       std::move(settings), std::move(clock), std::move(observer));
}

}  // namespace

TEST_SUITE("credentials") {
  TEST_CASE("each place gives its keys") {
    KeysServer server;
    const Places places(server.origin());
    for (const Place& place : places.remote()) {
      CAPTURE(place.name);
      const auto keys = fetch(place, Detour(server.origin()));
      REQUIRE(keys);
      CHECK(keys->value.access_key_id == "ASIA");
      CHECK(keys->value.secret_access_key.reveal() == "hunter2");
      CHECK(keys->value.session_token.reveal() == "hunter3");
      CHECK(keys->lifetime == 6h);
    }
    for (const auto& [place, has_keys] : places.local()) {
      CAPTURE(place.name);
      const auto keys = fetch(place, Detour(server.origin()));
      CHECK(keys.has_value() == has_keys);
      if (keys) CHECK(keys->value.access_key_id == "AKID");
    }
  }

  TEST_CASE("an instance without session tokens is asked by version 1") {
    KeysServer server;
    server.set_token_status(404);
    const Place place{"instance", {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", server.origin()}}};
    CHECK(fetch(place, Detour(server.origin())).value().value.access_key_id == "ASIA");
    Place strict = place;
    strict.values["AWS_EC2_METADATA_V1_DISABLED"] = "true";
    CHECK(fetch(strict, Detour(server.origin())).error().kind == ErrorKind::configuration);
  }

  TEST_CASE("each place refuses") {
    KeysServer server;
    const Places places(server.origin());
    for (const Place& place : places.remote()) {
      CAPTURE(place.name);
      const Error error = failure(place, server, Gives::refusal);
      CHECK(to_string(error.kind) == to_string(place.refused));
      CHECK(error.http_status == 403);
      CHECK(to_string(failure(place, server, Gives::trouble).kind) == to_string(ErrorKind::unavailable));
      CHECK(to_string(failure(place, server, Gives::an_echo).kind) == to_string(ErrorKind::configuration));
    }
  }

  TEST_CASE("each place gives keys that have expired, which only an instance's are used for all that") {
    KeysServer server;
    const Places places(server.origin());
    for (const Place& place : places.remote()) {
      CAPTURE(place.name);
      if (place.is_last_resort) {
        server.give(Gives::expired_keys);
        const auto keys = fetch(place, Detour(server.origin()));
        REQUIRE(keys);
        CHECK(keys->lifetime >= 17min);
        CHECK(keys->lifetime < 25min);
      } else {
        const Error error = failure(place, server, Gives::expired_keys);
        CHECK(to_string(error.kind) == to_string(ErrorKind::protocol));
        CHECK(error.message.find("have expired") != std::string::npos);
      }
    }
  }

  TEST_CASE("each place takes longer than it may") {
    KeysServer server;
    const Places places(server.origin());
    for (const Place& place : places.remote()) {
      CAPTURE(place.name);
      const Error error = failure(place, server, Gives::nothing, 200ms);
      CHECK(to_string(error.kind) == to_string(place.is_last_resort ? ErrorKind::configuration : ErrorKind::timeout));
      CHECK(error.message.find("within the time limit") != std::string::npos);
    }
  }

  TEST_CASE("the time limits of an instance's metadata service hold on a real connection") {
    KeysServer server;
    server.give(Gives::nothing);
    const Place place{"instance", {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", server.origin()}}};
    const auto keys = fetch(place, Detour(server.origin()));
    REQUIRE_FALSE(keys);
    CHECK(keys.error().message.find("did not answer within the time limit") != std::string::npos);
    CHECK(server.asked() == 1);
  }

  TEST_CASE("each place gives what is broken") {
    KeysServer server;
    const Places places(server.origin());
    for (const Place& place : places.remote()) {
      CAPTURE(place.name);
      CHECK(to_string(failure(place, server, Gives::nonsense).kind) == to_string(ErrorKind::protocol));
      const Error cut = failure(place, server, Gives::half_an_answer);
      CHECK(to_string(cut.kind) == to_string(place.is_last_resort ? ErrorKind::configuration : ErrorKind::network));
    }
  }

  TEST_CASE("a stop ends the wait for each place") {
    for (std::size_t i = 0; i < 5; ++i) {
      KeysServer server;
      const Places places(server.origin());
      const Place place = places.remote()[i];
      CAPTURE(place.name);
      server.give(Gives::nothing);
      std::stop_source stop;
      std::jthread stopper([&] {
        server.wait_for_requests(place.is_last_resort ? 3 : 1);
        stop.request_stop();
      });
      const auto keys = fetch(place, Detour(server.origin()), stop.get_token());
      REQUIRE_FALSE(keys);
      CHECK(to_string(keys.error().kind) == to_string(ErrorKind::cancelled));
    }
  }

  TEST_CASE("where nothing listens, the error tells all that was asked") {
    const auto keys = fetch({"nowhere", {}}, Detour("http://127.0.0.1:9"));
    REQUIRE_FALSE(keys);
    CHECK(to_string(keys.error().kind) == to_string(ErrorKind::configuration));
    CHECK(keys.error().message.starts_with("no AWS credentials were found: environment: "));
    CHECK(keys.error().message.find("; instance: can't connect to 127.0.0.1:9") != std::string::npos);
  }

  TEST_CASE("keys are fetched anew five minutes before their end, and used on while that fails") {
    KeysServer server;
    const Places places(server.origin());
    for (const Place& place : places.remote()) {
      CAPTURE(place.name);
      const std::size_t before = server.asked();
      LeapingClock clock;
      server.give(Gives::keys);
      server.set_expiration("2026-01-01T01:00:00Z");
      auto sender = producer(place, server.origin(), clock, dmq::NoObserver{});
      const auto publish = [&] { return sender.publish({.body = "hello", .group = "g"}); };
      CHECK(publish());
      clock.advance(54min);
      CHECK(publish());
      CHECK(server.asked() == before + 1);
      clock.advance(90s);
      server.give(Gives::refusal);
      CHECK(publish());
      CHECK(server.asked() == before + 2);
      clock.advance(2min);
      server.give(Gives::keys);
      server.set_expiration("2026-01-01T02:00:00Z");
      CHECK(publish());
      CHECK(server.asked() == before + 3);
      clock.advance(2h);
      server.give(Gives::refusal);
      const auto late = publish();
      REQUIRE_FALSE(late);
      CHECK(to_string(late.error().kind) == to_string(place.refused));
      CHECK(late.error().delivery == dmq::DeliveryState::not_sent);
    }
  }

  TEST_CASE("no secret is in any event, error or line of the log") {
    KeysServer server;
    const Places places(server.origin());
    std::string told;
    std::size_t events = 0;
    std::size_t published = 0;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> log(std::tmpfile(), std::fclose);
    REQUIRE(log != nullptr);
    const auto attempt = [&](const Place& place, dmq::Duration longest) {
      const dmq::LogObserver logger(log.get(), dmq::Level::debug);
      const auto observer = [&](const dmq::Event& event) noexcept {
        logger(event);
        ++events;
        told.append(event.operation).append(" ").append(event.request_id).append(" ").append(event.message_id);
        if (event.error == nullptr) return;
        told.append(event.error->describe()).append(event.error->service_code).append(event.error->request_id);
      };
      auto sender = producer(place, server.origin(), LeapingClock(), observer, longest);
      const auto result = sender.publish({.body = "hello", .group = "g"});
      published += result ? 1 : 0;
      if (!result) told.append(result.error().describe()).append(result.error().service_code);
    };

    const Gives all[] = {Gives::keys,    Gives::expired_keys,   Gives::refusal,  Gives::trouble,
                         Gives::nothing, Gives::half_an_answer, Gives::nonsense, Gives::an_echo};
    for (const Gives gives : all) {
      server.give(gives);
      for (const Place& place : places.remote()) attempt(place, gives == Gives::nothing ? 100ms : 1h);
    }
    for (const auto& [place, has_keys] : places.local()) attempt(place, 1h);

    std::rewind(log.get());
    for (int c; (c = std::fgetc(log.get())) != EOF;) told.push_back(static_cast<char>(c));
    CHECK(events > 100);
    CHECK(published == 10);
    CHECK(told.find("no login") != std::string::npos);
    CHECK_FALSE(support::holds_secret(told));
    // The secrets were there to be told.
    std::size_t carriers = 0;
    for (const std::string& request : server.seen()) carriers += support::holds_secret(request) ? 1 : 0;
    CHECK(carriers > 30);
  }
}
