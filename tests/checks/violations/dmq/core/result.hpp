#include <dmq/http/url.hpp>
