#include <support/parser.hpp>

#include <dmq/json/simdjson.hpp>

namespace support {

dmq::Result<void> parse(std::string_view text, dmq::json::Document& document, dmq::json::Limits limits) {
  return dmq::json::simdjson_parse(text, document, limits);
}

}  // namespace support
