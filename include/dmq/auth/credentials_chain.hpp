#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>

#include <dmq/auth/assume_role.hpp>
#include <dmq/auth/chain_settings.hpp>
#include <dmq/auth/credentials.hpp>
#include <dmq/auth/credentials_plan.hpp>
#include <dmq/json/document.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// The source of credentials that AWS's tools use: see plan_credentials() for where it looks and in which order. The
/// environment and the files are read anew at each fetch. One fetch may be several requests, to a metadata service and
/// to STS, and each keeps its own time limit; those to STS are repeated by whoever repeats the fetch.
class CredentialsChain {
 public:
  CredentialsChain(ChainSettings settings, json::Parser parser) : settings_(std::move(settings)), parser_(parser) {}

  /// Errors: those of plan_credentials() and of the source; configuration when an instance that was the last resort
  /// has never answered, with all that was asked and why in vain.
  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> fetch(Transport& transport, Instant now, std::stop_token stop) {
    Result<CredentialsPlan> plan = plan_credentials(settings_, parser_);
    if (!plan) return std::move(plan).error();
    Result<Fetched<Credentials>> keys =
        std::visit([&](auto& base) { return base.fetch(transport, now, stop); }, plan->base);
    if (!keys)
      return plan->nothing_found.empty() ? std::move(keys).error()
                                         : in_vain(std::move(keys).error(), plan->nothing_found);
    if (!plan->nothing_found.empty()) instance_has_answered_ = true;
    for (const sts::Role& role : plan->roles) {
      if (stop.stop_requested()) return Error{.kind = ErrorKind::cancelled, .message = "stopped by the caller"};
      keys = taker(plan->sts_region).assume(role, plan->sts_endpoint, keys->value, transport, now, stop);
      if (!keys) return keys;
    }
    return keys;
  }

 private:
  /// No instance at all, as far as one can tell: trying again will not help.
  Error in_vain(Error error, const std::string& nothing_found) const {
    const bool unreachable = error.kind == ErrorKind::network || error.kind == ErrorKind::timeout;
    if (unreachable && !instance_has_answered_) error.kind = ErrorKind::configuration;
    if (error.kind == ErrorKind::configuration)
      error.message = "no AWS credentials were found: " + nothing_found + "; instance: " + error.message;
    return error;
  }

  RoleTaker& taker(const std::string& region) {
    if (taker_ == nullptr || taker_region_ != region) taker_ = std::make_unique<RoleTaker>(region);
    taker_region_ = region;
    return *taker_;
  }

  ChainSettings settings_;
  json::Parser parser_;
  bool instance_has_answered_ = false;
  std::string taker_region_;
  std::unique_ptr<RoleTaker> taker_;
};

/// A key given in code, or a chain: what a queue's clients sign with.
class AnyCredentials {
 public:
  explicit AnyCredentials(StaticCredentials key) : source_(std::move(key)) {}
  explicit AnyCredentials(CredentialsChain chain) : source_(std::move(chain)) {}

  /// Errors: those of the source.
  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> fetch(Transport& transport, Instant now, std::stop_token stop) {
    return std::visit([&](auto& source) { return source.fetch(transport, now, std::move(stop)); }, source_);
  }

 private:
  std::variant<StaticCredentials, CredentialsChain> source_;
};

}  // namespace dmq::inline DMQ_ABI::auth
