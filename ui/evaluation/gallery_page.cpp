// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/gallery_page.h"

#include <QFileDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <initializer_list>
#include <map>

#include "adamerge/report.h"
#include "bench/workbench.h"
#include "evaluation/gallery_model.h"
#include "look/icons.h"
#include "look/message.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"

namespace adamerge::ui {

GallerySetting::GallerySetting(Gallery& gallery, QWidget* parent) : QComboBox(parent) {
  setAccessibleName(tr("Setting"));
  setToolTip(tr("Which of the measured settings is compared with the unmerged model"));
  setSizeAdjustPolicy(AdjustToMinimumContentsLengthWithIcon);
  setMinimumContentsLength(12);
  connect(&gallery, &Gallery::fileChanged, this, [this, &gallery] {
    const QSignalBlocker quiet(this);
    clear();
    if (gallery.file() == nullptr) return;
    for (const MethodChoice& choice : gallery.file()->choices()) {
      addItem(QString::fromStdString(describe(choice)));
    }
    setCurrentIndex(static_cast<int>(gallery.point()));
  });
  connect(&gallery, &Gallery::pointChanged, this,
          [this, &gallery] { setCurrentIndex(static_cast<int>(gallery.point())); });
  connect(this, &QComboBox::activated, &gallery,
          [&gallery](int index) { gallery.setPoint(static_cast<std::size_t>(index)); });
}

namespace {

/// Classes that images are of, by name.
std::map<std::string, int> classesOf(const PictureFile& file) {
  std::map<std::string, int> classes;
  for (const int index : file.classIndices()) classes.emplace(file.className(index), index);
  return classes;
}

constexpr int kPageMargin = 12;
constexpr int kMostNamed = 30;  ///< missing images in the tooltip

QToolButton* pageTool(const char* name, const QString& icon_name, const QString& text,
                      const QString& tip) {
  auto* button = toolButton(icon_name, tip, text);
  button->setObjectName(QString::fromLatin1(name));
  return button;
}

}  // namespace

GalleryPage::GalleryPage(Workbench& workbench, Gallery& gallery, QWidget* parent)
    : QWidget(parent),
      workbench_(workbench),
      gallery_(gallery),
      model_(new GalleryModel(this)),
      setting_(new GallerySetting(gallery)),
      show_(new QComboBox),
      class_(new QComboBox),
      count_(new ElidedLabel),
      open_(pageTool("gallery-open", QStringLiteral("open"), tr("Open…"),
                     tr("A file that adamerge evaluate --per-image wrote"))),
      sheet_(pageTool("gallery-sheet", QStringLiteral("export"), tr("Sheet…"),
                      tr("Exports the first images shown, and the counts per block, as PDF, SVG or "
                         "PNG"))),
      view_(new ThumbnailView(*model_, GalleryModel::kLines)),
      empty_(new QLabel(tr("Measure on a set of images first, or open a file of rows: the images "
                           "that merging lost, gained and kept appear here."))),
      notice_(new MessageLine(MessageLine::Buttons::kBelow)) {
  setting_->setObjectName(QStringLiteral("gallery-setting"));
  show_->setObjectName(QStringLiteral("gallery-show"));
  show_->setAccessibleName(tr("Images shown"));
  for (const PictureShowName& show : pictureShows()) show_->addItem(tr(show.label));
  class_->setObjectName(QStringLiteral("gallery-class"));
  class_->setAccessibleName(tr("Class"));
  class_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  class_->setMinimumContentsLength(8);
  count_->setObjectName(QStringLiteral("gallery-count"));
  view_->setObjectName(QStringLiteral("gallery"));
  view_->setAccessibleName(tr("Gallery"));
  layOut();
  connect(&gallery_, &Gallery::fileChanged, this, [this] {
    missing_.clear();
    notice_->clear();
    fillClasses();
    showFilter();
  });
  connect(&gallery_, &Gallery::filterChanged, this, &GalleryPage::showFilter);
  connect(&gallery_, &Gallery::listed, this, &GalleryPage::showList);
  connect(&gallery_, &Gallery::failed, this, [this](const QString& message) {
    sheet_->setEnabled(model_->rowCount() > 0);
    notice_->show(Severity::kError, message);
  });
  connect(&gallery_, &Gallery::sheetProgressed, this, [this](int done, int total) {
    notice_->show(Severity::kInfo, tr("Drawing %1 of %2 images…").arg(done).arg(total),
                  {{tr("Stop"),
                    [this] {
                      gallery_.cancelSheet();
                      sheet_->setEnabled(true);
                      notice_->clear();
                    },
                    {}}});
  });
  connect(&gallery_, &Gallery::sheetMade, this, [this](const GallerySheet& made) {
    sheet_->setEnabled(true);
    notice_->clear();
    for (const QString& missing : made.missing) tellMissing(-1, missing);
    emit sheetMade(made);
  });
  connect(&workbench_, &Workbench::modelChanged, this, [this] { showList(model_->list()); });
  connect(show_, &QComboBox::activated, this, &GalleryPage::readFilter);
  connect(class_, &QComboBox::activated, this, &GalleryPage::readFilter);
  connect(view_, &QListView::clicked, this, &GalleryPage::choose);
  connect(view_, &QListView::activated, this, &GalleryPage::choose);
  connect(model_, &LazyThumbnails::failed, this, &GalleryPage::tellMissing);
  connect(open_, &QToolButton::clicked, this, &GalleryPage::askForFile);
  connect(sheet_, &QToolButton::clicked, this, &GalleryPage::makeSheet);
  fillClasses();
  showList(nullptr);
}

void GalleryPage::layOut() {
  makeCaption(*empty_);
  empty_->setWordWrap(true);
  empty_->setAlignment(Qt::AlignTop);
  makeCaption(*count_);
  auto* head = new QHBoxLayout;
  head->setContentsMargins(kPageMargin, 0, 6, 0);
  head->setSpacing(2);
  head->addWidget(count_, 1);
  head->addWidget(open_);
  head->addWidget(sheet_);
  auto* fields = new QHBoxLayout;
  fields->setContentsMargins(kPageMargin, 0, kPageMargin, 0);
  fields->addWidget(show_);
  fields->addWidget(class_, 1);
  auto* setting = new QHBoxLayout;
  setting->setContentsMargins(kPageMargin, 0, kPageMargin, 0);
  setting->addWidget(setting_, 1);
  auto* notices = new QVBoxLayout;
  notices->setContentsMargins(kPageMargin, 0, kPageMargin, 0);
  notices->addWidget(empty_);
  notices->addWidget(notice_);
  auto* layout = tightLayout<QVBoxLayout>(this, 4);
  layout->addLayout(head);
  layout->addLayout(setting);
  layout->addLayout(fields);
  layout->addWidget(view_, 1);
  layout->addLayout(notices);
}

/// The classes that the images have, by name.
void GalleryPage::fillClasses() {
  const QSignalBlocker quiet(class_);
  class_->clear();
  class_->addItem(tr("All classes"), -1);
  const PictureFilePtr& file = gallery_.file();
  if (file == nullptr) return;
  for (const auto& [name, index] : classesOf(*file)) {
    class_->addItem(QString::fromStdString(name), index);
  }
}

void GalleryPage::showFilter() {
  const PictureFilter& filter = gallery_.filter();
  const auto shows = pictureShows();
  for (std::size_t i = 0; i < shows.size(); ++i) {
    if (shows[i].show == filter.show) show_->setCurrentIndex(static_cast<int>(i));
  }
  class_->setCurrentIndex(std::max(0, class_->findData(filter.label)));
}

void GalleryPage::readFilter() {
  const auto shows = pictureShows();
  gallery_.setFilter({shows[static_cast<std::size_t>(show_->currentIndex())].show,
                      class_->currentData().toInt(), -1});
}

std::shared_ptr<const Engine> GalleryPage::matchingEngine() const {
  std::shared_ptr<const Engine> engine = workbench_.engine();
  const PictureFilePtr& file = gallery_.file();
  return file != nullptr && sameModel(*file, engine.get()) ? engine : nullptr;
}

void GalleryPage::showList(const GalleryListPtr& list) {
  missing_.clear();
  statistics_problem_.clear();
  const auto engine = list == nullptr ? nullptr : matchingEngine();
  model_->setSide(qRound(ThumbnailDelegate::kSide * devicePixelRatioF()));
  model_->show(list, engine);
  const bool any = list != nullptr;
  for (QWidget* widget : std::initializer_list<QWidget*>{view_, setting_, show_, class_}) {
    widget->setVisible(any);
  }
  empty_->setVisible(!any);
  sheet_->setEnabled(any && engine != nullptr && !list->pictures.empty());
  if (!any) {
    count_->clear();
    return;
  }
  QString text =
      tr("%1 of %2")
          .arg(english().toString(static_cast<qint64>(list->pictures.size())),
               counted(static_cast<qint64>(list->file->pictures()), "%1 image", "%1 images"));
  if (list->filter.predicted >= 0) {
    text += tr(", taken for %1")
                .arg(QString::fromStdString(list->file->className(list->filter.predicted)));
  }
  count_->setText(text);
  count_->setToolTip(QString::fromStdString(list->file->dataset().string()));
  if (engine == nullptr) {
    notice_->show(Severity::kInfo,
                  tr("Measured with %1: open that model to see groups and to export a sheet.")
                      .arg(QString::fromStdString(list->file->model())));
    return;
  }
  statistics_problem_ = QString::fromStdString(list->file->statisticsProblem(list->point, *engine));
  if (statistics_problem_.isEmpty()) {
    notice_->clear();
  } else {
    notice_->show(Severity::kWarning, statistics_problem_ + QLatin1Char('.'));
  }
}

void GalleryPage::choose(const QModelIndex& index) {
  const GalleryListPtr& list = model_->list();
  if (list == nullptr || !index.isValid()) return;
  const std::size_t picture = list->pictures[static_cast<std::size_t>(index.row())];
  emit pictureChosen(list->file->place(picture), list->file->choices()[list->point]);
}

void GalleryPage::tellMissing(int /*row*/, const QString& problem) {
  if (missing_.contains(problem)) return;
  missing_ << problem;
  QString text = counted(missing_.size(), "%1 image moved or changed since it was measured: ",
                         "%1 images moved or changed since they were measured: ") +
                 missing_.first();
  if (missing_.size() > 1) text += tr(" and others");
  text += QLatin1Char('.');
  if (!statistics_problem_.isEmpty()) text += QLatin1Char(' ') + statistics_problem_ + '.';
  notice_->show(Severity::kWarning, text);
  notice_->setToolTip(missing_.mid(0, kMostNamed).join(QLatin1Char('\n')));
}

void GalleryPage::askForFile() {
  const QString path = QFileDialog::getOpenFileName(this, tr("Open rows of images"), {},
                                                    tr("Rows of images (*.csv)"));
  if (!path.isEmpty()) gallery_.open(path.toStdString());
}

void GalleryPage::makeSheet() {
  const auto engine = matchingEngine();
  if (engine == nullptr || model_->list() == nullptr) return;
  sheet_->setEnabled(false);
  gallery_.makeSheet(engine, model_->list());
}

void GalleryPage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  model_->setSide(qRound(ThumbnailDelegate::kSide * devicePixelRatioF()));
}

}  // namespace adamerge::ui
