// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "weights/mapped_file.h"

namespace caffe2::serialize {
class PyTorchStreamReader;
}

namespace adamerge {

/// One record of an archive, in memory of its own.
struct ZipRecord {
  at::DataPtr data;
  std::size_t size = 0;

  std::span<const std::uint8_t> bytes() const {
    return {static_cast<const std::uint8_t*>(data.get()), size};
  }
};

/// LibTorch's reader of PyTorch zip archives, with its exceptions as Error.
class ZipArchive {
 public:
  explicit ZipArchive(std::shared_ptr<const MappedFile> file);
  ~ZipArchive();

  /// Without the archive's root folder.
  std::vector<std::string> records();
  bool has(const std::string& record);
  ZipRecord read(const std::string& record);

 private:
  std::shared_ptr<const MappedFile> file_;
  std::unique_ptr<caffe2::serialize::PyTorchStreamReader> reader_;
};

}  // namespace adamerge
