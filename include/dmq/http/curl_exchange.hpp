#pragma once

#include <array>
#include <cstddef>
#include <forward_list>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/result.hpp>
#include <dmq/http/curl.hpp>
#include <dmq/http/curl_options.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/request_rules.hpp>
#include <dmq/http/response_reader.hpp>

namespace dmq::inline DMQ_ABI::http::detail {

inline Error stopped_by_caller(DeliveryState delivery) {
  return {.kind = ErrorKind::cancelled, .delivery = delivery, .message = "the request was stopped by its caller"};
}

/// One easy handle and the exchange on it: readies the handle for a request, gathers the response, tells what a
/// failure means. Its owner runs the handle in a multi. Used by one thread at a time.
///
/// libcurl by itself sends a request again when a reused connection turns out dead, so its result codes can't tell
/// whether a request went out. Its pre-request callback can: it runs before the first byte of each sending.
class CurlExchange {
 public:
  explicit CurlExchange(const CurlOptions& options);
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  CURL* handle() const noexcept { return easy_.get(); }

  /// Before the handle enters the multi. The request stays as it is until the handle has left. Errors:
  /// invalid_argument, configuration (libcurl refuses a setting); not_sent.
  Result<void> prepare(const Request& request, Duration timeout);

  /// When libcurl is done, with its result. Errors: network, timeout, integrity, protocol, configuration.
  Result<Response> finish(CURLcode code);

  /// The error of an exchange that was stopped on the way.
  Error cancelled() const;

 private:
  void set_rules(const CurlOptions& options);
  void set_callbacks();
  Result<void> set_url(const std::string& url);
  void set_method(const Request& request);
  void set_headers(const Headers& headers);
  char* header_line(std::string_view line);
  template <class Value>
  void set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy_.get(), option, value);
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLE_OK) broken_ = code;
  }

  static int on_sending(void* self, char*, char*, int, int) noexcept;
  template <bool (ResponseReader::*take)(std::string_view)>
  static std::size_t on_bytes(char* bytes, std::size_t, std::size_t count, void* self) noexcept;

  Error explain(CURLcode code) const;
  Error timed_out() const;
  DeliveryState delivery() const noexcept { return sendings_ == 0 ? DeliveryState::not_sent : DeliveryState::unknown; }

  CurlHandle easy_;
  PlainHttp plain_http_;
  CURLcode broken_ = CURLE_OK;
  std::array<char, CURL_ERROR_SIZE> curl_says_{};

  std::string url_;
  std::string authority_;
  std::vector<curl_slist> header_nodes_;
  std::forward_list<std::string> empty_fields_;

  Resend resend_ = Resend::forbidden;
  int sendings_ = 0;
  bool out_of_memory_ = false;
  ResponseReader reader_;
};

inline CurlExchange::CurlExchange(const CurlOptions& options)
    : easy_(curl_is_ready() ? curl_easy_init() : nullptr), plain_http_(options.plain_http) {
  if (easy_ == nullptr) {
    broken_ = CURLE_FAILED_INIT;
    return;
  }
  set_rules(options);
  set_callbacks();
}

inline void CurlExchange::set_rules(const CurlOptions& options) {
  set(CURLOPT_NOSIGNAL, 1L);
  // Without it a stop during name resolution waits for the resolver.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, curl_milliseconds(options.connect_timeout));
  set(CURLOPT_MAXAGE_CONN, static_cast<long>(options.max_connection_age.count()));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
  set(CURLOPT_USERAGENT, options.user_agent.c_str());
  if (!check_header_value("User-Agent", options.user_agent)) broken_ = CURLE_BAD_FUNCTION_ARGUMENT;
  // A libcurl without HTTP/2 refuses to prefer it, and does without.
  const bool best = options.http_version == HttpVersion::best;
  curl_easy_setopt(easy_.get(), CURLOPT_HTTP_VERSION,
                   static_cast<long>(best ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
}

inline void CurlExchange::set_callbacks() {
  set(CURLOPT_ERRORBUFFER, curl_says_.data());
  set(CURLOPT_PREREQFUNCTION, &CurlExchange::on_sending);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &CurlExchange::on_bytes<&ResponseReader::header>);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &CurlExchange::on_bytes<&ResponseReader::body>);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
}

inline Result<void> CurlExchange::prepare(const Request& request, Duration timeout) {
  if (broken_ == CURLE_OK)
    if (Result<void> aimed = set_url(request.url); !aimed) return aimed;
  set_method(request);
  set_headers(request.headers);
  set(CURLOPT_TIMEOUT_MS, curl_milliseconds(timeout));
  if (broken_ != CURLE_OK)
    return configuration_error(std::string("libcurl does not take these settings (") + curl_easy_strerror(broken_) +
                               "); it has to be 7.87 or newer, with TLS");
  resend_ = request.resend;
  sendings_ = 0;
  out_of_memory_ = false;
  curl_says_[0] = '\0';
  reader_.begin(request.response_limit_bytes);
  return {};
}

