// SPDX-License-Identifier: GPL-3.0-or-later
// From the hub into the cache: each file that a model needs fetched, checked and put in its place.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <system_error>
#include <thread>
#include <utility>

#include "adamerge/error.h"
#include "hub/cache.h"
#include "hub/http.h"
#include "hub/listing.h"
#include "model/model_config.h"
#include "support/files.h"

namespace adamerge::hub {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPart = ".incomplete";  ///< of a blob's name, as the hub's client has it
constexpr int kMostFailures = 5;              ///< in a row, without a byte between
constexpr std::chrono::milliseconds kLockPoll{50};
constexpr std::int64_t kMegabyte = 1'000'000;
constexpr std::int64_t kSyncStep = 16 * kMegabyte;

std::string sizeText(std::int64_t bytes) {
  return bytes < 10 * kMegabyte ? fmt::format("{:.1f} MB", static_cast<double>(bytes) / kMegabyte)
                                : fmt::format("{} MB", bytes / kMegabyte);
}

/// An open file that is written at its end.
class PartFile {
 public:
  explicit PartFile(const fs::path& path)
      : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category());
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() { ::close(descriptor_); }

  std::int64_t size() const {
    struct stat information {};
    return ::fstat(descriptor_, &information) == 0 ? information.st_size : 0;
  }
  void cutTo(std::int64_t size) {
    if (::ftruncate(descriptor_, size) != 0 || ::lseek(descriptor_, size, SEEK_SET) < 0) {
      throw std::system_error(errno, std::generic_category());
    }
  }
  void write(std::string_view bytes) {
    writeFully(descriptor_, bytes);
    unsynced_ += static_cast<std::int64_t>(bytes.size());
    // In steps, so that no sync is long: nothing can cancel one.
    if (unsynced_ > kSyncStep) sync();
  }
  /// A full disk may show only when the data reaches it.
  void sync() {
    unsynced_ = 0;
    syncFully(descriptor_);
  }

 private:
  int descriptor_;
  std::int64_t unsynced_ = 0;
};

/// Calls `take` with the bytes of a file, piece by piece.
void readPieces(const fs::path& path, const std::stop_token& stop,
                const std::function<void(std::string_view)>& take) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category());
  const std::unique_ptr<const int, void (*)(const int*)> closed(
      &descriptor, [](const int* open) { ::close(*open); });
  std::vector<char> buffer(1U << 20U);
  while (true) {
    throwIfStopped(stop);
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error(errno, std::generic_category());
    if (got == 0) return;
    take({buffer.data(), static_cast<std::size_t>(got)});
  }
}

/// Fetches one plan's files.
class Download {
 public:
  Download(const ModelName& name, const Settings& settings, std::string commit,
           ProgressCallback progress, const std::stop_token& stop)
      : name_(name),
        settings_(settings),
        commit_(std::move(commit)),
        repository_(name.repository, settings),
        http_(settings, stop),
        progress_(std::move(progress)),
        stop_(stop) {}

  /// Of all files that fetch() will be called for.
  void setTotal(std::int64_t bytes) { total_ = bytes; }

  void fetch(const RemoteFile& file) {
    try {
      for (const fs::path& folder :
           {repository_.blob("").parent_path(), repository_.snapshot(commit_),
            repository_.lock("").parent_path()}) {
        fs::create_directories(folder);
      }
      const bool locked = waitForLock(file);
      if (!isWhole(file)) transfer(file, locked);
      link(file);
      lock_.reset();
    } catch (const std::system_error& error) {
      lock_.reset();
      throw Error(
          fmt::format("{}: the cache {} cannot be written: {}; HF_HUB_CACHE names another "
                      "folder",
                      name_.text(), settings_.cache.string(), error.code().message()));
    }
    done_ += file.bytes;
    report(0);
  }

