#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/url.hpp>
#include <dmq/testing/form.hpp>
#include <dmq/testing/sqs_error.hpp>

/// The query protocol of SQS, where a call is a form: what it says becomes the parameters of the JSON protocol.
namespace dmq::inline DMQ_ABI::testing {

/// How a caller speaks and is answered.
enum class SqsProtocol { json, query_xml, query_json };

/// The target header and the content type tell the JSON protocol. Every other GET or POST is a query.
inline SqsProtocol protocol_of(const http::Request& request) {
  constexpr std::string_view json_type = "application/x-amz-json";
  const bool is_form = request.method == http::Method::get || request.method == http::Method::post;
  const std::string type = encoding::lower(request.headers.get("content-type"));
  if (!is_form || request.headers.find("x-amz-target") || type.starts_with(json_type)) return SqsProtocol::json;
  const bool wants_json = encoding::lower(request.headers.get("accept")).find("application/json") != std::string::npos;
  return wants_json ? SqsProtocol::query_json : SqsProtocol::query_xml;
}

/// What a request asks for.
struct SqsInvocation {
  std::string operation{};
  std::string parameters{};  ///< A JSON object, as the operation of the JSON protocol takes it.
};

namespace detail {
/// A field and what is left of its name: "1.Name" of "Attribute.1.Name", once "Attribute" is read.
struct QueryField {
  QueryField(const std::pair<const std::string, std::string>& field) : name(field.first), value(field.second) {}

  std::string_view name;
  std::string_view value;
};
using QueryFields = std::vector<QueryField>;

/// Cuts the first part off a name in dots.
inline std::string_view take_part(std::string_view& name) {
  const std::string_view part = name.substr(0, name.find('.'));
  name.remove_prefix(std::min(name.size(), part.size() + 1));
  return part;
}

enum class QueryKind { text, number, list, map };

/// A parameter that is not plain text. Of the two names the JSON protocol's is understood as well; that AWS does so is
/// recorded for MessageAttributes only.
struct QueryMember {
  std::string_view name{};
  std::string_view json_name{};
  QueryKind kind = QueryKind::text;
};

constexpr std::array query_members{
    QueryMember{"DelaySeconds", "DelaySeconds", QueryKind::number},
    QueryMember{"MaxNumberOfMessages", "MaxNumberOfMessages", QueryKind::number},
    QueryMember{"VisibilityTimeout", "VisibilityTimeout", QueryKind::number},
    QueryMember{"WaitTimeSeconds", "WaitTimeSeconds", QueryKind::number},
    QueryMember{"MaxResults", "MaxResults", QueryKind::number},
    QueryMember{"MaxNumberOfMessagesPerSecond", "MaxNumberOfMessagesPerSecond", QueryKind::number},
    QueryMember{"AttributeName", "AttributeNames", QueryKind::list},
    QueryMember{"MessageAttributeName", "MessageAttributeNames", QueryKind::list},
    QueryMember{"MessageSystemAttributeName", "MessageSystemAttributeNames", QueryKind::list},
    QueryMember{"TagKey", "TagKeys", QueryKind::list},
    QueryMember{"AWSAccountId", "AWSAccountIds", QueryKind::list},
    QueryMember{"ActionName", "Actions", QueryKind::list},
    QueryMember{"StringListValue", "StringListValues", QueryKind::list},
    QueryMember{"BinaryListValue", "BinaryListValues", QueryKind::list},
    QueryMember{"Attribute", "Attributes", QueryKind::map},
    QueryMember{"MessageAttribute", "MessageAttributes", QueryKind::map},
    QueryMember{"MessageSystemAttribute", "MessageSystemAttributes", QueryKind::map},
    QueryMember{"Tag", "Tags", QueryKind::map},
};

/// Writes fields as JSON. Names are read part by part; the elements of a list or a map have numbers, of which only the
/// order counts.
class QueryWriter {
 public:
  QueryWriter(std::string_view operation, std::string& out)
      : operation_(operation), entry_name_(std::string(operation) + "RequestEntry"), json_(out) {}

  /// `depth` bounds how many objects stand inside each other: what is nested deeper is null.
  void object(const QueryFields& fields, int depth) {
    std::map<std::string_view, QueryFields> members;
    for (QueryField field : fields) {
      const std::string_view name = take_part(field.name);
      members[name].push_back(field);
    }
    json_.begin_object();
    for (const auto& [name, parts] : members) member(name, parts, depth);
    json_.end_object();
  }

