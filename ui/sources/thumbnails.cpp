// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/thumbnails.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "adamerge/image.h"
#include "bench/data.h"
#include "look/message.h"
#include "look/text.h"
#include "look/theme.h"

namespace adamerge::ui {
namespace {

/// More than a large window shows; what was scrolled past long ago is not decoded.
constexpr std::size_t kLongestQueue = 400;

}  // namespace

QImage thumbnailOf(const QImage& whole, int side) {
  const QSize size = whole.size().scaled(side, side, Qt::KeepAspectRatio).expandedTo({1, 1});
  // An icon of 32 pixels stays sharp: small pictures are not enlarged.
  const bool smaller = size.width() < whole.width();
  return (smaller ? whole.scaled(size, Qt::IgnoreAspectRatio, Qt::SmoothTransformation) : whole)
      .convertToFormat(QImage::Format_RGB32);
}

ThumbnailDecoder::ThumbnailDecoder(QObject* parent)
    : QObject(parent), thread_([this](const std::stop_token& stop) { work(stop); }) {}

ThumbnailDecoder::~ThumbnailDecoder() {
  thread_.request_stop();
  thread_.join();
}

void ThumbnailDecoder::clear() {
  const std::lock_guard lock(mutex_);
  jobs_.clear();
  asked_.clear();
  ++generation_;
}

void ThumbnailDecoder::want(std::vector<Job> jobs) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(jobs_, [&](const Job& waiting) {
      const bool again = std::any_of(jobs.begin(), jobs.end(),
                                     [&](const Job& job) { return job.row == waiting.row; });
      if (again) asked_.remove(waiting.row);
      return again;
    });
    // What is being made, or made and about to be told, is not made twice.
    std::erase_if(jobs, [&](const Job& job) {
      if (asked_.contains(job.row)) return true;
      asked_.insert(job.row);
      return false;
    });
    jobs_.insert(jobs_.begin(), std::make_move_iterator(jobs.begin()),
                 std::make_move_iterator(jobs.end()));
    for (; jobs_.size() > kLongestQueue; jobs_.pop_back()) asked_.remove(jobs_.back().row);
  }
  wake_.notify_one();
}

void ThumbnailDecoder::work(const std::stop_token& stop) {
  for (;;) {
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    const std::uint64_t generation = generation_;
    lock.unlock();
    try {
      const QImage image = job.make();
      report(generation, job.row, [this, row = job.row, image] { emit decoded(row, image); });
      if (!job.refine) continue;
      lock.lock();
      if (generation == generation_) jobs_.push_back({job.row, std::move(job.refine)});
    } catch (const std::exception& error) {
      const QString problem = errorText(error);
      report(generation, job.row, [this, row = job.row, problem] { emit failed(row, problem); });
    }
  }
}

void ThumbnailDecoder::report(std::uint64_t generation, int row, std::function<void()> tell) {
  // Checked on the UI thread, where clear() is called: nothing of an older list comes through.
  QMetaObject::invokeMethod(
      this,
      [this, generation, row, tell = std::move(tell)] {
        if (generation != generation_) return;
        asked_.remove(row);
        tell();
      },
      Qt::QueuedConnection);
}

namespace {

constexpr int kCacheKib = 64 * 1024;

}  // namespace

LazyThumbnails::LazyThumbnails(QObject* parent)
    : QAbstractListModel(parent), thumbnails_(kCacheKib) {
  flush_.setSingleShot(true);
  flush_.setInterval(0);
  connect(&flush_, &QTimer::timeout, this, &LazyThumbnails::flush);
  connect(&decoder_, &ThumbnailDecoder::decoded, this, [this](int row, const QImage& image) {
    thumbnails_.insert(row, new QImage(image), static_cast<int>(image.sizeInBytes() / 1024) + 1);
    emit dataChanged(index(row), index(row), {Qt::DecorationRole});
  });
  connect(&decoder_, &ThumbnailDecoder::failed, this, [this](int row, const QString& problem) {
    problems_.insert(row, problem);
    emit dataChanged(index(row), index(row), {Qt::ToolTipRole, kProblemRole});
    emit failed(row, problem);
  });
}

void LazyThumbnails::forgetAll() {
  decoder_.clear();
  ordered_.clear();
  thumbnails_.clear();
  problems_.clear();
}

void LazyThumbnails::setSide(int side) {
  if (side == side_) return;
  side_ = side;
  decoder_.clear();
  thumbnails_.clear();
  if (rowCount() > 0) emit dataChanged(index(0), index(rowCount() - 1), {Qt::DecorationRole});
}

