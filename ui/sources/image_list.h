// SPDX-License-Identifier: GPL-3.0-or-later
// Lists the pictures of a folder off the UI thread; only the newest search is answered.
#pragma once

#include <QObject>
#include <QWidget>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

class QLabel;
class QListView;
class QStackedWidget;
class QToolButton;

#include "bench/jobs.h"

namespace adamerge::ui {

class ImageFinder : public QObject {
  Q_OBJECT
 public:
  explicit ImageFinder(QObject* parent = nullptr);

  void find(const std::filesystem::path& folder);
  void cancel() { jobs_.cancel(kKey); }

 signals:
  void found(const std::vector<std::filesystem::path>& files);
  void failed(const QString& message);

 private:
  static constexpr const char* kKey = "find";
  Jobs jobs_{this};
};

// The pictures of a folder or of a drop, to step through: thumbnails, the open one marked, "3 of
// 29". Decodes only what is visible; ten thousand files do not slow it.

class ElidedLabel;
class ImageFinder;
class ThumbnailModel;

class ThumbnailList : public QWidget {
  Q_OBJECT
 public:
  explicit ThumbnailList(QWidget* parent = nullptr);

  /// Searches the folder in the background, then chooses `first`, or the first picture there.
  void openFolder(const std::filesystem::path& folder, const std::filesystem::path& first = {});
  /// As openFolder(), but chooses nothing: `open` is marked, which is being opened elsewhere.
  void listFolder(const std::filesystem::path& folder, const std::filesystem::path& open);
  /// Something newer than a folder still searched is being opened elsewhere, `open` where it has a
  /// path: the search goes on but chooses nothing.
  void yieldTo(const std::filesystem::path& open = {});
  /// Several files at once, named `title`; chooses the first.
  void setFiles(std::vector<std::filesystem::path> files, const QString& title);
  void clear();

  /// Marks what was opened elsewhere, without chosen(); no mark where the list does not hold it.
  void setCurrent(const std::filesystem::path& path);
  std::optional<std::filesystem::path> current() const;
  /// The folder open or searched; empty: loose files or nothing.
  const std::filesystem::path& folder() const { return folder_; }
  const std::vector<std::filesystem::path>& files() const;

 public slots:
  /// To the next or previous picture, up to the ends.
  void step(int by);

 signals:
  /// A picture is to be opened.
  void chosen(const std::filesystem::path& path);
  void failed(const QString& message);

 protected:
  void showEvent(QShowEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void fill(std::vector<std::filesystem::path> files, const std::filesystem::path& first);
  void showEmpty(const QString& text);
  void tellPlace();
  QWidget* makeHeader();

  std::filesystem::path folder_;
  std::filesystem::path first_;
  bool marks_only_ = false;  ///< the search ends without chosen()
  bool quiet_ = false;       ///< the mark moves without chosen()
  ImageFinder* finder_;
  ThumbnailModel* model_;
  ElidedLabel* title_;
  QLabel* place_;
  QToolButton* previous_;
  QToolButton* next_;
  QStackedWidget* pages_;
  QListView* view_;
  QLabel* empty_;
};

}  // namespace adamerge::ui
