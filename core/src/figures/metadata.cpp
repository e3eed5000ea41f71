// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/metadata.h"

#include <cmath>
#include <cstdint>
#include <string_view>

namespace adamerge {
namespace {

/// Signature (8) and IHDR (4 length, 4 type, 13 data, 4 checksum), which always come first.
constexpr std::size_t kHeaderSize = 33;
constexpr double kInchesPerMetre = 1000.0 / 25.4;

std::uint32_t checksum(std::string_view bytes) {
  constexpr std::uint32_t kPolynomial = 0xEDB88320U;
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
  }
  return ~crc;
}

void appendBigEndian(std::string& bytes, std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes.push_back(static_cast<char>((value >> shift) & 0xFFU));
  }
}

/// Puts a chunk, given as its type and data, before the picture's data.
void insertChunk(std::string& png, const std::string& body) {
  if (png.size() < kHeaderSize) return;
  std::string chunk;
  appendBigEndian(chunk, static_cast<std::uint32_t>(body.size() - 4));
  chunk += body;
  appendBigEndian(chunk, checksum(body));
  png.insert(kHeaderSize, chunk);
}

}  // namespace

std::string xmlEscaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else {
      result += c;
    }
  }
  return result;
}

void setPngDensity(std::string& png, double dpi) {
  const auto per_metre = static_cast<std::uint32_t>(std::lround(dpi * kInchesPerMetre));
  std::string body = "pHYs";
  appendBigEndian(body, per_metre);
  appendBigEndian(body, per_metre);
  body.push_back(1);  // the unit is the metre
  insertChunk(png, body);
}

void setPngText(std::string& png, std::string_view keyword, std::string_view text) {
  std::string body = "iTXt";
  body += keyword;
  // End of the keyword, not compressed (two bytes), no language, no translated keyword.
  body.append(5, '\0');
  body += text;
  insertChunk(png, body);
}

void setSvgMetadata(std::string& svg, std::string_view id, std::string_view text) {
  const std::size_t opening = svg.find("<svg");
  const std::size_t end = opening == std::string::npos ? opening : svg.find('>', opening);
  if (end == std::string::npos) return;
  std::string element = "\n<metadata id=\"";
  element.append(id).append("\">").append(xmlEscaped(text)).append("</metadata>");
  svg.insert(end + 1, element);
}

}  // namespace adamerge
