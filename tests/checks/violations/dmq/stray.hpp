#include <dmq/core/result.hpp>
