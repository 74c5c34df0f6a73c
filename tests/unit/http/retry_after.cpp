#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <utility>

#include <dmq/http/retry_after.hpp>

using dmq::Duration;
using dmq::http::Response;
using dmq::http::retry_after;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
std::optional<Duration> wait(std::initializer_list<std::pair<const char*, const char*>> fields) {
  Response response;
  for (const auto& [name, value] : fields) response.headers.add(name, value);
  return retry_after(response);
}
}  // namespace

TEST_CASE("a service asks for a wait in seconds, in milliseconds, or until a time of its own clock") {
  CHECK(wait({}) == std::nullopt);
  CHECK(wait({{"Retry-After", "120"}}) == seconds(120));
  CHECK(wait({{"retry-after", "0"}}) == seconds(0));
  CHECK(wait({{"x-amz-retry-after", "1500"}}) == milliseconds(1500));
  CHECK(wait({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Retry-After", "Sun, 06 Nov 1994 08:50:00 GMT"}}) ==
        seconds(23));
}

TEST_CASE("the wait in milliseconds comes first") {
  CHECK(wait({{"Retry-After", "120"}, {"x-amz-retry-after", "7"}}) == milliseconds(7));
}

TEST_CASE("a wait that makes no sense is not believed") {
  for (const char* text : {"", "soon", "-1", "+1", "1.5", "1 ", "0x10", "4294967296", "86401", "99999999999999999999"})
    CHECK_MESSAGE(wait({{"Retry-After", text}}) == std::nullopt, text);
  CHECK(wait({{"Retry-After", "86400"}}) == hours(24));
  CHECK(wait({{"x-amz-retry-after", "86400001"}}) == std::nullopt);
  CHECK(wait({{"x-amz-retry-after", "soon"}}) == std::nullopt);
}

TEST_CASE("a time needs the service's clock, and lies ahead by a day at most") {
  CHECK(wait({{"Retry-After", "Sun, 06 Nov 1994 08:50:00 GMT"}}) == std::nullopt);
  const auto until = [](const char* at) {
    return wait({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Retry-After", at}});
  };
  CHECK(until("Sun, 06 Nov 1994 08:49:36 GMT") == std::nullopt);
  CHECK(until("Mon, 07 Nov 1994 08:49:37 GMT") == hours(24));
  CHECK(until("Mon, 07 Nov 1994 08:49:38 GMT") == std::nullopt);
  CHECK(until("Tue, 31 Dec 2261 23:59:59 GMT") == std::nullopt);
  CHECK(until("Fri, 31 Dec 9999 23:59:59 GMT") == std::nullopt);
}
