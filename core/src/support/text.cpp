// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/text.h"

#include <algorithm>
#include <utility>

#include "adamerge/error.h"

namespace adamerge {
namespace {

using namespace std::string_view_literals;

void appendUtf8(std::string& text, char32_t c) {
  const auto add = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  const auto follow = [&](int shift) { add(0x80U | ((c >> shift) & 0x3FU)); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0U | (c >> 6));
    follow(0);
  } else if (c < 0x10000) {
    add(0xE0U | (c >> 12));
    follow(6);
    follow(0);
  } else {
    add(0xF0U | (c >> 18));
    follow(12);
    follow(6);
    follow(0);
  }
}

std::string fromUtf16(std::string_view bytes, bool big_endian) {
  const auto fail = [] { return Error("broken text: half a character of UTF-16"); };
  const auto unit = [&](std::size_t at) -> char32_t {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const auto second = static_cast<unsigned char>(bytes[at + 1]);
    return big_endian ? first << 8U | second : second << 8U | first;
  };
  const auto surrogate = [](char32_t c, char32_t base) { return (c & 0xFC00U) == base; };
  if (bytes.size() % 2 != 0) throw fail();
  std::string text;
  text.reserve(bytes.size() / 2);
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    char32_t c = unit(at);
    if (surrogate(c, 0xDC00)) throw fail();
    if (surrogate(c, 0xD800)) {
      at += 2;
      if (at >= bytes.size() || !surrogate(unit(at), 0xDC00)) throw fail();
      c = 0x10000 + ((c - 0xD800) << 10U) + (unit(at) - 0xDC00);
    }
    appendUtf8(text, c);
  }
  return text;
}

}  // namespace

std::string utf8Text(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF"sv)) return std::string(bytes.substr(3));
  if (bytes.starts_with("\xFF\xFE"sv)) return fromUtf16(bytes.substr(2), false);
  if (bytes.starts_with("\xFE\xFF"sv)) return fromUtf16(bytes.substr(2), true);
  // Without a mark: of ASCII's characters, one byte is 0.
  if (bytes.size() >= 2 && (bytes[0] == 0) != (bytes[1] == 0)) {
    return fromUtf16(bytes, bytes[0] == 0);
  }
  return std::string(bytes);
}

bool sameName(std::string_view a, std::string_view b) {
  const auto plain = [](char letter) {
    if (letter >= 'A' && letter <= 'Z') return static_cast<char>(letter - 'A' + 'a');
    return letter == '_' ? '-' : letter;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char left, char right) { return plain(left) == plain(right); });
}

std::string csvQuoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) result.append(c == '"' ? 2 : 1, c);
  return result + '"';
}

std::string csvUnquoted(std::string_view field) {
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return std::string(field);
  field = field.substr(1, field.size() - 2);
  std::string text;
  text.reserve(field.size());
  for (std::size_t at = 0; at < field.size(); ++at) {
    text.push_back(field[at]);
    if (field[at] == '"' && at + 1 < field.size() && field[at + 1] == '"') ++at;
  }
  return text;
}

std::size_t splitCsvRow(std::string_view text, std::size_t at,
                        std::vector<std::string_view>& fields) {
  fields.clear();
  std::size_t begin = at;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') quoted = !quoted;
    if (quoted || (c != ',' && c != '\n')) continue;
    std::size_t end = at;
    if (c == '\n' && end > begin && text[end - 1] == '\r') --end;
    fields.push_back(text.substr(begin, end - begin));
    begin = at + 1;
    if (c == '\n') return begin;
  }
  return std::string_view::npos;
}

std::string oneLine(std::string text) {
  constexpr char kDelete = 0x7F;
  for (char& c : text) {
    if ((c >= 0 && c < ' ') || c == kDelete) c = ' ';
  }
  return text;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string result(text.substr(0, limit));
  for (char& c : result) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (text.size() > limit) result += "...";
  return result;
}

Error::Error(std::string sentence) : std::runtime_error(oneLine(std::move(sentence))) {}

}  // namespace adamerge
