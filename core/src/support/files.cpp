// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "support/text.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;
constexpr std::size_t kLongestName = 255;  // bytes, of all file systems in use

std::string reason(int code) { return std::strerror(code); }

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) system_calls.close(fd_);
  }
  int get() const { return fd_; }
  /// A network's file system may say only now that something was not written.
  int close() { return system_calls.close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

fs::path temporaryBeside(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  const std::string tail = fmt::format(".{}-{}.part", ::getpid(), counter++);
  const std::string name = path.filename().string();
  return path.parent_path() / ("." + name.substr(0, kLongestName - 1 - tail.size()) + tail);
}

void makeParent(const fs::path& path) {
  if (!path.has_parent_path()) return;
  std::error_code code;
  fs::create_directories(path.parent_path(), code);
  if (std::error_code unknown; code || !fs::is_directory(path.parent_path(), unknown)) {
    throw Error(fmt::format("{}: the folder cannot be made: {}", path.parent_path().string(),
                            code ? code.message() : "a file of that name is in the way"));
  }
}

/// A full disk may show only when the data reaches it: synced, so that the rename never replaces a
/// good file by a short one.
void writeWhole(const fs::path& path, const std::function<void(const WriteBytes& write)>& produce) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) throw Error(reason(errno));
  produce([&](std::string_view bytes) { writeFully(file.get(), bytes); });
  syncFully(file.get());
  // After EINTR the descriptor is closed all the same.
  if (file.close() != 0 && errno != EINTR) throw Error(reason(errno));
}

}  // namespace

bool isPassedOver(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 6> kOfSystems = {
      "__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found", "@eaDir", "#recycle"};
  const std::string name = path.filename().string();
  return name.starts_with('.') ||
         std::find(kOfSystems.begin(), kOfSystems.end(), name) != kOfSystems.end();
}

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
    const ssize_t got = system_calls.read(file.get(), bytes.data() + have, bytes.size() - have);
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
  try {
    return utf8Text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", path.string(), error.what()));
  }
}

void writeFully(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = system_calls.write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      throw std::system_error(written < 0 ? errno : ENOSPC, std::generic_category());
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void syncFully(int descriptor) {
  while (system_calls.fsync(descriptor) != 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category());
  }
}

fs::path withFittingName(const fs::path& path) {
  // The end tells files of one stem apart; some room is left for temporary names.
  constexpr std::size_t kLongest = kLongestName - 15;
  constexpr std::size_t kEnd = 80;
  const std::string name = path.filename().string();
  if (name.size() <= kLongest) return path;
  const auto insideCharacter = [&](std::size_t at) {
    return (static_cast<unsigned char>(name[at]) & 0xC0U) == 0x80U;
  };
  Fingerprint fingerprint;
  fingerprint.add(name);
  const std::string mark = "~" + fingerprint.text().substr(0, 8) + "~";
  std::size_t head = kLongest - kEnd - mark.size();
  while (head > 0 && insideCharacter(head)) --head;
  std::size_t end = name.size() - kEnd;
  while (end < name.size() && insideCharacter(end)) ++end;
  return path.parent_path() / (name.substr(0, head) + mark + name.substr(end));
}

fs::path absolutePath(const fs::path& path) {
  std::error_code code;
  fs::path whole = fs::absolute(path, code);
  return code ? path : whole;
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

void writeFileAtomically(const fs::path& path, std::string_view bytes) {
  writeFileInParts(path, [&](const WriteBytes& write) { write(bytes); });
}

void writeFileInParts(const fs::path& path,
                      const std::function<void(const WriteBytes& write)>& produce) {
  const UnsavedWork until_renamed;
  std::error_code code;
  if (fs::is_directory(path, code)) {
    throw Error(
        fmt::format("{}: this is a folder; a file name to write is expected", path.string()));
  }
  const fs::path target = behindLinks(path);
  if (const fs::file_status status = fs::status(target, code);
      fs::exists(status) && !fs::is_regular_file(status)) {
    throw Error(
        fmt::format("{}: not a regular file; a file name to write is expected", path.string()));
  }
  makeParent(target);
  const fs::path temporary = temporaryBeside(target);
  try {
    writeWhole(temporary, produce);
    if (system_calls.rename(temporary.c_str(), target.c_str()) != 0) throw Error(reason(errno));
  } catch (const Cancelled&) {
    fs::remove(temporary, code);
    throw;
  } catch (const std::exception& error) {
    fs::remove(temporary, code);
    throw Error(fmt::format("{}: cannot be written: {}", path.string(), error.what()));
  }
}

namespace {

/// Whether `path` still names the open file: the one who held it may just have removed it.
bool isCurrent(int descriptor, const std::filesystem::path& path) {
  struct stat open_file {};
  struct stat named {};
  return ::fstat(descriptor, &open_file) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

namespace fs = std::filesystem;

/// " (process 1234)", from the lock's content.
std::string holder(const fs::path& lock) {
  std::string text;
  std::ifstream(lock) >> text;
  return text.empty() ? "" : fmt::format(" (process {})", text);
}

/// Lives as long as the program, for whoever ends it.
struct Held {
  std::mutex mutex;
  std::set<std::string> files;
};

Held& held() {
  static auto* const kHeld = new Held;
  return *kHeld;
}

}  // namespace

bool FileLock::tryLock() {
  while (true) {
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) throw std::system_error(errno, std::generic_category());
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      ::close(descriptor);
      if (reason == EWOULDBLOCK) return false;
      throw std::system_error(reason, std::generic_category());
    }
    if (isCurrent(descriptor, path_)) {
      descriptor_ = descriptor;
      return true;
    }
    ::close(descriptor);
  }
}

void FileLock::release() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

OutputLock::OutputLock(const fs::path& file, const std::string& work) {
  path_ = behindLinks(file);
  path_ += ".lock";
  std::error_code code;
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), code);
  lock_ = std::make_unique<FileLock>(path_);
  bool free = false;
  try {
    free = lock_->tryLock();
  } catch (const std::system_error& error) {
    throw Error(fmt::format("{}: cannot be written: {}", path_.string(), error.code().message()));
  }
  if (!free) {
    throw Error(
        fmt::format("{}: another {}{} is writing this file; wait for it, or name another file",
                    file.string(), work, holder(path_)));
  }
  {
    const std::lock_guard guard(held().mutex);
    held().files.insert(path_.string());
  }
  // For the message of whoever comes second; without it the lock holds all the same.
  const std::string process = std::to_string(::getpid());
  if (::ftruncate(lock_->descriptor(), 0) != 0 ||
      ::pwrite(lock_->descriptor(), process.data(), process.size(), 0) < 0) {
    return;
  }
}

OutputLock::~OutputLock() {
  const std::lock_guard guard(held().mutex);
  held().files.erase(path_.string());
  ::unlink(path_.c_str());
}

void OutputLock::removeAll() noexcept {
  const std::lock_guard guard(held().mutex);
  for (const std::string& file : held().files) ::unlink(file.c_str());
}

}  // namespace adamerge
