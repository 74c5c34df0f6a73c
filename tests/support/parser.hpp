#pragma once

#include <dmq/json/document.hpp>

namespace support {

/// The parser that ships, compiled once for all tests.
dmq::Result<void> parse(std::string_view text, dmq::json::Document& document, dmq::json::Limits limits = {});

}  // namespace support
