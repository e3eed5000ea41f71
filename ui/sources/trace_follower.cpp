// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/trace_follower.h"

#include <sys/stat.h>

#include <QFile>

#include "adamerge/files.h"

namespace adamerge::ui {
namespace {

constexpr int kSettle = 150;  ///< ms without another change

QString watchedName(const std::filesystem::path& path) { return QFile::decodeName(path.c_str()); }

}  // namespace

TraceFollower::TraceFollower(QObject* parent) : QObject(parent) {
  settle_.setSingleShot(true);
  settle_.setInterval(kSettle);
  connect(&watcher_, &QFileSystemWatcher::fileChanged, &settle_, qOverload<>(&QTimer::start));
  // A file that is renamed over another is told of by its folder alone.
  connect(&watcher_, &QFileSystemWatcher::directoryChanged, &settle_, qOverload<>(&QTimer::start));
  connect(&settle_, &QTimer::timeout, this, &TraceFollower::look);
}

/// Existence, size, time of change, inode: of a whole new file the last differs.
TraceFollower::Stamp TraceFollower::stampOf(const std::filesystem::path& file) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0) return {};
  return {true, static_cast<std::uint64_t>(status.st_size),
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
          static_cast<std::uint64_t>(status.st_ino)};
}

void TraceFollower::follow(const std::set<std::filesystem::path>& files) {
  std::map<std::filesystem::path, Stamp> next;
  for (const auto& file : files) {
    const auto known = files_.find(file);
    next[file] = known != files_.end() ? known->second : stampOf(file);
  }
  files_ = std::move(next);
  watch();
}

void TraceFollower::watch() {
  QStringList wanted;
  for (const auto& [file, stamp] : files_) {
    wanted << watchedName(absolutePath(file).parent_path());
    if (std::get<0>(stamp)) wanted << watchedName(file);
  }
  wanted.removeDuplicates();
  const QStringList present = watcher_.files() + watcher_.directories();
  for (const QString& path : present) {
    if (!wanted.contains(path)) watcher_.removePath(path);
  }
  for (const QString& path : wanted) {
    if (!present.contains(path)) watcher_.addPath(path);
  }
}

void TraceFollower::look() {
  std::set<std::filesystem::path> told;
  for (auto& [file, stamp] : files_) {
    const Stamp now = stampOf(file);
    if (now == stamp) continue;
    stamp = now;
    if (std::get<0>(now)) told.insert(file);
    // The watcher holds on to the file of before.
    watcher_.removePath(watchedName(file));
  }
  watch();
  for (const auto& file : told) emit changed(file);
}

}  // namespace adamerge::ui
