// Another file of the program: what it uses of dmq must be the same as in main.cpp.
#include "other.hpp"

dmq::Error publish_elsewhere(Producer producer) {
  const dmq::PublishResult result = producer.publish({.body = "b", .group = "a"});
  return result ? dmq::Error{} : dmq::Error(result.error());
}

decltype(&dmq::http::parse_service_url) url_parser_elsewhere() {
  return &dmq::http::parse_service_url;
}
