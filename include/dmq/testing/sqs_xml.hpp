#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_query_names.hpp>

/// The answers of the query protocol as XML.
namespace dmq::inline DMQ_ABI::testing {

/// Adds text that may stand between tags. What XML cannot carry, which no message has but an error may quote, becomes
/// the replacement character.
inline void append_xml_text(std::string& out, std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view three = text.substr(i, 3);
    if (c == '&') {
      out.append("&amp;");
    } else if (c == '<') {
      out.append("&lt;");
    } else if (c == '>') {
      out.append("&gt;");
    } else if (c == '"') {
      out.append("&quot;");
    } else if (c == '\r') {
      out.append("&#xD;");  // A reader would make a line feed of it.
    } else if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') {
      out.append(replacement);
    } else if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {
      out.append(replacement);
      i += 2;
    } else {
      out.push_back(c);
    }
  }
}

namespace detail {
class XmlAnswer {
 public:
  XmlAnswer(std::string_view operation, std::string& out) : operation_(operation), out_(out) {}

  void structure(json::Value object) {
    for (const json::Value member : object) {
      if (member.is(json::Kind::null)) continue;
      if (member.is(json::Kind::array)) {
        for (const json::Value item : member) element(element_name(operation_, member.name()), item);
      } else if (member.is(json::Kind::object)) {
        map(member);
      } else {
        element(member.name(), member);
      }
    }
  }

  void element(std::string_view name, json::Value value) {
    open(name);
    if (value.is(json::Kind::object))
      structure(value);
    else
      append_xml_text(out_, scalar_text(value));
    close(name);
  }

  void text(std::string_view name, std::string_view value) {
    open(name);
    append_xml_text(out_, value);
    close(name);
  }

 private:
  void open(std::string_view name) { out_.append("<").append(name).append(">"); }
  void close(std::string_view name) { out_.append("</").append(name).append(">"); }

  void map(json::Value object) {
    const std::string name = element_name(operation_, object.name());
    for (const json::Value value : object) {
      open(name);
      text(key_name(object.name()), value.name());
      element("Value", value);
      close(name);
    }
  }

  std::string_view operation_;
  std::string& out_;
};

constexpr std::string_view xml_prolog = "<?xml version=\"1.0\"?>";
constexpr std::string_view xml_namespace = " xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">";
}  // namespace detail

/// `result` is the answer of the JSON protocol, missing where the operation has no output.
inline std::string xml_answer(std::string_view operation, json::Value result, std::string_view request_id) {
  const std::string response = std::string(operation) + "Response";
  std::string out(detail::xml_prolog);
  out.append("<").append(response).append(detail::xml_namespace);
  detail::XmlAnswer xml(operation, out);
  if (result.exists()) xml.element(std::string(operation) + "Result", result);
  out.append("<ResponseMetadata>");
  xml.text("RequestId", request_id);
  return out.append("</ResponseMetadata></").append(response).append(">");
}

inline std::string xml_error(const SqsError& error, std::string_view request_id) {
  std::string out(detail::xml_prolog);
  out.append("<ErrorResponse").append(detail::xml_namespace).append("<Error>");
  detail::XmlAnswer xml("", out);
  xml.text("Type", detail::fault_of(error));
  xml.text("Code", error.service_code);
  xml.text("Message", query_message(error));
  out.append("<Detail/></Error>");
  xml.text("RequestId", request_id);
  return out.append("</ErrorResponse>");
}

}  // namespace dmq::inline DMQ_ABI::testing
