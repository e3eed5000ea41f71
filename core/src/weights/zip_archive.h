// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/mapped_file.h"

namespace adamerge {

/// The bytes of one record: in the mapping, or in memory of its own where it was compressed.
struct ZipRecord {
  std::shared_ptr<const void> owner;
  std::span<const std::uint8_t> bytes;
};

/// Records of a zip archive, with and without zip64. Those that are stored, as torch.save does, lie
/// in the mapping; deflated ones, as other programs pack them, are unpacked. What the archive says
/// of sizes is checked against the file before any memory is taken, and each record's checksum when
/// it is read. LibTorch's own reader of 1.13 tells no sizes and copies each record.
class ZipArchive {
 public:
  /// Throws Error: cut off, damaged.
  explicit ZipArchive(std::shared_ptr<const MappedFile> file);

  /// Names with all folders.
  std::vector<std::string> records() const;
  bool has(const std::string& record) const { return entries_.contains(record); }
  /// Throws Error, Cancelled (StopWithin): damaged, encrypted, packed by another method, or
  /// unpacked far larger than the file is.
  ZipRecord read(const std::string& record);

 private:
  struct Entry {
    std::uint64_t header = 0;  ///< place of the local header
    std::uint64_t packed = 0;
    std::uint64_t size = 0;
    std::uint64_t checksum = 0;  ///< CRC-32; 0: torch.save was told to compute none
    unsigned method = 0;
    bool encrypted = false;
  };

  [[noreturn]] void fail(std::string_view problem) const;
  std::uint64_t number(std::uint64_t place, int width) const;
  std::span<const std::uint8_t> part(std::uint64_t place, std::uint64_t size) const;
  void readDirectory(std::uint64_t place, std::uint64_t size, std::uint64_t count);
  /// `unpacked`: of the record that is called `shown`.
  void checkSum(const std::string& shown, const Entry& entry,
                std::span<const std::uint8_t> unpacked) const;
  ZipRecord inflated(const std::string& record, const Entry& entry,
                     std::span<const std::uint8_t> packed);

  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::uint64_t unpacked_ = 0;  ///< bytes taken so far
};

}  // namespace adamerge
