// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/gallery_model.h"

#include <QPainter>
#include <algorithm>
#include <utility>

#include "adamerge/figures.h"
#include "adamerge/image.h"
#include "adamerge/report.h"
#include "bench/evaluation.h"
#include "bench/loaders.h"
#include "look/paint.h"
#include "look/text.h"

namespace adamerge::ui {
namespace {

constexpr double kMmPerInch = 25.4;
constexpr double kPointsPerInch = 72;

/// The image with the outlines of its groups after the last block.
QImage drawnTile(const FigureInput& tile, int side) {
  const Image& view = *tile.original;
  QImage picture = toQImage(view).scaled(side, side, Qt::KeepAspectRatio, Qt::SmoothTransformation);
  const double scale = static_cast<double>(picture.width()) / view.width;
  OverlayInput input;
  input.image = &tile.image;
  input.grid_height = tile.grid_height;
  input.grid_width = tile.grid_width;
  input.layers = &tile.result.layers;
  input.layer = static_cast<int>(tile.result.layers.size()) - 1;
  // One point is one pixel of the view.
  const QSizeF size = QSizeF(view.width, view.height) * (kMmPerInch / kPointsPerInch);
  const QImage overlay = drawToImage(size, kPointsPerInch * scale, [&](cairo_t* context) {
    drawOverlay(input, tileOverlay(), view.width, view.height, scale, context);
  });
  QPainter painter(&picture);
  painter.drawImage(QRect(QPoint(), picture.size()), overlay);
  return picture;
}

}  // namespace

void GalleryModel::show(GalleryListPtr list, std::shared_ptr<const Engine> engine) {
  beginResetModel();
  forgetAll();
  list_ = std::move(list);
  engine_ = std::move(engine);
  endResetModel();
}

int GalleryModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() || list_ == nullptr ? 0 : static_cast<int>(list_->pictures.size());
}

ThumbnailDecoder::Job GalleryModel::job(int row) const {
  const std::size_t picture = list_->pictures[static_cast<std::size_t>(row)];
  const auto whole = [file = list_->file, picture, side = side(), engine = engine_] {
    yieldToOthers();
    Image image = file->load(picture);
    if (engine != nullptr) image = prepareImage(image, engine->info().preprocessing).view;
    return thumbnailOf(toQImage(image), side);
  };
  if (engine_ == nullptr) return {row, whole};
  return {row, whole,
          [file = list_->file, point = list_->point, picture, side = side(), engine = engine_] {
            return drawnTile(sheetTile(*engine, *file, picture, point), side);
          }};
}

QString GalleryModel::text(std::size_t picture) const {
  const PictureFile& file = *list_->file;
  const PictureFile::Outcome& before = file.outcome(picture, 0);
  const PictureFile::Outcome& after = file.outcome(picture, list_->point);
  if (before.top < 0) return tr("%1 merged").arg(after.merged);
  const auto name = [&](int index) { return QString::fromStdString(file.className(index)); };
  const QString classes = before.top == after.top
                              ? name(after.top)
                              : tr("%1 → %2").arg(name(before.top), name(after.top));
  return tr("%1\n%2 → %3")
      .arg(classes)
      .arg(before.class_probability, 0, 'f', 2)
      .arg(after.class_probability, 0, 'f', 2);
}

QString GalleryModel::tip(std::size_t picture) const {
  const PictureFile& file = *list_->file;
  const PictureRow before = file.row(picture, 0);
  const PictureRow after = file.row(picture, list_->point);
  const auto tops = [](const PictureRow& row) {
    QStringList parts;
    for (const Prediction& top : row.top) {
      parts << QStringLiteral("%1 %2")
                   .arg(QString::fromStdString(top.label))
                   .arg(top.probability, 0, 'f', 3);
    }
    return parts.join(QStringLiteral(", "));
  };
  QStringList lines{QString::fromStdString(before.image)};
  if (before.label >= 0) lines << tr("Class: %1").arg(QString::fromStdString(before.label_name));
  if (!before.top.empty()) {
    lines << tr("Unmerged: %1").arg(tops(before)) << tr("Merged: %1").arg(tops(after));
  }
  lines << tr("%1 tokens merged, edges %2, entropy %3 bit")
               .arg(file.outcome(picture, list_->point).merged)
               .arg(before.complexity.edges, 0, 'f', 4)
               .arg(before.complexity.entropy, 0, 'f', 2)
        << tr("Click to see it on the canvas with this setting");
  return lines.join(QLatin1Char('\n'));
}

QVariant GalleryModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const std::size_t picture = list_->pictures[static_cast<std::size_t>(index.row())];
  if (role == Qt::DisplayRole) return text(picture);
  const QVariant data = LazyThumbnails::data(index, role);
  return role == Qt::ToolTipRole && data.toString().isEmpty() ? tip(picture) : data;
}

}  // namespace adamerge::ui
