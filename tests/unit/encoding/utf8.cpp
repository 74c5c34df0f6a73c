#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/encoding/utf8.hpp>

using namespace dmq::encoding;
using Kind = TextFault::Kind;

namespace {

std::string encode(std::uint32_t c) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

/// Decodes by the bit patterns and then compares with the only right spelling: nothing in common with the table.
TextFault find_fault_slowly(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t size = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    if (size == 0 || i + size > text.size()) return {Kind::ill_formed, i};
    std::uint32_t c = size == 1 ? first : first & (0x7FU >> size);
    for (std::size_t k = 1; k < size; ++k) c = c << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) || encode(c) != text.substr(i, size)) return {Kind::ill_formed, i};
    const bool allowed =
        c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
    if (!allowed) return {Kind::forbidden, i, c};
    i += size;
  }
  return {};
}

void check_same(const std::string& text) {
  const TextFault fast = find_message_fault(text);
  const TextFault slow = find_fault_slowly(text);
  INFO("text: ", text);
  CHECK(fast.kind == slow.kind);
  CHECK(fast.offset == slow.offset);
  CHECK(fast.code_point == slow.code_point);
}

}  // namespace

TEST_CASE("every code point in its right spelling is UTF-8, and the queue's rule decides whether it may be sent") {
  std::uint32_t forbidden = 0;
  for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const std::string text = encode(c);
    const TextFault fault = find_message_fault(text);
    if (!is_utf8(text) || fault.kind == Kind::ill_formed) FAIL("well-formed, but refused: ", c);
    if (fault.kind == Kind::forbidden) {
      ++forbidden;
      REQUIRE(fault.code_point == c);
      REQUIRE((c < 0x20 || c == 0xFFFE || c == 0xFFFF));
    }
  }
  CHECK(forbidden == 29 + 2);
}

TEST_CASE("every sequence of two bytes, and of three from a lead byte, is judged as by the slow way") {
  for (unsigned a = 0; a < 256; ++a)
    for (unsigned b = 0; b < 256; ++b) {
      const std::string two{static_cast<char>(a), static_cast<char>(b)};
      const TextFault fault = find_message_fault(two);
      const TextFault slow = find_fault_slowly(two);
      if (fault.kind != slow.kind || fault.offset != slow.offset) check_same(two);
      if (a < 0xE0) continue;
      for (const char* tail : {"\x7f", "\x80", "\xbf", "\xc0", "\x80\x80", "\xbf\xbf", "\x80\x7f", "\x80\xc0"}) {
        const std::string more = two + tail;
        if (find_message_fault(more).kind != find_fault_slowly(more).kind) check_same(more);
      }
    }
}

TEST_CASE("each class of ill-formed text of the Unicode standard is found where it begins") {
  const std::string_view ill_formed[] = {
      "\x80",              // a tail without a lead
      "\xbf",              //
      "\xc0\xaf",          // overlong, two bytes
      "\xc1\xbf",          //
      "\xe0\x80\xaf",      // overlong, three bytes
      "\xe0\x9f\xbf",      //
      "\xf0\x80\x80\xaf",  // overlong, four bytes
      "\xf0\x8f\xbf\xbf",  //
      "\xed\xa0\x80",      // first surrogate
      "\xed\xbf\xbf",      // last surrogate
      "\xf4\x90\x80\x80",  // U+10FFFF and one
      "\xf5\x80\x80\x80",  // leads that lead nowhere
      "\xfe",              //
      "\xff",              //
      "\xc3",              // cut at the end
      "\xe2\x82",          //
      "\xf0\x9f\x98",      //
      "\xc3(",             // cut by another character
      "\xe2\x82(",         //
      "\xf0\x9f\x98(",     //
      "\xf0\x9f((",        //
  };
  for (const std::string_view bad : ill_formed) {
    CHECK_FALSE(is_utf8(bad));
    for (std::size_t before = 0; before < 20; ++before)
      for (const std::size_t after : {0U, 1U, 7U, 8U, 9U}) {
        const TextFault fault = find_message_fault(std::string(before, 'x').append(bad).append(after, 'x'));
        CHECK(fault.kind == Kind::ill_formed);
        CHECK(fault.offset == before);
      }
  }
}

TEST_CASE("a byte that is not printable is found at every place of every length") {
  for (std::size_t size = 1; size <= 26; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int c = 0; c < 256; ++c)
        for (const char filler : {' ', '\x7f'}) {
          std::string text(size, filler);
          text[at] = static_cast<char>(c);
          const TextFault fault = find_message_fault(text);
          const bool good = (c >= 0x20 && c < 0x80) || c == '\t' || c == '\n' || c == '\r';
          REQUIRE((fault.kind == Kind::none) == good);
          if (!good) REQUIRE(fault.offset == at);
        }
}

TEST_CASE("text is read to its end and no further") {
  for (std::size_t size = 0; size <= 18; ++size)
    for (const char last : {'x', '\xc3', '\xe2', '\xf0'}) {
      std::vector<char> exact(size, 'x');  // Nothing behind it, for the address sanitizer to see.
      if (size > 0) exact.back() = last;
      const std::string_view text(exact.data(), size);
      CHECK(is_utf8(text) == (size == 0 || last == 'x'));
      CHECK((find_message_fault(text).kind == Kind::none) == (size == 0 || last == 'x'));
    }
}

TEST_CASE("the eight-byte scan lets nothing through whatever its neighbours are") {
  dmq::Random random(8);
  for (int round = 0; round < 200'000; ++round) {
    char bytes[8];
    bool printable = true;
    for (char& c : bytes) {
      // Around the values where a subtraction borrows.
      c = "\x00\x01\x1f\x20\x21\x7e\x7f\x80\x9f\xa0\xff    "[random.below(15)];
      printable = printable && c >= ' ';
    }
    REQUIRE(detail::all_printable(bytes) == printable);
  }
}

TEST_CASE("random text is judged as by the slow way") {
  dmq::Random random(3629);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    while (text.size() < random.below(40)) {
      if (random.chance(0.7)) text.append(random.below(12), 'a');
      if (random.chance(0.6)) text.append(encode(static_cast<std::uint32_t>(random.below(0x110000))));
      if (random.chance(0.1)) text.push_back(static_cast<char>(random.next()));
    }
    if (random.chance(0.3)) text.resize(random.below(text.size() + 1));
    check_same(text);
  }
}

TEST_CASE("empty text has no fault") {
  CHECK(find_message_fault("").kind == Kind::none);
  CHECK(is_utf8({}));
}
