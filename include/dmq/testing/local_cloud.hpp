#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/core/result.hpp>
#include <dmq/environment.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/url.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/cognito_model.hpp>
#include <dmq/testing/delayed_answers.hpp>
#include <dmq/testing/gateway_model.hpp>
#include <dmq/testing/gateway_options.hpp>
#include <dmq/testing/sqs_service.hpp>
#include <dmq/testing/timestamps.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What a cloud holds when it begins. The defaults make a client work that is given environment().
struct LocalCloudOptions {
  std::string account = "000000000000";
  std::string region = "us-east-1";
  std::map<std::string, QueueAttributes> queues = {{"dmq.fifo", high_throughput_fifo()}};
  std::vector<AppClient> clients = {AppClient{}};
  /// Without any, requests to SQS need not be signed.
  std::vector<AccessKey> access_keys = {AccessKey{.id = "AKIALOCALCLOUD000000", .secret = "local-cloud-secret-key"}};
  CognitoOptions cognito{};
  GatewayOptions gateway{};
  std::optional<RsaKey> signing_key{};  ///< Making one takes 100 ms: many clouds may share it.
  std::uint64_t seed = 1;               ///< Of message ids, request ids and the like.
  Instant started{};

  static QueueAttributes high_throughput_fifo() {
    return {{"FifoQueue", "true"},
            {"ContentBasedDeduplication", "true"},
            {"DeduplicationScope", "messageGroup"},
            {"FifoThroughputLimit", "perMessageGroupId"}};
  }
};

/// Cognito's token endpoint, an API Gateway in front of SQS, and SQS, in memory and without I/O. The path of a request
/// chooses among them, its host does not matter:
/// - `POST /oauth2/token`, `GET /.well-known/jwks.json` and `openid-configuration`, also below `/{pool}`;
/// - the gateway below its stage: `POST /v1/publish-queue`, `POST /v1/publish-queue/batch`;
/// - SQS on `/`, on the URLs of queues, `/{account}/{name}`, and wherever a header names an operation of it;
/// - all else gets what the gateway says to a wrong stage.
/// A value: a copy is a second world that goes on from here. Time is given with each call and must not go back. Not
/// thread-safe; CloudHost is.
class LocalCloud {
 public:
  LocalCloud(LocalCloudOptions options, json::Parser parser);

  /// The answer, or the id under which advance() will give it: to a long poll, or late from the gateway.
  Handled handle(const http::Request& request, Instant now);
  /// The answers that are due: call it after each handle() and at next_deadline().
  std::vector<Answered> advance(Instant now);
  /// When an answer may be due even if nothing else happens; nothing while no one waits for one.
  std::optional<Ticks> next_deadline() const;
  /// The caller of a long poll has hung up, and that was noticed. A poll that is not cancelled takes messages for
  /// nobody, as it does on AWS when the connection breaks unnoticed.
  void cancel(PollId id) {
    sqs_.cancel(id);
    delayed_.cancel(id);
  }

  /// What a client needs to use this cloud at `origin` ("http://127.0.0.1:9324"): names and values of its environment.
  Environment::Values environment(std::string_view origin) const;

  SqsResult<void> create_queue(const std::string& name, const QueueAttributes& attributes, Instant now);
  Result<void> add_client(AppClient client) { return cognito_.add_client(std::move(client)); }
  void add_access_key(AccessKey key) { sqs_.add_access_key(std::move(key)); }
  /// The gateway refuses all tokens issued so far.
  void revoke_tokens() { cognito_.revoke_tokens(); }
  GatewayOptions& gateway() noexcept { return gateway_.options; }
  /// Its options, and the keys that sign tokens.
  CognitoModel& cognito() noexcept { return cognito_; }

  /// The messages held, in the order of their sending; of all groups, or of one.
  std::vector<HeldMessage> messages(std::string_view queue, std::optional<std::string_view> group = {}) const;
  /// Null when there is none of that name.
  const SqsQueue* queue(std::string_view name) const;

  std::uint64_t token_requests() const noexcept { return cognito_.requests(); }
  std::uint64_t gateway_requests() const noexcept { return gateway_.requests(); }
  /// Of SQS, by the name of the operation; refused signatures do not count.
  std::uint64_t calls(std::string_view operation) const;
  /// Long polls that wait.
  std::size_t polls() const noexcept { return sqs_.broker().polls(); }

 private:
  friend class CloudState;

  static CognitoOptions cognito_options(const LocalCloudOptions& options);
  bool is_for_gateway(const http::Request& request, std::string_view path) const;

  LocalCloudOptions options_;
  CognitoModel cognito_;
  GatewayModel gateway_;
  SqsService sqs_;
  DelayedAnswers delayed_;
};

