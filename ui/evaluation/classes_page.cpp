// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/classes_page.h"

#include <QHeaderView>
#include <QLabel>
#include <QVBoxLayout>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "evaluation/gallery_page.h"
#include "look/table.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

constexpr double kLeastShownP = 0.0001;

QString withSign(double value, int decimals) {
  return (value < 0 ? QStringLiteral("−") : QStringLiteral("+")) +
         QString::number(std::abs(value), 'f', decimals);
}

QString probabilityText(double p) {
  return p < kLeastShownP ? QStringLiteral("< 0.0001") : QString::number(p, 'f', 4);
}

int alignment(bool text) { return int((text ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter); }

}  // namespace

void ClassesModel::show(GalleryClassesPtr classes) {
  beginResetModel();
  classes_ = std::move(classes);
  endResetModel();
}

int ClassesModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() || classes_ == nullptr ? 0 : static_cast<int>(classes_->classes.size());
}

int ClassesModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : kColumns;
}

QVariant ClassesModel::data(const QModelIndex& index, int role) const {
  if (role == Qt::TextAlignmentRole) return alignment(index.column() == kClass);
  const bool key = role == SortedTable::kSortRole;
  if (role != Qt::DisplayRole && !key) return {};
  const ClassOutcome& own = classes_->classes[static_cast<std::size_t>(index.row())];
  const double change = own.after() - own.before();
  const auto number = [&](double value, const QString& text) {
    return key ? QVariant(value) : QVariant(text);
  };
  switch (index.column()) {
    case kClass:
      return QString::fromStdString(classes_->file->className(own.label));
    case kImages:
      return number(own.images, english().toString(own.images));
    case kBefore:
      return number(own.before(), QString::number(own.before(), 'f', 1));
    case kAfter:
      return number(own.after(), QString::number(own.after(), 'f', 1));
    case kChange:
      return number(change, withSign(change, 1));
    case kInterval:
      return number(
          own.difference.low,
          tr("%1 to %2").arg(withSign(own.difference.low, 1), withSign(own.difference.high, 1)));
    case kLost:
      return number(own.lost, english().toString(own.lost));
    case kGained:
      return number(own.gained, english().toString(own.gained));
    case kP:
      return number(own.p, probabilityText(own.p));
    case kPAll:
      return number(own.p_holm, probabilityText(own.p_holm));
    default:
      return {};
  }
}

QVariant ClassesModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) return alignment(section == kClass);
  const QStringList names = {tr("Class"),   tr("Δ"),     tr("95 %"),   tr("p"),
                             tr("p (all)"), tr("Lost"),  tr("Gained"), tr("Before %"),
                             tr("After %"), tr("Images")};
  if (role == Qt::DisplayRole) return names.value(section);
  if (role != Qt::ToolTipRole) return {};
  switch (section) {
    case kChange:
      return tr("Points of accuracy gained or lost by merging");
    case kBefore:
      return tr("Right without merging, of the images of the class");
    case kAfter:
      return tr("Right with the setting");
    case kInterval:
      return tr("Of the difference on the same images (Agresti and Min)");
    case kP:
      return tr(
          "How likely a split of lost and gained at least as uneven is if merging changed "
          "nothing (McNemar)");
    case kPAll:
      return tr("The same, corrected for looking at all classes (Holm)");
    default:
      return {};
  }
}

void ConfusionsModel::show(GalleryClassesPtr classes) {
  beginResetModel();
  classes_ = std::move(classes);
  endResetModel();
}

int ConfusionsModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() || classes_ == nullptr ? 0
                                                 : static_cast<int>(classes_->confusions.size());
}

int ConfusionsModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : kColumns;
}

QVariant ConfusionsModel::data(const QModelIndex& index, int role) const {
  if (role == Qt::TextAlignmentRole) return alignment(index.column() <= kFor);
  if (role != Qt::DisplayRole && role != SortedTable::kSortRole) return {};
  const Confusion& pair = classes_->confusions[static_cast<std::size_t>(index.row())];
  const auto name = [&](int label) {
    return QString::fromStdString(classes_->file->className(label));
  };
  switch (index.column()) {
    case kOf:
      return name(pair.label);
    case kFor:
      return name(pair.predicted);
    case kBefore:
      return pair.before;
    case kAfter:
      return pair.after;
    default:
      return {};
  }
}

QVariant ConfusionsModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) return alignment(section <= kFor);
  if (role != Qt::DisplayRole) return {};
  return QStringList{tr("Class"), tr("Taken for"), tr("Before"), tr("After")}.value(section);
}

