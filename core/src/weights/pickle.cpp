// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/pickle.h"

#include <fmt/format.h>

#include <bit>
#include <iterator>

#include "weights/pickle_machine.h"

namespace adamerge::pickle {
namespace {

/// Opcodes, named as in Python's pickletools.
enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
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
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

class Parser {
 public:
  Parser(std::span<const std::uint8_t> bytes, const std::string& file)
      : bytes_(bytes), machine_(file) {}

  Document parse() {
    for (;;) {
      const auto opcode = static_cast<Opcode>(number(1));
      if (opcode == kStop) return machine_.finish();
      if (!pushesConstant(opcode) && !usesMemo(opcode)) combine(opcode);
    }
  }

 private:
  std::span<const std::uint8_t> take(std::uint64_t count) {
    if (count > bytes_.size() - position_) {
      machine_.fail(fmt::format("it ends at byte {} in the middle of a value", bytes_.size()));
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

  /// Two's complement of `width` bytes.
  Value longInteger(std::size_t width) {
    if (width > sizeof(std::uint64_t)) {
      take(width);
      return Nothing{};
    }
    std::uint64_t value = number(width);
    const std::size_t bits = width * 8;
    if (bits > 0 && bits < 64 && (value >> (bits - 1U) & 1U) != 0) value |= ~0ULL << bits;
    return static_cast<std::int64_t>(value);
  }

  bool pushesConstant(Opcode opcode) {
    switch (opcode) {
      case kNone:
        machine_.push(Nothing{});
        return true;
      case kNewTrue:
      case kNewFalse:
        machine_.push(opcode == kNewTrue);
        return true;
      case kBinInt:
        machine_.push(longInteger(4));
        return true;
      case kBinInt1:
        machine_.push(static_cast<std::int64_t>(number(1)));
        return true;
      case kBinInt2:
        machine_.push(static_cast<std::int64_t>(number(2)));
        return true;
      case kLong1:
        machine_.push(longInteger(number(1)));
        return true;
      case kBinFloat:
        machine_.push(bigEndianDouble());
        return true;
      case kShortBinUnicode:
        machine_.push(text(number(1)));
        return true;
      case kBinUnicode:
        machine_.push(text(number(4)));
        return true;
      case kBinUnicode8:
        machine_.push(text(number(8)));
        return true;
      case kEmptyDict:
        machine_.push(Dict{});
        return true;
      case kEmptyList:
        machine_.push(Sequence{});
        return true;
      case kEmptyTuple:
        machine_.push(Sequence{true, {}});
        return true;
      default:
        return false;
    }
  }

  bool usesMemo(Opcode opcode) {
    switch (opcode) {
      case kBinPut:
        machine_.store(number(1));
        return true;
      case kLongBinPut:
        machine_.store(number(4));
        return true;
      case kMemoize:
        machine_.memoize();
        return true;
      case kBinGet:
        machine_.recall(number(1));
        return true;
      case kLongBinGet:
        machine_.recall(number(4));
        return true;
      default:
        return false;
    }
  }

  void combine(Opcode opcode) {
    switch (opcode) {
      case kProto:
        take(1);
        return;
      case kFrame:
        take(8);
        return;
      case kMark:
        return machine_.mark();
      case kTuple:
        return machine_.tupleFromMark();
      case kTuple1:
      case kTuple2:
      case kTuple3:
        return machine_.tuple(1U + opcode - kTuple1);
      case kAppend:
        return machine_.append();
      case kAppends:
        return machine_.appendsFromMark();
      case kSetItem:
        return machine_.setItem();
      case kSetItems:
        return machine_.setItemsFromMark();
      case kGlobal: {
        const std::string module = line();
        return machine_.global(module, line());
      }
      case kStackGlobal:
        return machine_.stackGlobal();
      case kReduce:
        return machine_.reduce();
      case kBuild:
        return machine_.build();
      case kBinPersId:
        return machine_.persistentId();
      default:
        machine_.fail(fmt::format("no state dict has opcode 0x{:02x} (byte {})",
                                  static_cast<unsigned>(opcode), position_ - 1));
    }
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
  Machine machine_;
};

}  // namespace

std::string_view kindName(const Value& value) {
  constexpr std::string_view kNames[] = {"None",   "a truth value", "a number", "a number",
                                         "a text", "a list",        "a dict",   "a function",
                                         "a type", "a storage",     "a tensor"};
  static_assert(std::size(kNames) == std::variant_size_v<Value>);
  return kNames[value.index()];
}

Document parse(std::span<const std::uint8_t> bytes, const std::string& file) {
  return Parser(bytes, file).parse();
}

}  // namespace adamerge::pickle
