// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace adamerge {

/// A file's bytes, read-only, loaded by the system as they are used.
class MappedFile {
 public:
  /// Throws Error: missing, a folder, no permission, empty.
  explicit MappedFile(std::filesystem::path path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const std::filesystem::path& path() const { return path_; }
  std::string name() const { return path_.string(); }  ///< for messages
  std::span<const std::uint8_t> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  std::filesystem::path path_;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// For bytes that have been copied elsewhere: their pages leave the process's memory, where they
/// are a mapped file's, and come back if they are read again. Other memory stays as it is.
void releaseMapped(const void* data, std::size_t bytes);

}  // namespace adamerge
