// base64, percent-encoding, UTF-8 and JSON strings: decoding undoes encoding, and the scans agree with each other.

#include <cstdint>
#include <string>

#include <dmq/encoding/base64.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/encoding/utf8.hpp>

#include "require.hpp"

using namespace dmq::encoding;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Base64 variant : {Base64::standard, Base64::url}) {
    require(base64_decode(base64_encode(text, variant), variant) == text);
    if (const auto bytes = base64_decode(text, variant)) require(base64_encode(*bytes, variant) == text);
  }
  for (const Plus plus : {Plus::literal, Plus::space}) {
    require(percent_decode(percent_encode(text), plus) == text);
    if (const auto bytes = percent_decode(text, plus)) require(percent_decode(percent_encode(*bytes), plus) == bytes);
  }

  const TextFault fault = find_message_fault(text);
  require(is_utf8(text.substr(0, fault.kind == TextFault::Kind::none ? size : fault.offset)));
  if (fault.kind == TextFault::Kind::none) require(is_utf8(text));
  if (fault.kind == TextFault::Kind::ill_formed) require(!is_utf8(text));
  if (fault.kind != TextFault::Kind::none) require(fault.offset < size);

  std::string json;
  append_json_string(json, text);
  for (std::size_t i = 1; i + 1 < json.size(); ++i) {
    require(static_cast<unsigned char>(json[i]) >= 0x20 && json[i] != '"');
    if (json[i] == '\\') ++i;
  }
  return 0;
}