inline LocalCloud::LocalCloud(LocalCloudOptions options, json::Parser parser)
    : options_(std::move(options)),
      cognito_(cognito_options(options_), options_.signing_key, options_.seed),
      gateway_(options_.gateway, parser, options_.seed + 1),
      sqs_(options_.account, options_.region, parser, options_.seed + 2) {
  for (const AppClient& client : options_.clients) cognito_.add_client(client).value();
  for (const AccessKey& key : options_.access_keys) sqs_.add_access_key(key);
  // A dead-letter queue has to be there before its sources.
  for (const bool is_source : {false, true})
    for (const auto& [name, attributes] : options_.queues)
      if (attributes.contains("RedrivePolicy") == is_source) create_queue(name, attributes, options_.started).value();
}

inline CognitoOptions LocalCloud::cognito_options(const LocalCloudOptions& options) {
  CognitoOptions cognito = options.cognito;
  if (cognito.issuer.empty())
    cognito.issuer = "https://cognito-idp." + options.region + ".amazonaws.com/" + options.region + "_LocalCloud";
  return cognito;
}

inline bool LocalCloud::is_for_gateway(const http::Request& request, std::string_view path) const {
  const std::string_view first = path.substr(std::min<std::size_t>(1, path.size()));
  const std::string_view segment = first.substr(0, first.find('/'));
  if (segment == gateway_.options.stage) return true;
  if (segment.empty() || request.headers.find("x-amz-target")) return false;
  return segment.size() != 12 || segment.find_first_not_of("0123456789") != std::string_view::npos;
}

inline Handled LocalCloud::handle(const http::Request& request, Instant now) {
  const http::Url url = http::Url::parse(request.url).value_or(http::Url{});
  Handled handled;
  if (auto response = cognito_.handle(request, url, now)) {
    handled = *std::move(response);
  } else if (!is_for_gateway(request, url.path)) {
    handled = sqs_.handle(request, now);
  } else {
    GatewayAnswer answer = gateway_.handle(request, url.path, cognito_, sqs_, now);
    handled = std::move(answer.response);
    if (answer.after > Duration::zero()) {
      const PollId id = sqs_.broker().next_poll_id();
      delayed_.add(id, std::get<http::Response>(std::move(handled)), now.ticks + answer.after);
      handled = id;
    }
  }
  if (auto* response = std::get_if<http::Response>(&handled)) response->headers.add("Date", http_date(now.wall));
  return handled;
}

inline std::optional<Ticks> LocalCloud::next_deadline() const {
  const auto polls = sqs_.next_deadline();
  const auto delayed = delayed_.next_deadline();
  return polls && delayed ? std::min(*polls, *delayed) : polls ? polls : delayed;
}

inline std::vector<Answered> LocalCloud::advance(Instant now) {
  std::vector<Answered> answered = sqs_.advance(now);
  delayed_.advance(now.ticks, answered);
  for (Answered& answer : answered) answer.response.headers.add("Date", http_date(now.wall));
  return answered;
}

inline Environment::Values LocalCloud::environment(std::string_view origin) const {
  const std::string base(origin);
  Environment::Values values{
      {"API_URL", base + gateway_.publish_path()},
      {"AWS_REGION", options_.region},
      {"COGNITO_TOKEN_URL", base + "/oauth2/token"},
      {"SQS_QUEUE_URL", sqs_.queue_url(origin, gateway_.options.queue)},
      {"AWS_ENDPOINT_URL_SQS", base},
  };
  if (!options_.clients.empty()) {
    const AppClient& client = options_.clients.front();
    values["COGNITO_CLIENT_ID"] = client.id;
    values["COGNITO_CLIENT_SECRET"] = client.secret;
    values["COGNITO_CLIENT_SCOPE"] = client.scopes.empty() ? "" : client.scopes.front();
  }
  if (!options_.access_keys.empty()) {
    values["AWS_ACCESS_KEY_ID"] = options_.access_keys.front().id;
    values["AWS_SECRET_ACCESS_KEY"] = options_.access_keys.front().secret;
  }
  return values;
}

inline SqsResult<void> LocalCloud::create_queue(const std::string& name, const QueueAttributes& attributes,
                                                Instant now) {
  auto created = sqs_.broker().create(name, attributes, now);
  if (!created) return std::move(created).error();
  return {};
}

inline const SqsQueue* LocalCloud::queue(std::string_view name) const {
  const auto found = sqs_.broker().queues().find(name);
  return found == sqs_.broker().queues().end() ? nullptr : &found->second.queue;
}

inline std::vector<HeldMessage> LocalCloud::messages(std::string_view name,
                                                     std::optional<std::string_view> group) const {
  std::vector<HeldMessage> held;
  const SqsQueue* const found = queue(name);
  if (found == nullptr) return held;
  for (HeldMessage message : found->messages())
    if (!group || message.content.group == *group) held.push_back(std::move(message));
  return held;
}

inline std::uint64_t LocalCloud::calls(std::string_view operation) const {
  const auto found = sqs_.calls().find(operation);
  return found == sqs_.calls().end() ? 0 : found->second;
}

}  // namespace dmq::inline DMQ_ABI::testing
