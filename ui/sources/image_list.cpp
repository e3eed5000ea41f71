// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/image_list.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QListView>
#include <QStackedWidget>
#include <QStyle>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "adamerge/image.h"
#include "bench/data.h"
#include "bench/jobs.h"
#include "look/icons.h"
#include "look/widgets.h"
#include "sources/thumbnails.h"

namespace adamerge::ui {

ImageFinder::ImageFinder(QObject* parent) : QObject(parent) {}

void ImageFinder::find(const std::filesystem::path& folder) {
  jobs_.run(
      kKey, Urgency::kInteractive,
      [this, folder](const std::stop_token& stop, const Jobs::Tell& tell) {
        tell([this, files = findImages(folder, stop)] { emit found(files); });
      },
      [this](const QString& message) { emit failed(message); });
}

namespace {

QString startText() {
  return ThumbnailList::tr(
      "No pictures listed.\n\nOpen a folder, or drop a folder or several pictures on the window, "
      "and step through them here.");
}

QString folderName(const std::filesystem::path& folder) {
  const auto name = folder.filename().empty() ? folder.parent_path().filename() : folder.filename();
  return QString::fromStdString(name.empty() ? folder.string() : name.string());
}

}  // namespace

ThumbnailList::ThumbnailList(QWidget* parent)
    : QWidget(parent),
      finder_(new ImageFinder(this)),
      model_(new ThumbnailModel(this)),
      title_(new ElidedLabel(this)),
      place_(new QLabel(this)),
      previous_(toolButton(QStringLiteral("previous"), tr("Previous picture"))),
      next_(toolButton(QStringLiteral("next"), tr("Next picture"))),
      pages_(new QStackedWidget(this)),
      view_(new ThumbnailView(*model_, 1, pages_)),
      empty_(new QLabel(pages_)) {
  title_->setElideMode(Qt::ElideMiddle);
  view_->setAccessibleName(tr("Pictures"));
  empty_->setWordWrap(true);
  empty_->setAlignment(Qt::AlignCenter);
  empty_->setMargin(16);
  empty_->setForegroundRole(QPalette::PlaceholderText);
  pages_->addWidget(empty_);
  pages_->addWidget(view_);
  const int bar = style()->pixelMetric(QStyle::PM_ScrollBarExtent, nullptr, view_);
  pages_->setMinimumSize(ThumbnailDelegate::kSide + 48,
                         ThumbnailDelegate::height(fontMetrics()) + bar + 4);

  auto* column = tightLayout<QVBoxLayout>(this, 0);
  column->addWidget(makeHeader());
  column->addWidget(pages_, 1);

  connect(previous_, &QToolButton::clicked, this, [this] { step(-1); });
  connect(next_, &QToolButton::clicked, this, [this] { step(1); });
  connect(view_->selectionModel(), &QItemSelectionModel::currentChanged, this, [this] {
    tellPlace();
    if (const auto path = current(); path && !quiet_) emit chosen(*path);
  });
  connect(finder_, &ImageFinder::found, this,
          [this](const std::vector<std::filesystem::path>& files) {
            quiet_ = marks_only_;
            fill(files, first_);
            if (marks_only_) setCurrent(first_);
            quiet_ = false;
          });
  connect(finder_, &ImageFinder::failed, this, [this](const QString& message) {
    showEmpty(message);
    emit failed(message);
  });
  clear();
}

QWidget* ThumbnailList::makeHeader() {
  auto* header = new QWidget(this);
  auto* row = new QHBoxLayout(header);
  row->setContentsMargins(8, 3, 4, 3);
  row->setSpacing(4);
  row->addWidget(title_, 1);
  row->addWidget(place_);
  row->addWidget(previous_);
  row->addWidget(next_);
  return header;
}

void ThumbnailList::openFolder(const std::filesystem::path& folder,
                               const std::filesystem::path& first) {
  fill({}, {});
  folder_ = folder;
  first_ = first;
  marks_only_ = false;
  title_->setText(folderName(folder));
  title_->setToolTip(QString::fromStdString(folder.string()));
  showEmpty(tr("Looking for pictures in %1 …").arg(folderName(folder)));
  finder_->find(folder);
}

void ThumbnailList::listFolder(const std::filesystem::path& folder,
                               const std::filesystem::path& open) {
  openFolder(folder, open);
  marks_only_ = true;
}

void ThumbnailList::yieldTo(const std::filesystem::path& open) {
  first_ = open;
  marks_only_ = true;
}

void ThumbnailList::setFiles(std::vector<std::filesystem::path> files, const QString& title) {
  finder_->cancel();
  folder_.clear();
  title_->setText(title);
  title_->setToolTip({});
  fill(std::move(files), {});
}

void ThumbnailList::clear() { setFiles({}, tr("Pictures")); }

void ThumbnailList::fill(std::vector<std::filesystem::path> files,
                         const std::filesystem::path& first) {
  model_->setFiles(std::move(files));
  if (model_->rowCount() == 0) return showEmpty(startText());
  pages_->setCurrentWidget(view_);
  const auto& listed = model_->files();
  const auto wanted = std::find(listed.begin(), listed.end(), first);
  const int row = wanted == listed.end() ? 0 : static_cast<int>(wanted - listed.begin());
  view_->setCurrentIndex(model_->index(row));
}

void ThumbnailList::showEmpty(const QString& text) {
  empty_->setText(text);
  pages_->setCurrentWidget(empty_);
  tellPlace();
}

void ThumbnailList::setCurrent(const std::filesystem::path& path) {
  const auto& listed = model_->files();
  const auto place = std::find(listed.begin(), listed.end(), path);
  quiet_ = true;
  if (place == listed.end()) {
    view_->selectionModel()->clear();
  } else {
    view_->setCurrentIndex(model_->index(static_cast<int>(place - listed.begin())));
  }
  quiet_ = false;
}

std::optional<std::filesystem::path> ThumbnailList::current() const {
  const int row = view_->currentIndex().row();
  if (row < 0) return std::nullopt;
  return model_->files()[static_cast<std::size_t>(row)];
}

const std::vector<std::filesystem::path>& ThumbnailList::files() const { return model_->files(); }

void ThumbnailList::step(int by) {
  if (model_->rowCount() == 0) return;
  const int row = std::clamp(view_->currentIndex().row() + by, 0, model_->rowCount() - 1);
  view_->setCurrentIndex(model_->index(row));
}

void ThumbnailList::tellPlace() {
  const int row = view_->currentIndex().row();
  const int count = model_->rowCount();
  if (count == 0) {
    place_->clear();
  } else if (row < 0) {
    place_->setText(tr("%1 pictures").arg(count));
  } else {
    place_->setText(tr("%1 of %2").arg(row + 1).arg(count));
  }
  previous_->setEnabled(row > 0);
  next_->setEnabled(row < count - 1);
}

void ThumbnailList::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  // Where only one row fits, it runs on sideways.
  const bool rows_fit = pages_->height() >= 2 * ThumbnailDelegate::height(fontMetrics());
  if (rows_fit == view_->isWrapping()) return;
  view_->setWrapping(rows_fit);
  view_->setVerticalScrollBarPolicy(rows_fit ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff);
  view_->scrollTo(view_->currentIndex());
}

void ThumbnailList::showEvent(QShowEvent* event) {
  model_->setSide(qRound(ThumbnailDelegate::kSide * devicePixelRatioF()));
  QWidget::showEvent(event);
}

}  // namespace adamerge::ui
