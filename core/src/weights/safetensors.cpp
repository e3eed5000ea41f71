// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "adamerge/error.h"
#include "support/files.h"
#include "support/json.h"
#include "support/text.h"

namespace adamerge {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;
constexpr std::size_t kMaxRank = 16;
constexpr std::string_view kMetadata = "__metadata__";
constexpr std::size_t kAlignment = 8;

struct Type {
  std::string_view name;
  std::size_t width;    ///< bytes
  at::ScalarType type;  ///< Undefined: one that LibTorch has no arithmetic for
};
constexpr std::array<Type, 17> kTypes{{
    {"F32", 4, at::kFloat},
    {"F16", 2, at::kHalf},
    {"BF16", 2, at::kBFloat16},
    {"F64", 8, at::kDouble},
    {"I64", 8, at::kLong},
    {"I32", 4, at::kInt},
    {"I16", 2, at::kShort},
    {"I8", 1, at::kChar},
    {"U8", 1, at::kByte},
    {"BOOL", 1, at::kBool},
    {"U16", 2, at::ScalarType::Undefined},
    {"U32", 4, at::ScalarType::Undefined},
    {"U64", 8, at::ScalarType::Undefined},
    {"C64", 8, at::ScalarType::Undefined},
    {"F8_E4M3", 1, at::ScalarType::Undefined},
    {"F8_E5M2", 1, at::ScalarType::Undefined},
    {"F8_E8M0", 1, at::ScalarType::Undefined},
}};

std::string supportedTypes() {
  std::string names;
  for (const Type& type : kTypes) {
    if (type.type == at::ScalarType::Undefined) continue;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", type.name);
  }
  return names;
}

nlohmann::json parseHeader(std::string_view text, const std::string& name) {
  const std::string what = name + ": the safetensors header";
  nlohmann::json header = parseJsonObject(text, what);
  // Of two entries of one name the parser keeps one; the format allows none.
  std::set<std::string> names;
  std::string twice;
  const auto note = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    if (event != nlohmann::json::parse_event_t::key || depth != 1) return depth < 1;
    if (!names.insert(value.get<std::string>()).second) twice = value.get<std::string>();
    return false;
  };
  std::ignore = nlohmann::json::parse(text.begin(), text.end(), note);
  if (!twice.empty()) {
    throw Error(fmt::format("{}: two tensors are called '{}'", name, printable(twice)));
  }
  return header;
}

/// Reads one entry, with offsets from the end of the header.
class EntryReader {
 public:
  EntryReader(const std::string& file, const std::string& name, const nlohmann::json& value)
      : file_(file), name_(name), value_(value) {}

  SafetensorsEntry read() const {
    if (!value_.is_object()) fail("its header entry is not an object");
    const Type* known = type();
    SafetensorsEntry entry{name_, known->name, known->type, known->width, {}, 0, 0};
    std::uint64_t bytes = entry.width;
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
                       fmt::join(entry.shape, ", "), entry.dtype, bytes));
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

  const Type* type() const {
    const nlohmann::json& value = field("dtype");
    if (!value.is_string()) fail("dtype is not a text");
    const auto& text = value.get_ref<const std::string&>();
    for (const Type& type : kTypes) {
      if (type.name == text) return &type;
    }
    fail(fmt::format("dtype {} is not supported; supported are {}", printable(text),
                     supportedTypes()));
  }

  static std::optional<std::uint64_t> natural(const nlohmann::json& value) {
    return wholeNumber<std::uint64_t>(value, 0, INT64_MAX);
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

at::Tensor tensorOf(const SafetensorsEntry& entry, std::uint64_t data_begin,
                    const std::shared_ptr<const MappedFile>& file) {
  const at::ScalarType type = entry.type;
  if (type == at::ScalarType::Undefined) {
    throw Error(fmt::format("{}: tensor '{}': dtype {} is not supported; supported are {}",
                            file->name(), printable(entry.name), entry.dtype, supportedTypes()));
  }
  const std::uint8_t* data = file->bytes().data() + data_begin + entry.begin;
  if (reinterpret_cast<std::uintptr_t>(data) % entry.width != 0) {
    at::Tensor copy = at::empty(entry.shape, at::TensorOptions(type));
    std::memcpy(copy.data_ptr(), data, entry.end - entry.begin);
    return copy;
  }
  // from_blob takes no const pointer; nobody writes to a state dict.
  return at::from_blob(
      const_cast<std::uint8_t*>(data), entry.shape, [file](void*) {}, at::TensorOptions(type));
}

SafetensorsMetadata metadataOf(const nlohmann::json& header) {
  SafetensorsMetadata texts;
  const auto found = header.find(kMetadata);
  if (found == header.end()) return texts;
  for (const auto& [name, value] : found->items()) {
    if (value.is_string()) texts.emplace(name, value.get<std::string>());
  }
  return texts;
}

std::string_view typeName(at::ScalarType type) {
  for (const Type& known : kTypes) {
    if (known.type == type) return known.name;
  }
  throw Error(fmt::format("safetensors has no name for the type {}", c10::toString(type)));
}

std::string littleEndian(std::uint64_t value) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

}  // namespace

