// SPDX-License-Identifier: GPL-3.0-or-later
// What pickles are written in: opcodes and the bytes after them.
#pragma once

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "adamerge/error.h"

namespace adamerge::pickle {

/// Opcodes, named as in Python's pickletools.
enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kEmptyDict = '}',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kEmptyList = ']',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kBinFloat = 'G',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
};

/// torch's classes of storages.
inline constexpr std::array<std::pair<std::string_view, at::ScalarType>, 10> kStorages{{
    {"FloatStorage", at::kFloat},
    {"HalfStorage", at::kHalf},
    {"BFloat16Storage", at::kBFloat16},
    {"DoubleStorage", at::kDouble},
    {"LongStorage", at::kLong},
    {"IntStorage", at::kInt},
    {"ShortStorage", at::kShort},
    {"CharStorage", at::kChar},
    {"ByteStorage", at::kByte},
    {"BoolStorage", at::kBool},
}};

/// Bytes from the first on.
class Bytes {
 public:
  Bytes(std::span<const std::uint8_t> bytes, const std::string& file)
      : bytes_(bytes), file_(file) {}

 protected:
  [[noreturn]] void fail(std::string_view problem) const {
    throw Error(fmt::format("{}: the pickle in it is broken: {}", file_, problem));
  }

  std::span<const std::uint8_t> take(std::uint64_t count) {
    if (count > bytes_.size() - position_) {
      fail(fmt::format("it ends at byte {} in the middle of a value", bytes_.size()));
    }
    const auto part = bytes_.subspan(position_, count);
    position_ += count;
    return part;
  }

  /// Little-endian, unsigned.
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    const auto part = take(width);
    for (std::size_t i = width; i-- > 0;) value = value << 8U | part[i];
    return value;
  }

  /// Two's complement.
  std::int64_t signedNumber(std::size_t width) {
    std::uint64_t value = number(width);
    const std::size_t bits = width * 8;
    if (bits > 0 && bits < 64 && (value >> (bits - 1U) & 1U) != 0) value |= ~0ULL << bits;
    return static_cast<std::int64_t>(value);
  }

  std::string text(std::uint64_t count) {
    const auto part = take(count);
    return {part.begin(), part.end()};
  }

  std::string line() {
    std::string result;
    for (char c = text(1)[0]; c != '\n'; c = text(1)[0]) result.push_back(c);
    return result;
  }

  double bigEndianDouble() {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : take(sizeof value)) value = value << 8U | byte;
    return std::bit_cast<double>(value);
  }

  /// How many were taken.
  std::size_t position() const { return position_; }

 private:
  std::span<const std::uint8_t> bytes_;
  const std::string& file_;
  std::size_t position_ = 0;
};

}  // namespace adamerge::pickle
