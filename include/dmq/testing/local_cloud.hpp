#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/http/message.hpp>
#include <dmq/http/url.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/cognito_model.hpp>
#include <dmq/testing/gateway_model.hpp>
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
/// - `POST /oauth2/token`, `GET /.well-known/jwks.json`;
/// - `POST /v1/publish-queue`, `POST /v1/publish-queue/batch`;
/// - SQS on `/` and on the URLs of queues, `/{account}/{name}`.
/// A value: a copy is a second world that goes on from here. Time is given with each call and must not go back. Not
/// thread-safe; CloudHost is.
class LocalCloud {
 public:
  LocalCloud(LocalCloudOptions options, json::Parser parser);

  /// The answer, or the id of the long poll that will get it by advance().
  Handled handle(const http::Request& request, Instant now);
  /// The answers to long polls that are due: call it after each handle() and at next_deadline().
  std::vector<Answered> advance(Instant now);
  /// When a long poll may have to be answered even if nothing else happens; nothing while none waits.
  std::optional<Ticks> next_deadline() const { return sqs_.next_deadline(); }
  /// The caller of a long poll has hung up, and that was noticed. A poll that is not cancelled takes messages for
  /// nobody, as it does on AWS when the connection breaks unnoticed.
  void cancel(PollId id) { sqs_.cancel(id); }

  /// What a client needs to use this cloud at `origin` ("http://127.0.0.1:9324"): names and values of its environment.
  std::vector<std::pair<std::string, std::string>> environment(std::string_view origin) const;

  SqsResult<void> create_queue(const std::string& name, const QueueAttributes& attributes, Instant now);
  void add_client(AppClient client) { cognito_.add_client(std::move(client)); }
  void add_access_key(AccessKey key) { sqs_.add_access_key(std::move(key)); }
  /// The gateway refuses all tokens issued so far.
  void revoke_tokens() { cognito_.revoke_tokens(); }
  GatewayOptions& gateway() noexcept { return gateway_.options; }

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
  static std::string issuer(const std::string& region) {
    return "https://cognito-idp." + region + ".amazonaws.com/" + region + "_LocalCloud";
  }

  LocalCloudOptions options_;
  CognitoModel cognito_;
  GatewayModel gateway_;
  SqsService sqs_;
};

inline LocalCloud::LocalCloud(LocalCloudOptions options, json::Parser parser)
    : options_(std::move(options)),
      cognito_(issuer(options_.region), options_.signing_key, options_.seed),
      gateway_(options_.gateway, parser, options_.seed + 1),
      sqs_(options_.account, options_.region, parser, options_.seed + 2) {
  for (const AppClient& client : options_.clients) cognito_.add_client(client);
  for (const AccessKey& key : options_.access_keys) sqs_.add_access_key(key);
  // A dead-letter queue has to be there before its sources.
  for (const bool is_source : {false, true})
    for (const auto& [name, attributes] : options_.queues)
      if (attributes.contains("RedrivePolicy") == is_source) create_queue(name, attributes, options_.started).value();
}

inline Handled LocalCloud::handle(const http::Request& request, Instant now) {
  const http::Url url = http::Url::parse(request.url).value_or(http::Url{});
  Handled handled;
  if (url.path == "/oauth2/token")
    handled = cognito_.token(request, now);
  else if (url.path.ends_with("/.well-known/jwks.json"))
    handled = cognito_.jwks();
  else if (url.path.starts_with("/v1/"))
    handled = gateway_.handle(request, url.path, cognito_, sqs_, now);
  else
    handled = sqs_.handle(request, now);
  if (auto* response = std::get_if<http::Response>(&handled)) response->headers.add("Date", http_date(now.wall));
  return handled;
}

inline std::vector<Answered> LocalCloud::advance(Instant now) {
  std::vector<Answered> answered = sqs_.advance(now);
  for (Answered& answer : answered) answer.response.headers.add("Date", http_date(now.wall));
  return answered;
}

inline std::vector<std::pair<std::string, std::string>> LocalCloud::environment(std::string_view origin) const {
  const std::string base(origin);
  std::vector<std::pair<std::string, std::string>> pairs{
      {"API_URL", base + std::string(GatewayModel::publish_path)},
      {"AWS_REGION", options_.region},
      {"COGNITO_TOKEN_URL", base + "/oauth2/token"},
      {"SQS_QUEUE_URL", sqs_.queue_url(origin, options_.gateway.queue)},
      {"AWS_ENDPOINT_URL_SQS", base},
  };
  if (!options_.clients.empty()) {
    const AppClient& client = options_.clients.front();
    pairs.emplace_back("COGNITO_CLIENT_ID", client.id);
    pairs.emplace_back("COGNITO_CLIENT_SECRET", client.secret);
    pairs.emplace_back("COGNITO_CLIENT_SCOPE", client.scopes.empty() ? "" : client.scopes.front());
  }
  if (!options_.access_keys.empty()) {
    pairs.emplace_back("AWS_ACCESS_KEY_ID", options_.access_keys.front().id);
    pairs.emplace_back("AWS_SECRET_ACCESS_KEY", options_.access_keys.front().secret);
  }
  return pairs;
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
  for (const auto& [sequence, message] : found->messages())
    if (!group || message.content.group == *group) held.push_back(message);
  return held;
}

inline std::uint64_t LocalCloud::calls(std::string_view operation) const {
  const auto found = sqs_.calls().find(operation);
  return found == sqs_.calls().end() ? 0 : found->second;
}

}  // namespace dmq::inline DMQ_ABI::testing