 private:
  using Elements = std::map<std::uint64_t, QueryFields>;

  void member(std::string_view name, const QueryFields& parts, int depth) {
    const QueryMember known = find(name);
    if (known.kind == QueryKind::list || known.kind == QueryKind::map) {
      json_.key(known.json_name);
      return known.kind == QueryKind::list ? list(parts, depth) : map(parts, depth);
    }
    const auto whole = std::find_if(parts.begin(), parts.end(), [](const auto& part) { return part.name.empty(); });
    if (whole == parts.end()) return;
    json_.key(name);
    // What is not a number stays text, and the operation refuses it.
    const auto number = encoding::parse_number<std::int64_t>(whole->value);
    if (known.kind == QueryKind::number && number)
      json_.value(*number);
    else
      json_.value(whole->value);
  }

  QueryMember find(std::string_view name) const {
    if (name == entry_name_ || name == "Entries") return {entry_name_, "Entries", QueryKind::list};
    for (QueryMember member : query_members) {
      if (member.name != name && member.json_name != name) continue;
      if (member.name == "Tag" && operation_ == "CreateQueue") member.json_name = "tags";
      return member;
    }
    return {name, name, QueryKind::text};
  }

  /// A lone element needs no number; a lone name without a value is how SDKs write that there is none.
  static Elements elements(const QueryFields& parts) {
    Elements found;
    for (QueryField part : parts) {
      std::string_view rest = part.name;
      const auto number = encoding::parse_number<std::uint64_t>(take_part(rest));
      if (number)
        part.name = rest;
      else if (part.name.empty() && part.value.empty())
        continue;
      found[number.value_or(0)].push_back(part);
    }
    return found;
  }

  void list(const QueryFields& parts, int depth) {
    json_.begin_array();
    for (const auto& [number, element] : elements(parts)) value(element, depth);
    json_.end_array();
  }

  void map(const QueryFields& parts, int depth) {
    json_.begin_object();
    for (const auto& [number, element] : elements(parts)) {
      std::string_view key;
      QueryFields values;
      for (QueryField field : element) {
        const std::string_view part = take_part(field.name);
        if (part == "Value") values.push_back(field);
        if ((part == "Name" || part == "Key") && key.empty()) key = field.value;
      }
      json_.key(key);
      value(values, depth);
    }
    json_.end_object();
  }

  void value(const QueryFields& fields, int depth) {
    if (!fields.empty() && fields.front().name.empty())
      json_.value(fields.front().value);
    else if (!fields.empty() && depth > 0)
      object(fields, depth - 1);
    else
      json_.null();
  }

  std::string_view operation_;
  std::string entry_name_;
  encoding::JsonWriter json_;
};

/// As AWS's list of common errors has it; the wire form is not recorded.
inline SqsError malformed_query() {
  return framework_error("MalformedQueryStringException", "MalformedQueryString",
                         "The query string contains a syntax error.", 404);
}
inline SqsError missing_action() {
  return framework_error("MissingActionException", "MissingAction", "The request must contain the parameter Action.");
}
}  // namespace detail

/// Reads a query from the body and the query string of the URL together. Without QueueUrl the queue is that of the
/// path. Versions are not told apart; that a name which comes twice is refused is not recorded from AWS.
inline SqsResult<SqsInvocation> read_query(const http::Request& request) {
  constexpr int entry_attribute_and_value = 3;
  const http::Url url = http::Url::parse(request.url).value_or(http::Url{});
  auto form = parse_form(request.body + "&" + url.query);
  if (!form) return detail::malformed_query();
  SqsInvocation query{.operation = (*form)["Action"]};
  if (query.operation.empty()) return detail::missing_action();
  std::string path_url = url.origin() + url.path;
  if (path_url.ends_with('/')) path_url.pop_back();
  if (url.path.size() > 1) form->emplace("QueueUrl", path_url);
  const detail::QueryFields fields(form->begin(), form->end());
  detail::QueryWriter(query.operation, query.parameters).object(fields, entry_attribute_and_value);
  return query;
}

}  // namespace dmq::inline DMQ_ABI::testing