 private:
  /// Others of this and of the official client wait here too. False: this file system has no locks.
  bool waitForLock(const RemoteFile& file) {
    lock_ = std::make_unique<FileLock>(repository_.lock(file.hash));
    const std::string waiting = fmt::format("another program fetches {}", file.name);
    try {
      while (!lock_->tryLock()) {
        throwIfStopped(stop_);
        if (progress_) progress_({waiting, 0, 1});
        std::this_thread::sleep_for(kLockPoll);
      }
      return true;
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::no_lock_available &&
          error.code() != std::errc::function_not_supported &&
          error.code() != std::errc::operation_not_supported) {
        throw;
      }
      return false;
    }
  }

  /// Whether the blob is there with the bytes that its name promises.
  bool isWhole(const RemoteFile& file) {
    const fs::path blob = repository_.blob(file.hash);
    std::error_code ignored;
    if (fs::file_size(blob, ignored) != static_cast<std::uintmax_t>(file.bytes)) return false;
    Digest digest(file.hash, file.bytes);
    std::int64_t have = 0;
    readPieces(blob, stop_, [&](std::string_view bytes) {
      digest.add(bytes);
      have += static_cast<std::int64_t>(bytes.size());
      report(have);
    });
    return digest.hex() == file.hash;
  }

  void transfer(const RemoteFile& file, bool locked) {
    const fs::path blob = repository_.blob(file.hash);
    // Without a lock another program may write at the same time.
    const fs::path part = blob.string() + (locked ? "" : fmt::format(".{}", ::getpid())) + kPart;
    std::error_code ignored;
    const bool continues = fs::exists(part, ignored);
    std::string hash = transferInto(part, file);
    // What was there before may be another program's, and broken.
    if (hash != file.hash && continues) {
      fs::remove(part);
      hash = transferInto(part, file);
    }
    if (hash != file.hash) {
      fs::remove(part);
      throw Error(
          fmt::format("{}: {} arrived damaged: its hash is {} where the hub says {}; it was "
                      "thrown away, so try again",
                      name_.text(), file.name, hash, file.hash));
    }
    fs::rename(part, blob);
  }

  /// The hash of what is in `part` once that has the file's size.
  std::string transferInto(const fs::path& part, const RemoteFile& file) {
    PartFile out(part);
    requireRoom(file.bytes - out.size());
    Digest digest(file.hash, file.bytes);
    std::int64_t have = 0;
    const auto restart = [&] {
      out.cutTo(0);
      digest = Digest(file.hash, file.bytes);
      have = 0;
    };
    if (out.size() > file.bytes) restart();
    readPieces(part, stop_, [&](std::string_view bytes) {
      digest.add(bytes);
      have += static_cast<std::int64_t>(bytes.size());
      report(have);
    });
    out.cutTo(have);
    int failures = 0;
    while (have < file.bytes) {
      const std::int64_t before = have;
      bool begun = false;
      try {
        const Response response = http_.get(
            fmt::format("{}/{}/resolve/{}/{}", settings_.endpoint, name_.repository, commit_,
                        HttpClient::escaped(file.name)),
            [&](std::string_view bytes, bool from_start) {
              // A server may know no offsets.
              if (!std::exchange(begun, true) && from_start && before > 0) restart();
              if (have + static_cast<std::int64_t>(bytes.size()) > file.bytes) {
                throw Error(fmt::format("{}: {} arrives longer than the {} bytes that the hub says",
                                        name_.text(), file.name, file.bytes));
              }
              out.write(bytes);
              digest.add(bytes);
              have += static_cast<std::int64_t>(bytes.size());
              report(have);
            },
            before);
        if (response.status >= 500) throw TransferError(fmt::format("status {}", response.status));
        if (!response.ok()) failAnswer(name_, settings_, response);
        if (response.isPage()) failAnswer(name_, settings_, response);
        if (have < file.bytes) throw TransferError("the answer ends early");
      } catch (const TransferError& error) {
        failures = have > before ? 1 : failures + 1;
        if (failures > kMostFailures) failBroken(file, have, error.what());
        pause(failures);
      }
    }
    out.sync();
    return digest.hex();
  }

  [[noreturn]] void failBroken(const RemoteFile& file, std::int64_t have,
                               const std::string& reason) const {
    throw Error(
        fmt::format("{}: the transfer of {} broke after {} of {} and could not go on: {}; "
                    "asking for it again goes on there",
                    name_.text(), file.name, sizeText(have), sizeText(file.bytes), reason));
  }

  void requireRoom(std::int64_t bytes) const {
    std::error_code code;
    const fs::space_info space = fs::space(repository_.blob("").parent_path(), code);
    if (code || bytes <= 0 || space.available >= static_cast<std::uintmax_t>(bytes)) return;
    throw Error(
        fmt::format("{}: {} more are needed in the cache {}, and {} are free; HF_HUB_CACHE "
                    "names another folder",
                    name_.text(), sizeText(bytes), settings_.cache.string(),
                    sizeText(static_cast<std::int64_t>(space.available))));
  }

  /// 0.2 s, 0.4 s, ... between tries.
  void pause(int failures) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100 << failures);
    while (std::chrono::steady_clock::now() < end) {
      throwIfStopped(stop_);
      std::this_thread::sleep_for(kLockPoll / 2);
    }
  }

  /// From the snapshot's file to the blob, as a whole; without symbolic links the blob itself goes
  /// there.
  void link(const RemoteFile& file) const {
    const fs::path pointer = repository_.snapshot(commit_) / file.name;
    const fs::path target = fs::path("../../blobs") / file.hash;
    std::error_code code;
    if (fs::read_symlink(pointer, code) == target) return;
    const fs::path temporary =
        repository_.snapshot(commit_) / fmt::format(".{}.{}", file.name, ::getpid());
    fs::create_symlink(target, temporary, code);
    if (code == std::errc::operation_not_permitted || code == std::errc::operation_not_supported) {
      fs::rename(repository_.blob(file.hash), pointer);
      return;
    }
    if (code) throw std::system_error(code);
    fs::rename(temporary, pointer);
  }

  void report(std::int64_t of_this_file) const {
    if (!progress_) return;
    const bool small = total_ < 20 * kMegabyte;
    const std::int64_t unit = small ? kMegabyte / 1000 : kMegabyte;
    progress_({fmt::format("fetching {}, {}", name_.text(), small ? "kB" : "MB"),
               (done_ + of_this_file) / unit, std::max<std::int64_t>(total_ / unit, 1)});
  }

  const ModelName& name_;
  const Settings& settings_;
  std::string commit_;
  CachedRepository repository_;
  HttpClient http_;
  ProgressCallback progress_;
  std::stop_token stop_;
  std::unique_ptr<FileLock> lock_;
  std::int64_t total_ = 0;
  std::int64_t done_ = 0;
};

