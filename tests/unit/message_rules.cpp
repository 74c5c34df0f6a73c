#include <doctest/doctest.h>

#include <cctype>
#include <string>

#include <dmq/message_rules.hpp>

using dmq::Attribute;
using dmq::DeliveryState;
using dmq::ErrorKind;
using dmq::Message;
using dmq::QueueType;
using dmq::validate;

namespace {

Message valid() {
  return {.body = "hello", .group = "g"};
}

/// The text of the refusal, which is always invalid_argument and not_sent.
std::string refusal(const Message& message, QueueType type = QueueType::fifo) {
  const auto ok = validate(message, type);
  if (ok) return "";
  CHECK(ok.error().kind == ErrorKind::invalid_argument);
  CHECK(ok.error().delivery == DeliveryState::not_sent);
  return ok.error().message;
}

std::string body_refusal(std::string body) {
  Message message = valid();
  message.body = std::move(body);
  return refusal(message);
}

std::string attribute_refusal(std::string name, Attribute attribute) {
  Message message = valid();
  message.attributes.emplace(std::move(name), std::move(attribute));
  return refusal(message);
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a body and a group are all a message needs") {
  CHECK(refusal(valid()) == "");
}

TEST_CASE("an empty body is refused") {
  CHECK(says(body_refusal(""), "the body is empty"));
}

TEST_CASE("body and attributes have 1 MiB together") {
  Message message = valid();
  message.body.assign(1048576, 'x');
  CHECK(refusal(message) == "");
  message.body.push_back('x');
  CHECK(says(refusal(message), "1048577 bytes"));
  // Name, type and value count.
  message.body.assign(1048576 - 4 - 6 - 4, 'x');
  message.attributes.emplace("name", Attribute::text("four"));
  CHECK(refusal(message) == "");
  message.attributes["name"].value = "fives";
  CHECK(says(refusal(message), "1048577 bytes, attributes included"));
}

TEST_CASE("a body that is not UTF-8 is refused at its byte") {
  CHECK(says(body_refusal("abc\xFF"), "not UTF-8 at byte 3"));
  CHECK(says(body_refusal("\xC3"), "not UTF-8 at byte 0"));
  CHECK(says(body_refusal("0123456789\xED\xA0\x80"), "not UTF-8 at byte 10"));
  CHECK(says(body_refusal("\xC0\xAF"), "not UTF-8 at byte 0"));
}

TEST_CASE("a character that SQS does not carry is refused by its name and byte") {
  CHECK(says(body_refusal(std::string("ab\0", 3)), "U+0000 at byte 2"));
  CHECK(says(body_refusal("\x1B[31m"), "U+001B at byte 0"));
  CHECK(says(body_refusal("\xC3\xA4\xEF\xBF\xBE"), "U+FFFE at byte 2"));
  CHECK(says(body_refusal("\xEF\xBF\xBF"), "U+FFFF at byte 0"));
}

TEST_CASE("every other character passes") {
  CHECK(body_refusal(
            "\t\n\r \x7F \xC2\x80\xC2\x9F\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBD\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF") == "");
}

TEST_CASE("a group has 1 to 128 printable ASCII characters without the space") {
  const auto with = [](std::string group) {
    Message message = valid();
    message.group = std::move(group);
    return refusal(message);
  };
  CHECK(says(with(""), "the group must be 1 to 128 characters long, not 0"));
  CHECK(with(std::string(128, 'g')) == "");
  CHECK(says(with(std::string(129, 'g')), "not 129"));
  CHECK(says(with("a b"), "byte 1"));
  CHECK(says(with("ab\n"), "byte 2"));
  CHECK(says(with("gr\xC3\xBC"), "byte 2"));
  CHECK(says(with("\x7F"), "byte 0"));
  for (char c = '!'; c <= '~'; ++c) CHECK(with(std::string(1, c)) == "");
}

TEST_CASE("a deduplication id has the same alphabet, and may be absent") {
  const auto with = [](std::string id) {
    Message message = valid();
    message.deduplication_id = std::move(id);
    return refusal(message);
  };
  CHECK(with("") == "");
  CHECK(with(std::string(128, '~')) == "");
  CHECK(says(with(std::string(129, 'i')), "the deduplication id must be 1 to 128 characters long, not 129"));
  CHECK(says(with("id "), "byte 2"));
}

TEST_CASE("a standard queue needs no group, and takes no deduplication id") {
  Message message{.body = "b"};
  CHECK(refusal(message, QueueType::standard) == "");
  message.group = "fair";
  CHECK(refusal(message, QueueType::standard) == "");
  message.group = "not fair";
  CHECK(says(refusal(message, QueueType::standard), "byte 3"));
  message = {.body = "b", .deduplication_id = "i"};
  CHECK(says(refusal(message, QueueType::standard), "no deduplication id"));
}

TEST_CASE("only a standard queue takes a delay, of 15 minutes at most") {
  Message message = valid();
  message.delay = std::chrono::seconds(1);
  CHECK(says(refusal(message), "no delay for one message"));
  CHECK(refusal(message, QueueType::standard) == "");
  message.delay = std::chrono::seconds(900);
  CHECK(refusal(message, QueueType::standard) == "");
  message.delay = std::chrono::seconds(901);
  CHECK(says(refusal(message, QueueType::standard), "0 to 900 s, not 901"));
  message.delay = std::chrono::seconds(-1);
  CHECK(says(refusal(message, QueueType::standard), "not -1"));
}

TEST_CASE("a message has ten attributes at most") {
  Message message = valid();
  for (int i = 0; i < 10; ++i) message.attributes.emplace("a" + std::to_string(i), Attribute::text("v"));
  CHECK(refusal(message) == "");
  message.attributes.emplace("b", Attribute::text("v"));
  CHECK(says(refusal(message), "11 attributes"));
}

TEST_CASE("the name of an attribute has its own rules") {
  const Attribute value = Attribute::text("v");
  CHECK(attribute_refusal("Aa0_-.z", value) == "");
  CHECK(attribute_refusal(std::string(256, 'n'), value) == "");
  CHECK(says(attribute_refusal(std::string(257, 'n'), value), "1 to 256 bytes"));
  CHECK(says(attribute_refusal("", value), "1 to 256 bytes"));
  for (const char* name : {"a b", "a/b", "\xC3\xA4", "a\n"})
    CHECK_MESSAGE(says(attribute_refusal(name, value), "may hold letters"), name);
  for (const char* name : {"AWS.x", "aws.x", "Amazon.x", "AMAZON.x", "aWs."})
    CHECK_MESSAGE(says(attribute_refusal(name, value), "reserved"), name);
  for (const char* name : {".a", "a.", "a..b", "."}) CHECK_MESSAGE(says(attribute_refusal(name, value), "dot"), name);
  CHECK(attribute_refusal("AWSx", value) == "");
  CHECK(attribute_refusal("Amazonx", value) == "");
}

TEST_CASE("the type of an attribute is one of three, with an optional label") {
  for (const char* type : {"String", "Number", "Binary", "String.x", "Number.int", "Binary.png", "Binary.a.b"})
    CHECK_MESSAGE(attribute_refusal("a", {type, "1"}) == "", type);
  for (const char* type : {"", "string", "Text", "Strings", "String.", "Number.int.", ".String", "Binary2"})
    CHECK_MESSAGE(says(attribute_refusal("a", {type, "1"}), "must be String, Number or Binary"), type);
  CHECK(attribute_refusal("a", {"String." + std::string(249, 'l'), "v"}) == "");
  CHECK(says(attribute_refusal("a", {"String." + std::string(250, 'l'), "v"}), "its type"));
  CHECK(says(attribute_refusal("a", {"String.\xFF", "v"}), "not UTF-8 at byte 7"));
  CHECK(says(attribute_refusal("a", {"String.\x01", "v"}), "U+0001 at byte 7"));
}

TEST_CASE("the value of an attribute is there, and is what its type says") {
  for (const char* type : {"String", "Number", "Binary"})
    CHECK_MESSAGE(says(attribute_refusal("a", {type, ""}), "has no value"), type);
  CHECK(says(attribute_refusal("a", Attribute::text("ab\xFF")), "attribute \"a\" is not UTF-8 at byte 2"));
  CHECK(says(attribute_refusal("a", Attribute::text("\x02")), "U+0002 at byte 0"));
  CHECK(attribute_refusal("a", Attribute::binary(std::string("\0\xFF\x01", 3))) == "");
}

TEST_CASE("a number is decimal, with 38 digits at most") {
  for (const char* number : {"0", "-1", "+1", "1.5", ".5", "5.", "1e9", "-12.5E-3", "00",
                             "12345678901234567890123456789012345678", "1e+126"})
    CHECK_MESSAGE(attribute_refusal("a", Attribute::number(number)) == "", number);
  for (const char* number : {"", ".", "-", "e5", "1e", "1e+", "0x10", "1,5", " 1", "1 ", "--1", "NaN", "inf", "1.2.3",
                             "123456789012345678901234567890123456789"})
    CHECK_MESSAGE(attribute_refusal("a", Attribute::number(number)) != "", number);
  CHECK(says(attribute_refusal("a", {"Number.int", "x"}), "is not a number"));
}

TEST_CASE("a trace header is printable ASCII") {
  Message message = valid();
  message.trace_header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";
  CHECK(refusal(message) == "");
  message.trace_header = "Root=1\r\nX: y";
  CHECK(says(refusal(message), "byte 6"));
  message.trace_header = "\xC3\xA4";
  CHECK(says(refusal(message), "byte 0"));
}