ClassesPage::ClassesPage(Gallery& gallery, QWidget* parent)
    : QWidget(parent),
      gallery_(gallery),
      setting_(new GallerySetting(gallery)),
      classes_model_(new ClassesModel),
      confusions_model_(new ConfusionsModel),
      classes_(new SortedTable(classes_model_)),
      confusions_(new SortedTable(confusions_model_)),
      adaptation_(new QLabel),
      empty_(new QLabel(tr("Measure on a set of images first, or open a file of rows in the "
                           "gallery: the classes that pay for merging appear here."))) {
  setting_->setObjectName(QStringLiteral("classes-setting"));
  classes_->setObjectName(QStringLiteral("classes-table"));
  classes_->setAccessibleName(tr("Accuracy per class"));
  confusions_->setObjectName(QStringLiteral("confusions-table"));
  confusions_->setAccessibleName(tr("Newly confused classes"));
  adaptation_->setObjectName(QStringLiteral("adaptation"));
  adaptation_->setWordWrap(true);
  adaptation_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  empty_->setWordWrap(true);
  empty_->setAlignment(Qt::AlignTop);
  makeCaption(*empty_);
  makeCaption(*adaptation_);
  auto* inner = new QVBoxLayout;
  inner->setContentsMargins(12, 0, 12, 0);
  inner->addWidget(setting_);
  inner->addWidget(empty_, 1);
  auto* foot = new QVBoxLayout;
  foot->setContentsMargins(12, 0, 12, 0);
  foot->addWidget(adaptation_);
  auto* layout = tightLayout<QVBoxLayout>(this, 4);
  layout->addLayout(inner);
  layout->addWidget(classes_, 3);
  layout->addWidget(confusions_, 2);
  layout->addLayout(foot);
  connect(&gallery_, &Gallery::counted, this, &ClassesPage::showClasses);
  connect(classes_, &SortedTable::rowChosen, this, [this](int row) {
    const ClassOutcome& own = classes_model_->classes()->classes[static_cast<std::size_t>(row)];
    gallery_.setFilter({own.lost > 0 ? PictureShow::kLost : PictureShow::kAll, own.label, -1});
    emit galleryWanted();
  });
  connect(confusions_, &SortedTable::rowChosen, this, [this](int row) {
    const Confusion& pair = confusions_model_->classes()->confusions[static_cast<std::size_t>(row)];
    gallery_.setFilter({PictureShow::kAll, pair.label, pair.predicted});
    emit galleryWanted();
  });
  showClasses(nullptr);
}

namespace {

QString correlationLine(const QString& with, const std::optional<RankCorrelation>& correlation) {
  if (!correlation) return {};
  return QObject::tr("%1 %2 (%3 to %4)")
      .arg(with, withSign(correlation->rho, 2), withSign(correlation->low, 2),
           withSign(correlation->high, 2));
}

QString adaptationText(const Adaptation& adaptation) {
  QStringList lines;
  for (const QString& line : {correlationLine(QObject::tr("edges"), adaptation.edges),
                              correlationLine(QObject::tr("entropy"), adaptation.entropy),
                              correlationLine(QObject::tr("confidence"), adaptation.confidence)}) {
    if (!line.isEmpty()) lines << line;
  }
  const Spread& merged = adaptation.merged.spread;
  QString text = QObject::tr("Tokens merged an image: %1 to %2, median %3.")
                     .arg(merged.minimum)
                     .arg(merged.maximum)
                     .arg(merged.median);
  if (lines.isEmpty()) return text;
  return text + QObject::tr(" Rank correlation with ") + lines.join(QStringLiteral(", ")) +
         QLatin1Char('.');
}

}  // namespace

void ClassesPage::showClasses(const GalleryClassesPtr& classes) {
  const bool filled = classes_model_->rowCount() > 0;
  classes_model_->show(classes);
  confusions_model_->show(classes);
  const bool any = classes != nullptr;
  for (QWidget* widget : std::initializer_list<QWidget*>{setting_, classes_, adaptation_}) {
    widget->setVisible(any);
  }
  confusions_->setVisible(any && !classes->confusions.empty());
  empty_->setVisible(!any);
  if (!any) return;
  adaptation_->setText(adaptationText(classes->adaptation));
  if (filled) return;
  classes_->resizeColumnsToContents();
  confusions_->resizeColumnsToContents();
}

}  // namespace adamerge::ui
