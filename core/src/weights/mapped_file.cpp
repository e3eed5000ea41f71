// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "adamerge/error.h"
#include "support/files.h"

namespace adamerge {
namespace {

/// Where files are mapped now: from each beginning to its end.
class Mappings {
 public:
  static Mappings& instance() {
    static Mappings mappings;
    return mappings;
  }
  void add(std::uintptr_t begin, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    ends_[begin] = begin + bytes;
  }
  void remove(std::uintptr_t begin) {
    const std::lock_guard lock(mutex_);
    ends_.erase(begin);
  }
  /// Calls use() while the bytes stay mapped, if they lie in one file.
  template <class Use>
  void within(std::uintptr_t begin, std::size_t bytes, Use use) {
    const std::lock_guard lock(mutex_);
    const auto after = ends_.upper_bound(begin);
    if (after == ends_.begin()) return;
    if (begin + bytes <= std::prev(after)->second) use();
  }

 private:
  std::mutex mutex_;
  std::map<std::uintptr_t, std::uintptr_t> ends_;
};

}  // namespace

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
  Mappings::instance().add(reinterpret_cast<std::uintptr_t>(data_), size_);
}

MappedFile::~MappedFile() {
  Mappings::instance().remove(reinterpret_cast<std::uintptr_t>(data_));
  ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

void releaseMapped(const void* data, std::size_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + bytes) / page * page;
  if (first >= last) return;
  Mappings::instance().within(begin, bytes, [&] {
    // It is a hint: where it fails the pages stay.
    ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  });
}

}  // namespace adamerge
