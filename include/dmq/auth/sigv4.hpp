#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/canonical_request.hpp>
#include <dmq/auth/credentials.hpp>
#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/hex.hpp>
#include <dmq/encoding/http_date.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// For whom a signature is meant.
struct SigningScope {
  std::string region{};   ///< "eu-central-1"
  std::string service{};  ///< "sqs"
};

/// The key of one day, region and service, derived from a secret by four HMACs.
inline crypto::HmacKey signing_key(const Secret& secret, std::string_view day, const SigningScope& scope) {
  std::string first = "AWS4";
  first.append(secret.reveal());
  crypto::Sha256 key = crypto::hmac_sha256(first, day);
  Secret::wipe(first.data(), first.size());
  key = crypto::hmac_sha256(crypto::as_text(key), scope.region);
  key = crypto::hmac_sha256(crypto::as_text(key), scope.service);
  key = crypto::hmac_sha256(crypto::as_text(key), "aws4_request");
  return crypto::HmacKey(crypto::as_text(key));
}

/// Adds X-Amz-Date, X-Amz-Security-Token and Authorization (Signature Version 4). Pure: `key` belongs to the day of
/// `now`. Errors: invalid_argument when the URL is malformed.
inline Result<void> sign(http::Request& request, const Credentials& credentials, const crypto::HmacKey& key,
                         const SigningScope& scope, WallTime now, PathForm form = PathForm::normalized) {
  Result<http::Url> url = http::Url::parse(request.url);
  if (!url) return invalid_argument("the URL can't be signed: " + url.error().message);
  const std::string date = encoding::amz_date(now);
  for (const char* name : {"Authorization", "X-Amz-Security-Token", "X-Amz-Date"}) request.headers.remove(name);
  request.headers.add("X-Amz-Date", date);
  if (!credentials.session_token.empty())
    request.headers.add("X-Amz-Security-Token", credentials.session_token.reveal());

  const auto payload_hash = encoding::hex_digits(crypto::sha256(request.body));
  const CanonicalRequest canonical =
      canonical_request(request, *url, std::string_view(payload_hash.data(), payload_hash.size()), form);

  std::string authorization;
  authorization.reserve(256 + credentials.access_key_id.size() + canonical.headers_size);
  authorization.append("AWS4-HMAC-SHA256 Credential=").append(credentials.access_key_id).append("/");
  const std::size_t day_scope = authorization.size();
  authorization.append(date, 0, 8).append("/").append(scope.region).append("/").append(scope.service);
  authorization.append("/aws4_request");

  std::string to_sign;
  to_sign.reserve(authorization.size() + 128);
  to_sign.append("AWS4-HMAC-SHA256\n").append(date).append("\n").append(authorization, day_scope).append("\n");
  encoding::append_hex(to_sign, crypto::sha256(canonical.text));

  authorization.append(", SignedHeaders=").append(canonical.signed_headers()).append(", Signature=");
  encoding::append_hex(authorization, key.sign(to_sign));
  request.headers.add("Authorization", authorization);
  return {};
}

/// Authorises by Signature Version 4, with one derived key kept for the day, and a clock corrected by the service's.
template <class Source>
class SigV4 {
 public:
  using value_type = Credentials;

  SigV4(Source source, SigningScope scope) : source_(std::move(source)), scope_(std::move(scope)) {}

  RefreshPolicy refresh_policy() const {
    return {.ahead = std::chrono::minutes(5),
            .if_refused =
                "the service refuses even credentials that were just fetched: check the access key, the "
                "region, and that the key is active"};
  }

  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> fetch(Transport& transport, Instant now, std::stop_token stop) {
    return source_.fetch(transport, now, std::move(stop));
  }

  Result<void> authorize(http::Request& request, const Credentials& credentials, Instant now) {
    const WallTime corrected = now.wall + Duration(shared_->skew.load(std::memory_order_relaxed));
    const std::shared_ptr<const DayKey> key = key_for(credentials, corrected);
    return sign(request, credentials, key->key, scope_, corrected);
  }

  /// SQS reports a wrong clock as a wrong signature, so both clocks are compared (a difference of four minutes or
  /// more; the service's tolerance is about five). A correction is believed up to a day.
  Verdict verdict(const http::Response& response, Instant now) {
    if (response.status != 403 && response.status != 400 && response.status != 401) return Verdict::ok;
    const std::string_view body = response.body;
    const auto says = [&](std::string_view code) { return body.find(code) != std::string_view::npos; };
    const bool clock_named = says("RequestTimeTooSkewed") || says("RequestExpired") || says("RequestInTheFuture");
    if (clock_named || says("InvalidSignatureException") || says("SignatureDoesNotMatch")) {
      const auto theirs = encoding::parse_http_date(response.headers.get("Date"));
      if (!theirs) return Verdict::ok;
      const Duration skew = *theirs - now.wall;
      const Duration change = std::chrono::abs(skew - Duration(shared_->skew.load(std::memory_order_relaxed)));
      if (std::chrono::abs(skew) > std::chrono::hours(24)) return Verdict::ok;
      if (change < std::chrono::minutes(4)) return was_just_corrected(now) ? Verdict::skew : Verdict::ok;
      shared_->skew.store(skew.count(), std::memory_order_relaxed);
      shared_->corrected_at.store(now.ticks.time_since_epoch().count(), std::memory_order_relaxed);
      return Verdict::skew;
    }
    return says("ExpiredToken") ? Verdict::stale_value : Verdict::ok;
  }

 private:
  struct DayKey {
    DayKey(std::chrono::sys_days its_day, std::string id, Secret of, crypto::HmacKey derived)
        : day(its_day), access_key_id(std::move(id)), secret(std::move(of)), key(derived) {}

    std::chrono::sys_days day;
    std::string access_key_id;
    Secret secret;
    crypto::HmacKey key;
  };
  static constexpr Duration::rep never = Duration::min().count();

  struct Shared {
    std::mutex mutex;
    std::shared_ptr<const DayKey> key;
    std::atomic<Duration::rep> skew = 0;
    std::atomic<Duration::rep> corrected_at = never;  ///< Ticks.
  };

  /// Then another request may have been signed by the old time.
  bool was_just_corrected(Instant now) const noexcept {
    const Duration::rep at = shared_->corrected_at.load(std::memory_order_relaxed);
    return at != never && now.ticks - Ticks(Duration(at)) < std::chrono::minutes(1);
  }

  std::shared_ptr<const DayKey> key_for(const Credentials& credentials, WallTime now) {
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::lock_guard lock(shared_->mutex);
    if (shared_->key == nullptr || shared_->key->day != day ||
        shared_->key->access_key_id != credentials.access_key_id ||
        !(shared_->key->secret == credentials.secret_access_key))
      shared_->key = std::make_shared<const DayKey>(
          day, credentials.access_key_id, credentials.secret_access_key,
          signing_key(credentials.secret_access_key, encoding::amz_date(now).substr(0, 8), scope_));
    return shared_->key;
  }

  Source source_;
  SigningScope scope_;
  std::unique_ptr<Shared> shared_ = std::make_unique<Shared>();
};

}  // namespace dmq::inline DMQ_ABI::auth
