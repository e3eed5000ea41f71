// SPDX-License-Identifier: GPL-3.0-or-later
// Tells when a trace that is shown was written again: in place, or renamed over by a training run.
#pragma once

#include <QFileSystemWatcher>
#include <QObject>
#include <QTimer>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

namespace adamerge::ui {

class TraceFollower : public QObject {
  Q_OBJECT
 public:
  explicit TraceFollower(QObject* parent = nullptr);

  /// In place of those followed before.
  void follow(const std::set<std::filesystem::path>& files);

 signals:
  /// Once it has been left alone for a moment. Gone files are not told of.
  void changed(const std::filesystem::path& file);

 private:
  using Stamp = std::tuple<bool, std::uint64_t, std::int64_t, std::uint64_t>;
  static Stamp stampOf(const std::filesystem::path& file);
  void watch();
  void look();

  QFileSystemWatcher watcher_;
  QTimer settle_;
  std::map<std::filesystem::path, Stamp> files_;
};

}  // namespace adamerge::ui
