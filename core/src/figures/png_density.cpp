// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/png_density.h"

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

}  // namespace

void setPngDensity(std::string& png, double dpi) {
  if (png.size() < kHeaderSize) return;
  const auto per_metre = static_cast<std::uint32_t>(std::lround(dpi * kInchesPerMetre));
  std::string body = "pHYs";
  appendBigEndian(body, per_metre);
  appendBigEndian(body, per_metre);
  body.push_back(1);  // the unit is the metre
  std::string chunk;
  appendBigEndian(chunk, static_cast<std::uint32_t>(body.size() - 4));
  chunk += body;
  appendBigEndian(chunk, checksum(body));
  png.insert(kHeaderSize, chunk);
}

}  // namespace adamerge
