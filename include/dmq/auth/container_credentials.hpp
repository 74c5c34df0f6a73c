#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/credentials.hpp>
#include <dmq/auth/credentials_json.hpp>
#include <dmq/auth/metadata_request.hpp>
#include <dmq/auth/text_file.hpp>
#include <dmq/http/request_rules.hpp>
#include <dmq/http/url.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// The keys that ECS, EKS and others give a container (AWS SDKs and Tools reference, "Container credential provider"):
/// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI on http://169.254.170.2, before AWS_CONTAINER_CREDENTIALS_FULL_URI, which is
/// https://, or http:// to loopback or one of the containers' link-local addresses. The request carries what
/// AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE holds, read anew each time, or AWS_CONTAINER_AUTHORIZATION_TOKEN.
class ContainerCredentials {
 public:
  ContainerCredentials(Environment environment, json::Parser parser, Sleep sleep)
      : environment_(std::move(environment)), parser_(parser), sleep_(std::move(sleep)) {}

  /// Whether there is a URI in the environment.
  bool present() const {
    return environment_.find("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").has_value() ||
           environment_.find("AWS_CONTAINER_CREDENTIALS_FULL_URI").has_value();
  }

  /// What is sent. Errors: configuration.
  Result<http::Request> request() const {
    Result<std::string> url = this->url();
    if (!url) return std::move(url).error();
    http::Request request{.url = *std::move(url)};
    request.headers.add("Accept", "application/json");
    Result<std::string> token = authorization();
    if (!token) return std::move(token).error();
    if (!token->empty()) request.headers.add("Authorization", *token);
    Secret::wipe(token->data(), token->size());
    return request;
  }

  /// Asks up to three times, 2 s each, with 1 s between. Errors: configuration, protocol, throttled, unavailable, and
  /// those of the transport.
  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> fetch(Transport& transport, Instant now, const std::stop_token& stop) const {
    using std::chrono::seconds;
    Result<http::Request> request = this->request();
    if (!request) return std::move(request).error();
    Result<http::Response> response = ask_metadata(
        transport, *std::move(request), {.count = 3, .timeout = seconds(2), .pause = seconds(1)}, sleep_, stop);
    if (!response) return std::move(response).error();
    if (response->status != 200) return metadata_refusal("the container's credentials endpoint", response->status);
    return parse(*response, now);
  }

 private:
  static constexpr std::string_view source = "the keys of the container's credentials endpoint";

  Result<std::string> url() const {
    if (auto relative = environment_.find("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
      std::string url = "http://169.254.170.2" + *relative;
      if (relative->starts_with('/') && http::Url::parse(url)) return url;
      return configuration_error("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI should be a path, beginning with /");
    }
    Result<std::string> full =
        environment_.require("AWS_CONTAINER_CREDENTIALS_FULL_URI", "the URL of the container's credentials endpoint");
    if (!full) return full;
    const Result<http::Url> url = http::Url::parse(*full);
    if (!url)
      return configuration_error("AWS_CONTAINER_CREDENTIALS_FULL_URI is not a URL that can be used: " +
                                 url.error().message);
    if (url->is_https() || url->is_loopback() || is_container_host(url->host)) return full;
    return configuration_error("AWS_CONTAINER_CREDENTIALS_FULL_URI is http:// to " + url->host +
                               "; without TLS only loopback and the containers' link-local addresses are asked");
  }

  static bool is_container_host(std::string_view host) noexcept {
    return host == "169.254.170.2" || host == "169.254.170.23" || host == "[fd00:ec2::23]";
  }

  Result<std::string> authorization() const {
    std::string token = environment_.find("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
    std::string name = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    if (const auto path = environment_.find("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
      name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
      Result<std::optional<std::string>> text = read_text_file("the file of " + name, *path);
      if (!text) return std::move(text).error();
      if (!*text) return configuration_error("the file of " + name + " is not there: " + *path);
      token = **std::move(text);
    }
    // A line break would begin a header of its own.
    if (http::check_header_value(name, token)) return token;
    return configuration_error(name + " holds a line break or another control character");
  }

  Result<Fetched<Credentials>> parse(const http::Response& response, Instant now) const {
    json::Document document;
    if (Result<void> parsed = parser_(response.body, document, {}); !parsed)
      return Error{.kind = ErrorKind::protocol,
                   .message = "the answer of the container's credentials endpoint is " + parsed.error().message,
                   .http_status = 200};
    const KeyTexts texts = key_texts(document.root(), "Token");
    if (!texts.expiration)
      return Error{.kind = ErrorKind::protocol, .message = std::string(source) + " have no expiration date"};
    return to_credentials(texts, answered_at(response, now), source).and_then([](Fetched<Credentials>&& keys) {
      return refuse_expired(std::move(keys), source);
    });
  }

  Environment environment_;
  json::Parser parser_;
  Sleep sleep_;
};

}  // namespace dmq::inline DMQ_ABI::auth
