#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <bench/canned.hpp>
#include <dmq/http/curl.hpp>
#include <dmq/http/curl_options.hpp>

/// The floor: what the same bytes cost with libcurl alone. One easy handle that is used again, headers made before,
/// the hashes that the protocol demands, and nothing that is parsed or built.
namespace bench {

/// The bytes of a request, ready to be sent any number of times.
class FloorRequest {
 public:
  explicit FloorRequest(const dmq::http::Request& request) : url_(request.url), body_(request.body) {
    for (auto field = request.headers.begin(); field != request.headers.end(); ++field)
      add(std::string(field.line()).c_str());
    // As the transport does: these are not libcurl's to add.
    for (const char* field : {"Expect:", "Accept:", "Content-Type:"}) add(field);
  }

 private:
  friend class FloorLoop;

  struct Free {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  void add(const char* field) {
    curl_slist* const longer = curl_slist_append(headers_.get(), field);
    static_cast<void>(headers_.release());
    headers_.reset(longer);
  }

  std::string url_;
  std::string body_;
  std::unique_ptr<curl_slist, Free> headers_;
};

class FloorLoop {
 public:
  FloorLoop() : easy_(curl_easy_init()) {
    curl_easy_setopt(easy_.get(), CURLOPT_USERAGENT, dmq::http::CurlOptions().user_agent.c_str());
    curl_easy_setopt(easy_.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(easy_.get(), CURLOPT_WRITEFUNCTION, &FloorLoop::on_body);
    curl_easy_setopt(easy_.get(), CURLOPT_WRITEDATA, &answer_);
  }

  FloorLoop(const FloorLoop&) = delete;
  FloorLoop& operator=(const FloorLoop&) = delete;

  /// Signed, the request's body is hashed; and that of each message, for the MD5 that comes back.
  void send(const FloorRequest& request, std::size_t messages, bool is_signed) {
    if (is_signed) sink_ = sink_ + dmq::crypto::sha256(request.body_)[0];
    if (url_ != request.url_) curl_easy_setopt(easy_.get(), CURLOPT_URL, (url_ = request.url_).c_str());
    curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body_.size()));
    curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDS, request.body_.c_str());
    curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, request.headers_.get());
    answer_.clear();
    long status = 0;
    if (curl_easy_perform(easy_.get()) != CURLE_OK ||
        curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200) {
      std::fprintf(stderr, "%s did not answer (status %ld)\n", request.url_.c_str(), status);
      std::exit(2);
    }
    for (std::size_t i = 0; i < messages; ++i) sink_ = sink_ + (*dmq::crypto::md5(message_body()))[0];
  }

 private:
  static std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* answer) {
    static_cast<std::string*>(answer)->append(bytes, count);
    return count;
  }

  dmq::http::detail::CurlHandle easy_;
  std::string url_;
  std::string answer_;
  volatile std::uint8_t sink_ = 0;  ///< So that no hash is left out.
};

}  // namespace bench
