// What both files of the program know. It includes the light headers only.
#pragma once

#include <dmq/consumer.hpp>
#include <dmq/producer.hpp>

#include <dmq/auth/credentials_chain.hpp>
#include <dmq/auth/sigv4.hpp>
#include <dmq/http/url.hpp>
#include <dmq/sqs/send_route.hpp>

inline constexpr const char* no_network = "there is no network here";

struct NoNetwork {
  dmq::Result<dmq::http::Response> send(const dmq::http::Request&, std::stop_token) {
    return dmq::Error{
        .kind = dmq::ErrorKind::invalid_argument, .delivery = dmq::DeliveryState::not_sent, .message = no_network};
  }
};

using Producer = dmq::Producer<NoNetwork, dmq::sqs::SendRoute, dmq::auth::SigV4<dmq::auth::AnyCredentials>>;

dmq::Error publish_elsewhere(Producer producer);
decltype(&dmq::http::parse_service_url) url_parser_elsewhere();
