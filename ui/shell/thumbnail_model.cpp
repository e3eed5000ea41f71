// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/thumbnail_model.h"

#include <utility>

namespace adamerge::ui {
namespace {

constexpr int kCacheKib = 64 * 1024;

}  // namespace

ThumbnailModel::ThumbnailModel(QObject* parent)
    : QAbstractListModel(parent), thumbnails_(kCacheKib) {
  flush_.setSingleShot(true);
  flush_.setInterval(0);
  connect(&flush_, &QTimer::timeout, this, &ThumbnailModel::flush);
  connect(&decoder_, &ThumbnailDecoder::decoded, this, [this](int row, const QImage& image) {
    thumbnails_.insert(row, new QImage(image), static_cast<int>(image.sizeInBytes() / 1024) + 1);
    emit dataChanged(index(row), index(row), {Qt::DecorationRole});
  });
  connect(&decoder_, &ThumbnailDecoder::failed, this, [this](int row, const QString& problem) {
    problems_.insert(row, problem);
    emit dataChanged(index(row), index(row), {Qt::ToolTipRole, kProblemRole});
  });
}

void ThumbnailModel::setFiles(std::vector<std::filesystem::path> files) {
  beginResetModel();
  decoder_.clear();
  ordered_.clear();
  thumbnails_.clear();
  problems_.clear();
  files_ = std::move(files);
  endResetModel();
}

void ThumbnailModel::setSide(int side) {
  if (side == side_) return;
  side_ = side;
  decoder_.clear();
  thumbnails_.clear();
  if (!files_.empty()) emit dataChanged(index(0), index(rowCount() - 1), {Qt::DecorationRole});
}

int ThumbnailModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(files_.size());
}

QVariant ThumbnailModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const std::filesystem::path& path = files_[static_cast<std::size_t>(index.row())];
  const auto problem = problems_.constFind(index.row());
  switch (role) {
    case Qt::DisplayRole:
      return QString::fromStdString(path.filename().string());
    case Qt::ToolTipRole:
      return problem != problems_.cend() ? *problem : QString::fromStdString(path.string());
    case Qt::AccessibleDescriptionRole:
    case kProblemRole:
      return problem != problems_.cend() ? *problem : QString();
    case Qt::DecorationRole:
      if (const QImage* image = thumbnails_.object(index.row())) return *image;
      if (problem == problems_.cend()) order(index.row());
      return {};
    default:
      return {};
  }
}

void ThumbnailModel::order(int row) const {
  ordered_.push_back(row);
  if (!flush_.isActive()) flush_.start();
}

void ThumbnailModel::flush() {
  std::vector<ThumbnailDecoder::Job> jobs;
  jobs.reserve(ordered_.size());
  for (const int row : ordered_) {
    jobs.push_back({row, files_[static_cast<std::size_t>(row)], side_});
  }
  ordered_.clear();
  decoder_.want(jobs);
}

}  // namespace adamerge::ui