inline Result<void> CurlExchange::set_url(const std::string& url) {
  // Parsing a URL and copying it into libcurl is for those that differ from the last.
  if (!url_.empty() && url == url_) return {};
  Result<Url> parsed = check_url(url, plain_http_);
  if (!parsed) return std::move(parsed).error();
  url_.clear();
  authority_ = parsed->authority();
  if (curl_easy_setopt(easy_.get(), CURLOPT_URL, url.c_str()) != CURLE_OK)
    return invalid_argument("the URL of the request is too long");
  // A proxy is another machine: what is for this one must not go there in the clear.
  const bool on_this_machine = parsed->is_loopback() || parsed->is_machine_metadata();
  set(CURLOPT_PROXY, on_this_machine ? "" : static_cast<const char*>(nullptr));
  url_ = url;
  return {};
}

inline void CurlExchange::set_method(const Request& request) {
  const bool has_body = request.method == Method::post || request.method == Method::put || !request.body.empty();
  if (has_body) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
  } else {
    set(CURLOPT_HTTPGET, 1L);
  }
  const bool libcurl_names_it = request.method == (has_body ? Method::post : Method::get);
  set(CURLOPT_CUSTOMREQUEST, libcurl_names_it ? nullptr : to_string(request.method).data());
}

inline void CurlExchange::set_headers(const Headers& headers) {
  header_nodes_.clear();
  empty_fields_.clear();
  header_nodes_.reserve(headers.size() + 3);
  for (auto field = headers.begin(); field != headers.end(); ++field)
    header_nodes_.push_back({header_line(field.line()), nullptr});
  // A name alone keeps libcurl from adding that field itself, and leaves the caller's in place.
  for (const std::string_view field : {"Expect:", "Accept:", "Content-Type:"})
    header_nodes_.push_back({header_line(field), nullptr});
  for (std::size_t i = 1; i < header_nodes_.size(); ++i) header_nodes_[i - 1].next = &header_nodes_[i];
  set(CURLOPT_HTTPHEADER, header_nodes_.data());
}

/// A field without a value is spelled "Name;": libcurl takes "Name: " as its wish to leave the field out. It only
/// reads what the nodes point to.
inline char* CurlExchange::header_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  const bool is_empty_field = colon + 1 < line.size() && encoding::trim(line.substr(colon + 1)).empty();
  if (!is_empty_field) return const_cast<char*>(line.data());
  return empty_fields_.emplace_front(std::string(line.substr(0, colon)) + ';').data();
}

inline int CurlExchange::on_sending(void* self, char*, char*, int, int) noexcept {
  auto& exchange = *static_cast<CurlExchange*>(self);
  ++exchange.sendings_;
  const bool go_on = exchange.sendings_ == 1 || exchange.resend_ == Resend::allowed;
  return go_on ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

template <bool (ResponseReader::*take)(std::string_view)>
std::size_t CurlExchange::on_bytes(char* bytes, std::size_t, std::size_t count, void* self) noexcept {
  auto& exchange = *static_cast<CurlExchange*>(self);
  try {
    return (exchange.reader_.*take)({bytes, count}) ? count : CURL_WRITEFUNC_ERROR;
  } catch (const std::bad_alloc&) {
    exchange.out_of_memory_ = true;
    return CURL_WRITEFUNC_ERROR;
  }
}

inline Result<Response> CurlExchange::finish(CURLcode code) {
  if (code == CURLE_OK) {
    Response response = reader_.take();
    response.resent = sendings_ > 1;
    return response;
  }
  Error error = explain(code);
  error.delivery = delivery();
  return error;
}

inline Error CurlExchange::explain(CURLcode code) const {
  if (out_of_memory_) code = CURLE_OUT_OF_MEMORY;
  if (reader_.fault() == ResponseReader::Fault::body_too_large)
    return {.kind = ErrorKind::integrity,
            .message = "the answer of " + authority_ + " is larger than the limit of the request, " +
                       std::to_string(reader_.body_limit_bytes()) + " bytes"};
  if (reader_.fault() == ResponseReader::Fault::headers_too_large)
    return {.kind = ErrorKind::protocol, .message = "the header of the answer of " + authority_ + " is over 64 KiB"};
  if (code == CURLE_OPERATION_TIMEDOUT) return timed_out();
  // Only a second sending is ever aborted, and that follows a connection lost.
  if (code == CURLE_ABORTED_BY_CALLBACK) code = CURLE_SEND_ERROR;
  return explain_curl(code, authority_, curl_says_.data());
}

inline Error CurlExchange::timed_out() const {
  if (sendings_ > 0)
    return {.kind = ErrorKind::timeout, .message = authority_ + " did not answer within the time limit of the request"};
  return {.kind = ErrorKind::timeout,
          .message = "no connection to " + authority_ +
                     " within the time limit; check that it runs, that no firewall is in between, and "
                     "CurlOptions::connect_timeout"};
}

inline Error CurlExchange::cancelled() const {
  return stopped_by_caller(delivery());
}

}  // namespace dmq::inline DMQ_ABI::http::detail
