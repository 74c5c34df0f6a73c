#pragma once

#include <dmq/core/observers.hpp>
#include <dmq/log_observer.hpp>
#include <dmq/metrics_observer.hpp>
#include <dmq/options.hpp>
#include <dmq/wired/gateway_producer.hpp>
#include <dmq/wired/queue_client.hpp>
#include <dmq/wired/queue_consumer.hpp>
#include <dmq/wired/queue_producer.hpp>

/// Everything, wired: libcurl, simdjson, OpenSSL. A program includes this in the one file that makes its producers and
/// consumers, or only what it makes of wired/, and producer.hpp and consumer.hpp alone in the others: both compile
/// faster.
