#pragma once

#include <dmq/gateway_options.hpp>
#include <dmq/queue_options.hpp>
