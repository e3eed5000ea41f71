// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "adamerge/error.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;

std::string reason(int code) { return std::strerror(code); }

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

fs::path temporaryBeside(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  // The extension stays last: libraries choose the format by it.
  return path.parent_path() / fmt::format(".{}.{}-{}.part{}", path.stem().string(), ::getpid(),
                                          counter++, path.extension().string());
}

void makeParent(const fs::path& path) {
  if (!path.has_parent_path()) return;
  std::error_code code;
  fs::create_directories(path.parent_path(), code);
  if (code || !fs::is_directory(path.parent_path())) {
    throw Error(fmt::format("{}: the folder cannot be made: {}", path.parent_path().string(),
                            code ? code.message() : "a file of that name is in the way"));
  }
}

void writeAll(const fs::path& path, std::string_view bytes) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) throw Error(reason(errno));
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw Error(reason(errno));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// A full disk may show only when the data reaches it, and libraries seldom check: sync, so that
/// the rename never replaces a good file by a short one.
void syncFile(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0) throw Error(reason(errno));
}

}  // namespace

void requireReadableFile(const fs::path& path, std::string_view what) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::not_found) {
    throw Error(fmt::format("{}: there is no such file ({} expected)", path.string(), what));
  }
  if (code) throw Error(fmt::format("{}: {}", path.string(), code.message()));
  if (fs::is_directory(status)) {
    throw Error(fmt::format("{}: this is a folder; {} file expected", path.string(), what));
  }
  if (!fs::is_regular_file(status)) {
    throw Error(fmt::format("{}: not a regular file; {} file expected", path.string(), what));
  }
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    throw Error(fmt::format("{}: cannot be read: {}", path.string(), reason(errno)));
  }
}

std::vector<std::uint8_t> readFile(const fs::path& path, std::uint64_t limit) {
  requireReadableFile(path, "data");
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat information {};
  if (file.get() < 0 || ::fstat(file.get(), &information) != 0) {
    throw Error(fmt::format("{}: cannot be read: {}", path.string(), reason(errno)));
  }
  const auto size = static_cast<std::uint64_t>(information.st_size);
  if (size > limit) {
    throw Error(
        fmt::format("{}: the file has {} bytes; at most {} are read", path.string(), size, limit));
  }
  std::vector<std::uint8_t> bytes(size);
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(fmt::format("{}: cannot be read: {}", path.string(), reason(errno)));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

std::string readTextFile(const fs::path& path, std::uint64_t limit) {
  const std::vector<std::uint8_t> bytes = readFile(path, limit);
  return {bytes.begin(), bytes.end()};
}

void writeFileAtomically(const fs::path& path, std::string_view bytes) {
  writeFileAtomically(path, [&](const fs::path& temporary) { writeAll(temporary, bytes); });
}

fs::path behindLinks(const fs::path& path) {
  std::error_code code;
  fs::path target = path;
  // The file itself may not exist yet.
  for (int links = 0; fs::is_symlink(target, code); ++links) {
    const fs::path next = fs::read_symlink(target, code);
    if (code || links == kMostLinks) return path;
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  return target;
}

void writeFileAtomically(const fs::path& path, const std::function<void(const fs::path&)>& write) {
  if (fs::is_directory(path)) {
    throw Error(
        fmt::format("{}: this is a folder; a file name to write is expected", path.string()));
  }
  const fs::path target = behindLinks(path);
  std::error_code ignored_status;
  if (const fs::file_status status = fs::status(target, ignored_status);
      fs::exists(status) && !fs::is_regular_file(status)) {
    throw Error(
        fmt::format("{}: not a regular file; a file name to write is expected", path.string()));
  }
  makeParent(target);
  const fs::path temporary = temporaryBeside(target);
  try {
    write(temporary);
    syncFile(temporary);
    std::error_code code;
    fs::rename(temporary, target, code);
    if (code) throw Error(code.message());
  } catch (const std::exception& error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw Error(fmt::format("{}: cannot be written: {}", path.string(), error.what()));
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

}  // namespace adamerge
