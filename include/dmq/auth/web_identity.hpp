#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/credentials.hpp>
#include <dmq/auth/sts.hpp>
#include <dmq/auth/text_file.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/http/transport.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// A role taken on with the token of another identity provider, as EKS gives its pods (STS AssumeRoleWithWebIdentity,
/// which is not signed). The token's file is read anew at each fetch.
class WebIdentityCredentials {
 public:
  WebIdentityCredentials(std::string endpoint, sts::Role role, std::string token_file)
      : endpoint_(std::move(endpoint)), role_(std::move(role)), token_file_(std::move(token_file)) {}

  /// Errors: configuration, authorization, protocol, throttled, unavailable, and those of the transport.
  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> fetch(Transport& transport, Instant now, const std::stop_token& stop) const {
    Result<std::optional<std::string>> token = read_text_file("the web identity token file", token_file_);
    if (!token) return std::move(token).error();
    if (!*token || encoding::trim(**token).empty())
      return configuration_error("the web identity token file " + token_file_ + " is not there, or empty");
    constexpr std::string_view action = "AssumeRoleWithWebIdentity";
    http::Request request = sts::request(action, endpoint_, role_, now.wall);
    encoding::append_form_field(request.body, "WebIdentityToken", encoding::trim(**token));
    Secret::wipe((*token)->data(), (*token)->size());
    Result<http::Response> response = transport.send(request, stop);
    Secret::wipe(request.body.data(), request.body.size());
    if (!response) return std::move(response).error();
    return sts::parse(action, *response, role_, now);
  }

 private:
  std::string endpoint_;
  sts::Role role_;
  std::string token_file_;
};

}  // namespace dmq::inline DMQ_ABI::auth
