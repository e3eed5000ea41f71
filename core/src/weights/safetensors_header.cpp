// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/safetensors_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "adamerge/error.h"
#include "weights/json_text.h"

namespace adamerge {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;
constexpr std::size_t kMaxRank = 16;
constexpr std::string_view kMetadata = "__metadata__";

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 10> kTypes{{
    {"F32", at::kFloat},
    {"F16", at::kHalf},
    {"BF16", at::kBFloat16},
    {"F64", at::kDouble},
    {"I64", at::kLong},
    {"I32", at::kInt},
    {"I16", at::kShort},
    {"I8", at::kChar},
    {"U8", at::kByte},
    {"BOOL", at::kBool},
}};

std::uint64_t headerLength(std::span<const std::uint8_t> bytes, const std::string& file) {
  if (bytes.size() < kLengthBytes) {
    throw Error(
        fmt::format("{}: has {} bytes, a safetensors file has at least 8", file, bytes.size()));
  }
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) length = length << 8U | bytes[i];
  if (length > kMaxHeader) {
    throw Error(fmt::format("{}: the safetensors header claims {} bytes, at most {} are allowed",
                            file, length, kMaxHeader));
  }
  if (length > bytes.size() - kLengthBytes) {
    throw Error(
        fmt::format("{}: the file has {} bytes, the safetensors header alone needs {}: is the "
                    "download incomplete?",
                    file, bytes.size(), length + kLengthBytes));
  }
  return length;
}

std::string_view headerText(std::span<const std::uint8_t> bytes, const std::string& file) {
  return {reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, headerLength(bytes, file)};
}

nlohmann::json parseHeader(std::string_view text, const std::string& file) {
  return parseJsonObject(text, file + ": the safetensors header");
}

/// Reads one entry, with offsets from the end of the header.
class EntryReader {
 public:
  EntryReader(const std::string& file, const std::string& name, const nlohmann::json& value)
      : file_(file), name_(name), value_(value) {}

  SafetensorsEntry read() const {
    if (!value_.is_object()) fail("its header entry is not an object");
    SafetensorsEntry entry;
    entry.name = name_;
    entry.type = type();
    std::uint64_t bytes = at::elementSize(entry.type);
    const nlohmann::json& shape = field("shape");
    if (!shape.is_array() || shape.size() > kMaxRank) fail("shape is not a list of up to 16 sizes");
    for (const nlohmann::json& size : shape) {
      const std::optional<std::uint64_t> value = natural(size);
      if (!value) fail("shape holds something else than natural numbers");
      entry.shape.push_back(static_cast<std::int64_t>(*value));
      if (__builtin_mul_overflow(bytes, *value, &bytes) || bytes > INT64_MAX) {
        fail("shape is too large for any memory");
      }
    }
    const nlohmann::json& offsets = field("data_offsets");
    if (!offsets.is_array() || offsets.size() != 2) fail("data_offsets is not a pair");
    const auto begin = natural(offsets[0]);
    const auto end = natural(offsets[1]);
    if (!begin || !end) fail("data_offsets holds something else than natural numbers");
    if (*begin > *end) fail(fmt::format("data_offsets begin at {} and end at {}", *begin, *end));
    if (*end - *begin != bytes) {
      fail(fmt::format("data_offsets span {} bytes, shape [{}] of {} needs {}", *end - *begin,
                       fmt::join(entry.shape, ", "), field("dtype").get<std::string>(), bytes));
    }
    entry.begin = *begin;
    entry.end = *end;
    return entry;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(fmt::format("{}: tensor '{}': {}", file_, printable(name_), problem));
  }

  const nlohmann::json& field(const char* key) const {
    const auto found = value_.find(key);
    if (found == value_.end()) fail(fmt::format("its header entry has no {}", key));
    return *found;
  }

  at::ScalarType type() const {
    const nlohmann::json& value = field("dtype");
    if (!value.is_string()) fail("dtype is not a text");
    const auto text = value.get<std::string>();
    std::string known;
    for (const auto& [name, type] : kTypes) {
      if (name == text) return type;
      known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
    }
    fail(fmt::format("dtype {} is not supported; supported are {}", printable(text), known));
  }

  static std::optional<std::uint64_t> natural(const nlohmann::json& value) {
    if (!value.is_number_unsigned()) return std::nullopt;
    const auto number = value.get<std::uint64_t>();
    if (number > INT64_MAX) return std::nullopt;
    return number;
  }

  const std::string& file_;
  const std::string& name_;
  const nlohmann::json& value_;
};

/// Whether the entries, sorted by place, lie end to end over exactly `size` bytes.
void checkLayout(const std::vector<SafetensorsEntry>& entries, std::uint64_t size,
                 std::uint64_t data_begin, const std::string& file) {
  const auto needed = std::max_element(entries.begin(), entries.end(),
                                       [](const auto& a, const auto& b) { return a.end < b.end; });
  if (needed != entries.end() && needed->end > size) {
    throw Error(fmt::format(
        "{}: the file has {} bytes, its header needs {} (tensor '{}'): is the download incomplete?",
        file, size + data_begin, needed->end + data_begin, printable(needed->name)));
  }
  std::uint64_t end = 0;
  std::string_view previous;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin < end) {
      throw Error(fmt::format("{}: tensors '{}' and '{}' overlap at byte {} of the data", file,
                              printable(previous), printable(entry.name), entry.begin));
    }
    if (entry.begin > end) {
      throw Error(fmt::format("{}: {} bytes before tensor '{}' belong to no tensor", file,
                              entry.begin - end, printable(entry.name)));
    }
    end = entry.end;
    previous = entry.name;
  }
  if (end != size) {
    throw Error(fmt::format("{}: the file has {} bytes, its header accounts for {}", file,
                            size + data_begin, end + data_begin));
  }
}

}  // namespace

std::vector<SafetensorsEntry> readSafetensorsHeader(std::span<const std::uint8_t> bytes,
                                                    const std::string& file) {
  const std::string_view text = headerText(bytes, file);
  const nlohmann::json header = parseHeader(text, file);
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadata) entries.push_back(EntryReader(file, name, value).read());
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  const std::uint64_t data_begin = kLengthBytes + text.size();
  checkLayout(entries, bytes.size() - data_begin, data_begin, file);
  for (SafetensorsEntry& entry : entries) {
    entry.begin += data_begin;
    entry.end += data_begin;
  }
  return entries;
}

std::map<std::string, std::string, std::less<>> readSafetensorsHeaderTexts(
    std::span<const std::uint8_t> bytes, const std::string& file) {
  std::map<std::string, std::string, std::less<>> texts;
  const nlohmann::json header = parseHeader(headerText(bytes, file), file);
  const auto found = header.find(kMetadata);
  if (found == header.end()) return texts;
  for (const auto& [name, value] : found->items()) {
    if (value.is_string()) texts.emplace(name, value.get<std::string>());
  }
  return texts;
}

std::string_view safetensorsTypeName(at::ScalarType type) {
  for (const auto& [name, known] : kTypes) {
    if (known == type) return name;
  }
  throw Error(fmt::format("safetensors has no name for the type {}", c10::toString(type)));
}

}  // namespace adamerge
