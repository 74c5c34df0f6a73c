#include <dmq/json/simdjson.hpp>
#include "route.hpp"
