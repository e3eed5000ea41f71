// SPDX-License-Identifier: GPL-3.0-or-later
// Tells whether two things are the same, with no claim against forgery (64-bit FNV-1a).
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace adamerge {

class Fingerprint {
 public:
  /// The length goes in too, so that "ab", "c" differs from "a", "bc".
  void add(std::string_view bytes) {
    add(bytes.size());
    for (const char byte : bytes) mix(static_cast<unsigned char>(byte));
  }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) mix(static_cast<unsigned char>(number >> shift));
  }
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  void mix(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001B3ULL; }
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace adamerge
