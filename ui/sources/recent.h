// SPDX-License-Identifier: GPL-3.0-or-later
// What was opened of late, kept between starts, newest first.
#pragma once

#include <QObject>
#include <QSettings>
#include <filesystem>
#include <vector>

class QMenu;
class QSettings;

namespace adamerge::ui {

class RecentList : public QObject {
  Q_OBJECT
 public:
  static constexpr std::size_t kMost = 10;

  /// `kind` is the key in `settings`, which must outlive this: "images", "models", "folders".
  RecentList(const QString& kind, QSettings& settings, QObject* parent = nullptr);

  void add(const std::filesystem::path& path);
  /// What comes with the program: always in the menu, after what was opened.
  void offer(std::vector<std::filesystem::path> paths) { offered_ = std::move(paths); }
  void clear();
  const std::vector<std::filesystem::path>& paths() const { return paths_; }

  /// Fills `menu` whenever it opens. What is missing at that time is greyed out.
  void fillMenu(QMenu* menu);

 signals:
  void chosen(const std::filesystem::path& path);
  void changed();

 private:
  void rebuild(QMenu* menu);
  void addEntry(QMenu* menu, const QString& label, const std::filesystem::path& path);
  QString label(const std::filesystem::path& path, std::size_t place) const;
  void save();

  QString key_;
  QSettings& settings_;
  std::vector<std::filesystem::path> paths_;
  std::vector<std::filesystem::path> offered_;
};

// What was opened lately, of each kind.

struct Recents {
  explicit Recents(QSettings& settings)
      : images("images", settings),
        folders("folders", settings),
        models("models", settings),
        evaluations("evaluations", settings) {}

  RecentList images;
  RecentList folders;
  RecentList models;
  RecentList evaluations;  ///< sets of images that were measured on
};

}  // namespace adamerge::ui
