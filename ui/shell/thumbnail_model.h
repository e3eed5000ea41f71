// SPDX-License-Identifier: GPL-3.0-or-later
// A list of picture files and the thumbnails seen so far. Asking for a thumbnail that is not there
// yet orders it: only rows that are drawn get decoded.
#pragma once

#include <QAbstractListModel>
#include <QCache>
#include <QHash>
#include <QImage>
#include <QTimer>
#include <filesystem>
#include <vector>

#include "shell/thumbnail_decoder.h"

namespace adamerge::ui {

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

}  // namespace adamerge::ui
