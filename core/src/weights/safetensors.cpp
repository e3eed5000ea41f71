// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/safetensors.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "weights/safetensors_header.h"

namespace adamerge {
namespace {

at::Tensor tensorOf(const SafetensorsEntry& entry, const std::shared_ptr<const MappedFile>& file) {
  const std::uint8_t* data = file->bytes().data() + entry.begin;
  const std::size_t size = entry.end - entry.begin;
  if (reinterpret_cast<std::uintptr_t>(data) % at::elementSize(entry.type) != 0) {
    at::Tensor copy = at::empty(entry.shape, at::TensorOptions(entry.type));
    std::memcpy(copy.data_ptr(), data, size);
    return copy;
  }
  // from_blob takes no const pointer; nobody writes to a state dict.
  return at::from_blob(
      const_cast<std::uint8_t*>(data), entry.shape, [file](void*) {},
      at::TensorOptions(entry.type));
}

}  // namespace

bool looksLikeSafetensors(const MappedFile& file) {
  constexpr std::size_t kLength = 8;
  const std::string_view text = file.text();
  // Text has no zero bytes; the length of any real header has some.
  return text.size() > kLength && text[kLength] == '{' &&
         text.substr(0, kLength).find('\0') != std::string_view::npos;
}

StateDict readSafetensors(const std::shared_ptr<const MappedFile>& file,
                          const ProgressCallback& progress, const std::stop_token& stop) {
  const std::vector<SafetensorsEntry> entries = readSafetensorsHeader(file->bytes(), file->name());
  StateDict tensors;
  for (const SafetensorsEntry& entry : entries) {
    throwIfStopped(stop);
    tensors.emplace(entry.name, tensorOf(entry, file));
    if (progress) {
      progress({"reading weights", static_cast<std::int64_t>(tensors.size()),
                static_cast<std::int64_t>(entries.size())});
    }
  }
  return tensors;
}

SafetensorsMetadata readSafetensorsMetadata(const MappedFile& file) {
  return readSafetensorsHeaderTexts(file.bytes(), file.name());
}

}  // namespace adamerge
