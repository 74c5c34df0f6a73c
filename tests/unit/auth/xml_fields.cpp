#include <doctest/doctest.h>

#include <string>

#include <dmq/auth/xml_fields.hpp>

using dmq::ErrorKind;
using dmq::auth::read_xml_fields;
using dmq::auth::XmlFields;

TEST_CASE("elements without children are found by their paths") {
  const XmlFields fields = read_xml_fields(
                               "<?xml version=\"1.0\"?>\n<Root xmlns=\"http://x/\">\n  <A>\n    <B>one</B><C/>"
                               "<D x='1'>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</D>\n  </A><A><B>two</B></A></Root>\n")
                               .value();
  CHECK(fields.at("A/B") == "one");
  CHECK(fields.at("A/C").empty());
  CHECK(fields.at("A/D") == "<&>\"'AB");
  CHECK(fields.size() == 3);
}

TEST_CASE("what is not well-formed, or more than is needed, is refused and not quoted") {
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += "<a>";
  for (int i = 0; i < 17; ++i) deep += "</a>";
  for (const std::string& text : {std::string(),
                                  std::string("hunter2"),
                                  std::string("<a>"),
                                  std::string("<a>hunter2</b>"),
                                  std::string("<a><b></a></b>"),
                                  std::string("</a>"),
                                  std::string("<a></a><b></b>"),
                                  std::string("<a>&hunter2;</a>"),
                                  std::string("<a>&#233;</a>"),
                                  std::string("<a>&#0;</a>"),
                                  std::string("<a>&amp</a>"),
                                  std::string("<a/>x"),
                                  std::string("<!DOCTYPE a><a/>"),
                                  std::string("<a><!-- x --></a>"),
                                  std::string("<a><![CDATA[x]]></a>"),
                                  std::string("<a><?x?></a>"),
                                  std::string("<>x</>"),
                                  std::string("<a"),
                                  std::string("<a>x"),
                                  deep}) {
    const auto fields = read_xml_fields(text);
    REQUIRE_MESSAGE(!fields, text);
    CHECK(fields.error().kind == ErrorKind::protocol);
    CHECK(fields.error().message == "not the XML that was expected");
  }
}