bool looksLikeSafetensors(const MappedFile& file) {
  const std::string_view text = file.text();
  // Text has no zero bytes; the length of any real header has some.
  return text.size() > kLengthBytes && text[kLengthBytes] == '{' &&
         text.substr(0, kLengthBytes).find('\0') != std::string_view::npos;
}

std::uint64_t safetensorsDataBegin(std::string_view head, std::uint64_t size,
                                   const std::string& file) {
  if (size < kLengthBytes || head.size() < kLengthBytes) {
    throw Error(fmt::format("{}: has {} bytes, a safetensors file has at least 8", file, size));
  }
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    length = length << 8U | static_cast<std::uint8_t>(head[i]);
  }
  if (length > kMaxHeader) {
    throw Error(fmt::format("{}: the safetensors header claims {} bytes, at most {} are allowed",
                            file, length, kMaxHeader));
  }
  if (length > size - kLengthBytes) {
    throw Error(
        fmt::format("{}: the file has {} bytes, the safetensors header alone needs {}: is the "
                    "download incomplete?",
                    file, size, length + kLengthBytes));
  }
  return kLengthBytes + length;
}

SafetensorsHeader parseSafetensorsHeader(std::string_view head, std::uint64_t size,
                                         const std::string& file) {
  SafetensorsHeader header;
  header.data_begin = safetensorsDataBegin(head, size, file);
  const nlohmann::json json =
      parseHeader(head.substr(kLengthBytes, header.data_begin - kLengthBytes), file);
  for (const auto& [key, value] : json.items()) {
    if (key != kMetadata) header.entries.push_back(EntryReader(file, key, value).read());
  }
  std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  checkLayout(header.entries, size - header.data_begin, header.data_begin, file);
  header.metadata = metadataOf(json);
  return header;
}

TensorFile openSafetensors(const std::shared_ptr<const MappedFile>& file) {
  SafetensorsHeader header =
      parseSafetensorsHeader(file->text(), file->bytes().size(), file->name());
  TensorFile opened;
  for (const SafetensorsEntry& entry : header.entries) {
    opened.tensors.push_back({"", entry.name, entry.shape});
  }
  opened.read = [file, header = std::move(header)](std::size_t index) {
    return tensorOf(header.entries[index], header.data_begin, file);
  };
  return opened;
}

SafetensorsMetadata readSafetensorsMetadata(const MappedFile& file) {
  const std::uint64_t begin = safetensorsDataBegin(file.text(), file.bytes().size(), file.name());
  return metadataOf(
      parseHeader(file.text().substr(kLengthBytes, begin - kLengthBytes), file.name()));
}

std::string encodeSafetensorsHeader(std::span<const SafetensorsEntry> entries,
                                    const SafetensorsMetadata& metadata) {
  // Without it Hugging Face's own reader refuses the file.
  nlohmann::json texts = {{"format", "pt"}};
  for (const auto& [name, text] : metadata) texts[name] = text;
  nlohmann::json header = {{"__metadata__", texts}};
  for (const SafetensorsEntry& entry : entries) {
    header[entry.name] = {
        {"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}};
  }
  // Texts may hold what a path holds, which need not be UTF-8.
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  return littleEndian(text.size()) + text;
}

std::string encodeSafetensors(const StateDict& tensors, const SafetensorsMetadata& metadata) {
  std::vector<SafetensorsEntry> entries;
  std::uint64_t size = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t end = size + tensor.nbytes();
    entries.push_back({name, typeName(tensor.scalar_type()), tensor.scalar_type(),
                       static_cast<std::size_t>(tensor.element_size()), tensor.sizes().vec(), size,
                       end});
    size = end;
  }
  std::string bytes = encodeSafetensorsHeader(entries, metadata);
  bytes.reserve(bytes.size() + size);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor whole = tensor.detach().to(at::kCPU).contiguous();
    bytes.append(static_cast<const char*>(whole.data_ptr()), whole.nbytes());
  }
  return bytes;
}

void writeSafetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const SafetensorsMetadata& metadata) {
  writeFileAtomically(path, encodeSafetensors(tensors, metadata));
}

}  // namespace adamerge
