#include "route.hpp"
#include <dmq/json/simdjson.hpp>
