// An AWS Lambda function behind an SQS queue: takes each message's body as JSON and prints one line for it, with ids
// and sizes and never the body. What is not JSON fails, and with a FIFO queue holds its group back. Lambda's custom
// runtimes start it as `bootstrap`.

#include <dmq/http/curl_transport.hpp>
#include <dmq/json/simdjson.hpp>
#include <dmq/lambda/runtime.hpp>
#include <dmq/lambda/sqs_function.hpp>
#include <dmq/log_observer.hpp>

#include <cstdio>
#include <string>

#include "escape.hpp"
#include "stop_on_signal.hpp"

namespace {

dmq::Result<void> print(const dmq::Delivery& delivery) {
  dmq::json::Document document;
  if (auto parsed = dmq::json::simdjson_parse(delivery.body, document, {.depth = 500}); !parsed) return parsed;
  std::printf("message=%s group=%s sequence=%s received=%d attributes=%zu bytes=%zu\n",
              escape(delivery.message_id).c_str(), escape(delivery.group).c_str(),
              escape(delivery.sequence_number).c_str(), delivery.receive_count, delivery.attributes.size(),
              delivery.body.size());
  std::fflush(stdout);  // Lambda freezes the process between invocations.
  return {};
}

}  // namespace

int main() try {
  const StopOnSignal signals;
  const dmq::SystemClock clock;
  const dmq::LogObserver log(stderr, dmq::Level::warning);
  dmq::lambda::RuntimeApi api(dmq::http::CurlTransport(), dmq::lambda::RuntimeOptions::from_env().value(), clock, log);
  const dmq::Duration reserve = dmq::lambda::BatchOptions().reserve;
  auto function = dmq::lambda::sqs_function(dmq::json::simdjson_parse, print, reserve, clock, log);
  dmq::lambda::run(api, function, signals.token()).value();
  return 0;
} catch (const dmq::Exception& exception) {
  std::fprintf(stderr, "%s\n", exception.what());
  return 1;
}