/// Refuses what the core cannot run, by the configs alone.
void requireRunnable(const ModelName& name, const fs::path& weights) {
  const ModelFiles files = filesBeside(weights);
  if (files.config.empty()) return;
  try {
    requireRunnable(readConfigFiles(files.config, files.preprocessor));
  } catch (const Error& error) {
    throw Error(fmt::format("{} cannot run here, so its weights are not fetched: {}", name.text(),
                            error.what()));
  }
}

}  // namespace

Plan plan(const ModelName& name, const Settings& settings, const std::stop_token& stop) {
  HttpClient http(settings, stop);
  const Listing listing = askHub(http, name, settings);
  Plan plan;
  plan.name = name;
  plan.commit = listing.commit;
  const std::vector<RemoteFile> weights = chooseWeights(listing, name);
  Download configs(name, settings, plan.commit, {}, stop);
  for (const std::string_view file : kConfigFiles) {
    if (const RemoteFile* found = listing.find(file)) {
      configs.fetch(*found);
      plan.files.push_back(*found);
    } else {
      plan.absent.emplace_back(file);
    }
  }
  const CachedRepository repository(name.repository, settings);
  requireRunnable(name, repository.snapshot(plan.commit) / weights.front().name);
  plan.files.insert(plan.files.end(), weights.begin(), weights.end());
  for (const RemoteFile& file : plan.files) {
    plan.bytes += file.bytes;
    std::error_code code;
    const fs::path blob = repository.blob(file.hash);
    const auto size = static_cast<std::uintmax_t>(file.bytes);
    if (fs::file_size(blob, code) == size) continue;
    const std::uintmax_t part = fs::file_size(blob.string() + kPart, code);
    plan.missing += file.bytes - (code ? 0 : static_cast<std::int64_t>(std::min(part, size)));
  }
  return plan;
}

fs::path fetch(const Plan& plan, const Settings& settings, const ProgressCallback& progress,
               const std::stop_token& stop) {
  Download download(plan.name, settings, plan.commit, progress, stop);
  download.setTotal(plan.bytes);
  for (const RemoteFile& file : plan.files) download.fetch(file);
  const CachedRepository repository(plan.name.repository, settings);
  try {
    for (const std::string& file : plan.absent) {
      writeFileAtomically(repository.absence(plan.commit, file), "");
    }
    // Last, so that a branch never points to a snapshot that is not whole.
    if (plan.name.revision != plan.commit) {
      writeFileAtomically(repository.reference(plan.name.revision), plan.commit);
    }
    const fs::path tag = settings.cache / "CACHEDIR.TAG";  // backups pass over folders that have it
    if (std::error_code unknown; !fs::exists(tag, unknown)) {
      writeFileAtomically(tag, "Signature: 8a477f597d28d172789f06886806bc55\n# Cache of models.\n");
    }
  } catch (const fs::filesystem_error& error) {
    throw Error(fmt::format("{}: the cache {} cannot be written: {}", plan.name.text(),
                            settings.cache.string(), error.code().message()));
  }
  return repository.snapshot(plan.commit);
}

}  // namespace adamerge::hub
