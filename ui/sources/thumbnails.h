// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures of a list as thumbnails: decoded when they are seen, kept, drawn.
#pragma once

#include <QAbstractListModel>
#include <QCache>
#include <QHash>
#include <QImage>
#include <QObject>
#include <QStyledItemDelegate>
#include <QTimer>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace adamerge::ui {

// Finds and decodes pictures for the thumbnail list off the UI thread; what was asked for last is
// decoded first, so that the visible part of a long list appears at once.

class ThumbnailDecoder : public QObject {
  Q_OBJECT
 public:
  struct Job {
    int row = 0;
    std::filesystem::path path;
    int side = 0;  ///< the longer side of the thumbnail in device pixels
  };

  explicit ThumbnailDecoder(QObject* parent = nullptr);
  /// Waits for the picture being decoded, no longer.
  ~ThumbnailDecoder() override;

  /// Forgets all jobs; what is still under way is not reported.
  void clear();
  /// Before what waits already; of equal rows one is kept.
  void want(const std::vector<Job>& jobs);

 signals:
  void decoded(int row, const QImage& thumbnail);
  /// `problem`: the sentence that says why there is no picture.
  void failed(int row, const QString& problem);

 private:
  void work(const std::stop_token& stop);
  void report(std::uint64_t generation, std::function<void()> tell);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Job> jobs_;  ///< next at the front
  std::uint64_t generation_ = 0;
  std::jthread thread_;
};

// A list of picture files and the thumbnails seen so far. Asking for a thumbnail that is not there
// yet orders it: only rows that are drawn get decoded.

class ThumbnailModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum Role { kProblemRole = Qt::UserRole };

  explicit ThumbnailModel(QObject* parent = nullptr);

  void setFiles(std::vector<std::filesystem::path> files);
  const std::vector<std::filesystem::path>& files() const { return files_; }
  /// In device pixels; thumbnails of another size are made anew.
  void setSide(int side);

  int rowCount(const QModelIndex& parent = {}) const override;
  /// Decoration: QImage, null while it is not there; tooltip: path, or why there is no picture.
  QVariant data(const QModelIndex& index, int role) const override;

 private:
  void order(int row) const;
  void flush();

  std::vector<std::filesystem::path> files_;
  mutable QCache<int, QImage> thumbnails_;  ///< cost in KiB
  QHash<int, QString> problems_;
  mutable std::vector<int> ordered_;  ///< since the last flush, in the order drawn
  mutable QTimer flush_;
  int side_ = 96;
  ThumbnailDecoder decoder_;
};

// Draws one picture of the thumbnail list: the picture or a placeholder, its name, the mark of the
// one that is open, a warning where the file is broken.

class ThumbnailDelegate : public QStyledItemDelegate {
  Q_OBJECT
 public:
  static constexpr int kSide = 96;  ///< of the picture, in logical pixels

  using QStyledItemDelegate::QStyledItemDelegate;

  /// Of one cell.
  static int height(const QFontMetrics& metrics);

  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  void paint(QPainter* painter, const QStyleOptionViewItem& option,
             const QModelIndex& index) const override;
};

}  // namespace adamerge::ui