QVariant LazyThumbnails::data(const QModelIndex& index, int role) const {
  const auto problem = problems_.constFind(index.row());
  switch (role) {
    case Qt::ToolTipRole:
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

void LazyThumbnails::order(int row) const {
  ordered_.push_back(row);
  if (!flush_.isActive()) flush_.start();
}

void LazyThumbnails::flush() {
  std::vector<ThumbnailDecoder::Job> jobs;
  jobs.reserve(ordered_.size());
  for (const int row : ordered_) jobs.push_back(job(row));
  ordered_.clear();
  decoder_.want(std::move(jobs));
}

void ThumbnailModel::setFiles(std::vector<std::filesystem::path> files) {
  beginResetModel();
  forgetAll();
  files_ = std::move(files);
  endResetModel();
}

int ThumbnailModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(files_.size());
}

ThumbnailDecoder::Job ThumbnailModel::job(int row) const {
  return {row, [path = files_[static_cast<std::size_t>(row)], side = side()] {
            const Image image = loadImage(path);
            return thumbnailOf({image.pixels.data(), image.width, image.height,
                                static_cast<qsizetype>(image.width) * 3, QImage::Format_RGB888},
                               side);
          }};
}

QVariant ThumbnailModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const std::filesystem::path& path = files_[static_cast<std::size_t>(index.row())];
  if (role == Qt::DisplayRole) return fileName(path);
  const QVariant data = LazyThumbnails::data(index, role);
  return role == Qt::ToolTipRole && data.toString().isEmpty()
             ? QString::fromStdString(path.string())
             : data;
}

namespace {

constexpr int kPadding = 6;
constexpr int kGap = 2;  ///< between cells
constexpr double kRound = 5;

void paintGround(QPainter& painter, const QRectF& cell, const QStyleOptionViewItem& option) {
  const bool chosen = option.state.testFlag(QStyle::State_Selected);
  const bool hovered = option.state.testFlag(QStyle::State_MouseOver);
  if (!chosen && !hovered) return;
  QColor color = option.palette.color(QPalette::Highlight);
  color.setAlphaF(chosen ? 0.30F : 0.12F);
  painter.setBrush(color);
  painter.setPen(chosen ? QPen(option.palette.color(QPalette::Highlight), 2) : QPen(Qt::NoPen));
  painter.drawRoundedRect(cell.adjusted(1, 1, -1, -1), kRound, kRound);
}

void paintPlaceholder(QPainter& painter, const QRectF& box, const QPalette& palette) {
  painter.setPen(Qt::NoPen);
  painter.setBrush(blend(palette.color(QPalette::Base), palette.color(QPalette::Text), 0.08));
  painter.drawRoundedRect(box.adjusted(4, 12, -4, -12), kRound, kRound);
}

void paintBroken(QPainter& painter, const QRectF& box, const QPalette& palette) {
  paintPlaceholder(painter, box, palette);
  const QRectF glyph(box.center() - QPointF(15, 15), QSizeF(30, 30));
  paintSeverity(painter, glyph, Severity::kWarning);
}

void paintImage(QPainter& painter, const QRectF& box, const QImage& image) {
  const double ratio = painter.device()->devicePixelRatioF();
  const QSizeF size = QSizeF(image.size()) / ratio;
  QRectF target(box.center() - QPointF(size.width(), size.height()) / 2, size);
  // On whole device pixels, or the picture blurs.
  target.moveTo(std::round(target.x() * ratio) / ratio, std::round(target.y() * ratio) / ratio);
  painter.drawImage(target, image);
}

}  // namespace

int ThumbnailDelegate::height(const QFontMetrics& metrics, int lines) {
  return kSide + 2 * kPadding + kGap + lines * metrics.height() + 4;
}

QSize ThumbnailDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
  return {kSide + 2 * kPadding + kGap, height(option.fontMetrics, lines_)};
}

void ThumbnailDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                              const QModelIndex& index) const {
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  painter->setRenderHint(QPainter::SmoothPixmapTransform);
  const QRectF cell = QRectF(option.rect).adjusted(kGap, kGap, 0, 0);
  paintGround(*painter, cell, option);

  const QRectF box(cell.center().x() - kSide / 2.0, cell.top() + kPadding, kSide, kSide);
  const bool broken = !index.data(ThumbnailModel::kProblemRole).toString().isEmpty();
  const auto image = broken ? QImage() : index.data(Qt::DecorationRole).value<QImage>();
  if (broken) {
    paintBroken(*painter, box, option.palette);
  } else if (image.isNull()) {
    paintPlaceholder(*painter, box, option.palette);
  } else {
    paintImage(*painter, box, image);
  }

  QRectF line(cell.left() + kPadding, box.bottom() + 3, cell.width() - 2 * kPadding,
              option.fontMetrics.height() + 2);
  painter->setPen(
      option.palette.color(broken ? QPalette::Disabled : QPalette::Active, QPalette::Text));
  for (const QString& text : index.data(Qt::DisplayRole).toString().split(QLatin1Char('\n'))) {
    painter->drawText(
        line, Qt::AlignCenter,
        option.fontMetrics.elidedText(text, Qt::ElideMiddle, static_cast<int>(line.width())));
    line.translate(0, option.fontMetrics.height());
  }
  painter->restore();
}

ThumbnailView::ThumbnailView(LazyThumbnails& model, int lines, QWidget* parent)
    : QListView(parent) {
  setModel(&model);
  setItemDelegate(new ThumbnailDelegate(this, lines));
  setFlow(QListView::LeftToRight);
  setWrapping(true);
  setResizeMode(QListView::Adjust);
  setUniformItemSizes(true);
  setMouseTracking(true);
  setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  setEditTriggers(QAbstractItemView::NoEditTriggers);
  setFrameStyle(QFrame::NoFrame);
}

void ThumbnailView::dataChanged(const QModelIndex& top_left, const QModelIndex& bottom_right,
                                const QList<int>& roles) {
  QAbstractItemView::dataChanged(top_left, bottom_right, roles);
}

}  // namespace adamerge::ui
