// SPDX-License-Identifier: GPL-3.0-or-later
// Finds the provenance in figures: a PNG's text chunk, an SVG's metadata, a PDF's keywords.
#include <glib.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adamerge/provenance.h"
#include "figures/metadata.h"
#include "support/files.h"

namespace adamerge {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 30U;
constexpr std::string_view kPngSignature("\x89PNG\r\n\x1a\n", 8);

std::uint32_t bigEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) {
    value = value << 8U | static_cast<unsigned char>(byte);
  }
  return value;
}

/// Cuts off the text before the next zero byte; nullopt where there is none.
std::optional<std::string_view> takeText(std::string_view& rest) {
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return text;
}

/// The text of an iTXt or tEXt chunk with our keyword. Other programs rewrite one as the other.
std::optional<std::string> chunkText(std::string_view type, std::string_view data) {
  if (type != "iTXt" && type != "tEXt") return std::nullopt;
  if (takeText(data) != kPngKeyword) return std::nullopt;
  if (type == "tEXt") return std::string(data);
  constexpr std::size_t kFlags = 2;
  if (data.size() < kFlags || data[0] != 0) return std::nullopt;  // compressed
  data.remove_prefix(kFlags);
  if (!takeText(data) || !takeText(data)) return std::nullopt;  // language, translated keyword
  return std::string(data);
}

std::string fromPng(std::string_view bytes) {
  constexpr std::size_t kFrame = 12;  // length, type, checksum
  bytes.remove_prefix(kPngSignature.size());
  while (bytes.size() >= kFrame) {
    const std::size_t length = bigEndian(bytes);
    if (length > bytes.size() - kFrame) break;
    if (auto text = chunkText(bytes.substr(4, 4), bytes.substr(8, length))) return *text;
    bytes.remove_prefix(length + kFrame);
  }
  return {};
}

std::string unescaped(std::string_view text) {
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string result;
  while (!text.empty()) {
    const auto* const entity =
        std::find_if(std::begin(kEntities), std::end(kEntities),
                     [&](const auto& known) { return text.starts_with(known.first); });
    const bool found = entity != std::end(kEntities);
    result += found ? entity->second : text.front();
    text.remove_prefix(found ? entity->first.size() : 1);
  }
  return result;
}

std::string fromSvg(std::string_view bytes) {
  const std::string opening = "<metadata id=\"" + std::string(kSvgId) + "\">";
  const std::size_t begin = bytes.find(opening);
  if (begin == std::string_view::npos) return {};
  bytes.remove_prefix(begin + opening.size());
  return unescaped(bytes.substr(0, bytes.find("</metadata>")));
}

/// A literal string: a backslash stands before what would end it.
std::string literal(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size() && bytes[i] != ')'; ++i) {
    if (bytes[i] == '\\' && i + 1 < bytes.size()) ++i;
    text += bytes[i];
  }
  return text;
}

/// UTF-16 in hexadecimal digits, which Cairo writes where a literal string would need escapes.
std::string utf16(std::string_view digits) {
  constexpr std::size_t kDigits = 4;
  std::vector<gunichar2> units;
  for (std::size_t i = 0; i + kDigits <= digits.size(); i += kDigits) {
    gunichar2 unit = 0;
    const char* const end = digits.data() + i + kDigits;
    if (std::from_chars(digits.data() + i, end, unit, 16).ptr != end) return {};
    units.push_back(unit);
  }
  const std::unique_ptr<gchar, decltype(&g_free)> text(
      g_utf16_to_utf8(units.data(), static_cast<glong>(units.size()), nullptr, nullptr, nullptr),
      &g_free);
  return text ? text.get() : std::string();
}

std::string fromPdf(std::string_view bytes) {
  constexpr std::string_view kKey = "/Keywords ";
  constexpr std::string_view kByteOrder = "<FEFF";
  const std::size_t begin = bytes.find(kKey);
  if (begin == std::string_view::npos) return {};
  bytes.remove_prefix(begin + kKey.size());
  if (bytes.starts_with('(')) return literal(bytes.substr(1));
  if (!bytes.starts_with(kByteOrder)) return {};
  bytes.remove_prefix(kByteOrder.size());
  return utf16(bytes.substr(0, bytes.find('>')));
}

}  // namespace

std::string readProvenance(const std::filesystem::path& path) {
  const std::string bytes = readTextFile(path, kLargestFile);
  if (bytes.starts_with(kPngSignature)) return fromPng(bytes);
  if (bytes.starts_with("%PDF-")) return fromPdf(bytes);
  if (bytes.starts_with("<?xml") || bytes.starts_with("<svg")) return fromSvg(bytes);
  return {};
}

}  // namespace adamerge
