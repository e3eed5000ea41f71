// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "adamerge/error.h"
#include "support/files.h"

namespace adamerge {

MappedFile::MappedFile(std::filesystem::path path) : path_(std::move(path)) {
  requireReadableFile(path_, "weights");
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    throw Error(fmt::format("{}: cannot be opened: {}", name(), std::strerror(errno)));
  }
  struct stat status {};
  void* memory = MAP_FAILED;
  int code = 0;
  if (::fstat(descriptor, &status) != 0) {
    code = errno;
  } else if (status.st_size > 0) {
    size_ = static_cast<std::size_t>(status.st_size);
    memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (memory == MAP_FAILED) code = errno;
  }
  ::close(descriptor);
  if (code != 0) {
    throw Error(fmt::format("{}: cannot be read: {}", name(), std::strerror(code)));
  }
  if (size_ == 0) throw Error(fmt::format("{}: the file is empty", name()));
  data_ = static_cast<const std::uint8_t*>(memory);
}

MappedFile::~MappedFile() { ::munmap(const_cast<std::uint8_t*>(data_), size_); }

}  // namespace adamerge
