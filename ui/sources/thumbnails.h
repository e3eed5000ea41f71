// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures of a list as thumbnails: decoded when they are seen, kept, drawn.
#pragma once

#include <QAbstractListModel>
#include <QCache>
#include <QHash>
#include <QImage>
#include <QListView>
#include <QObject>
#include <QSet>
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
    /// Makes the thumbnail; throws what says why there is none.
    std::function<QImage()> make;
    /// Makes a better one that takes longer, when nothing else waits; may be empty.
    std::function<QImage()> refine = {};
  };

  explicit ThumbnailDecoder(QObject* parent = nullptr);
  /// Waits for the picture being decoded, no longer.
  ~ThumbnailDecoder() override;

  /// Forgets all jobs; what is still under way is not reported.
  void clear();
  /// Before what waits already; of equal rows one is kept, and each is made once until it is told.
  void want(std::vector<Job> jobs);

 signals:
  void decoded(int row, const QImage& thumbnail);
  /// `problem`: the sentence that says why there is no picture.
  void failed(int row, const QString& problem);

 private:
  void work(const std::stop_token& stop);
  void report(std::uint64_t generation, int row, std::function<void()> tell);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Job> jobs_;  ///< next at the front
  QSet<int> asked_;       ///< rows not told of yet; on the UI thread alone
  std::uint64_t generation_ = 0;
  std::jthread thread_;
};

// A list of pictures and the thumbnails seen so far. Asking for a thumbnail that is not there yet
// orders it: only rows that are drawn get decoded.

class LazyThumbnails : public QAbstractListModel {
  Q_OBJECT
 public:
  enum Role { kProblemRole = Qt::UserRole };

  explicit LazyThumbnails(QObject* parent = nullptr);

  /// In device pixels; thumbnails of another size are made anew.
  void setSide(int side);
  int side() const { return side_; }
  /// Decoration: QImage, null while it is not there; tooltip, kProblemRole: why there is none.
  QVariant data(const QModelIndex& index, int role) const override;

 signals:
  void failed(int row, const QString& problem);

 protected:
  /// Between beginResetModel() and endResetModel(): nothing that was made or ordered counts.
  void forgetAll();
  virtual ThumbnailDecoder::Job job(int row) const = 0;

 private:
  void order(int row) const;
  void flush();

  mutable QCache<int, QImage> thumbnails_;  ///< cost in KiB
  QHash<int, QString> problems_;
  mutable std::vector<int> ordered_;  ///< since the last flush, in the order drawn
  mutable QTimer flush_;
  int side_ = 96;
  ThumbnailDecoder decoder_;
};

class ThumbnailModel : public LazyThumbnails {
  Q_OBJECT
 public:
  using LazyThumbnails::LazyThumbnails;

  void setFiles(std::vector<std::filesystem::path> files);
  const std::vector<std::filesystem::path>& files() const { return files_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  /// Besides: the file's name, as tooltip its path.
  QVariant data(const QModelIndex& index, int role) const override;

 protected:
  ThumbnailDecoder::Job job(int row) const override;

 private:
  std::vector<std::filesystem::path> files_;
};

// Draws one picture of the thumbnail list: the picture or a placeholder, its name, the mark of the
// one that is open, a warning where the file is broken.

class ThumbnailDelegate : public QStyledItemDelegate {
  Q_OBJECT
 public:
  static constexpr int kSide = 96;  ///< of the picture, in logical pixels

  /// `lines`: of text below each picture.
  explicit ThumbnailDelegate(QObject* parent = nullptr, int lines = 1)
      : QStyledItemDelegate(parent), lines_(lines) {}

  /// Of one cell.
  static int height(const QFontMetrics& metrics, int lines = 1);

  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  void paint(QPainter* painter, const QStyleOptionViewItem& option,
             const QModelIndex& index) const override;

 private:
  int lines_;
};

// Shows them in cells of one size from left to right, scrolled by pixels.

class ThumbnailView : public QListView {
  Q_OBJECT
 public:
  /// `lines`: of text below each picture.
  explicit ThumbnailView(LazyThumbnails& model, int lines = 1, QWidget* parent = nullptr);

 protected:
  /// Paints what changed. QListView lays out all rows anew, half a million for each thumbnail.
  void dataChanged(const QModelIndex& top_left, const QModelIndex& bottom_right,
                   const QList<int>& roles) override;
};

/// At most `side` pixels long, small pictures as they are.
QImage thumbnailOf(const QImage& whole, int side);

}  // namespace adamerge::ui
