// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/fields.h"

#include <QCheckBox>
#include <QDir>
#include <QEvent>
#include <QFileDialog>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QRadioButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStyle>
#include <QToolButton>
#include <QUrl>
#include <algorithm>

#include "adamerge/error.h"
#include "look/icons.h"
#include "look/theme.h"
#include "look/widgets.h"
#include "sources/recent.h"

namespace adamerge::ui {
namespace {

/// A dropped file arrives as an address.
std::filesystem::path pathIn(const QLineEdit& line) {
  const QString text = line.text().trimmed();
  const QString local =
      text.startsWith(QStringLiteral("file://")) ? QUrl(text).toLocalFile() : text;
  return {QDir::toNativeSeparators(local).toStdString()};
}

QWidget* beside(QWidget* line, QWidget* button) {
  auto* row = new QWidget;
  auto* layout = tightLayout<QHBoxLayout>(row, 4);
  layout->addWidget(line, 1);
  layout->addWidget(button);
  return row;
}

}  // namespace

DataFields::DataFields(RecentList& recent, QWidget* parent)
    : QWidget(parent),
      recent_(recent),
      data_(new QLineEdit),
      labels_(new QLineEdit),
      unlabelled_(new QCheckBox(tr("Without labels: agreement alone"))),
      limit_(new CountBox),
      seed_(new CountBox) {
  data_->setObjectName(QStringLiteral("evaluation-data"));
  data_->setAccessibleName(tr("Images"));
  data_->setPlaceholderText(tr("Folder with a sub-folder per class"));
  data_->setToolTip(
      tr("A folder with one sub-folder per class, CIFAR-10's binary files, or without labels any "
         "folder of images"));
  labels_->setObjectName(QStringLiteral("evaluation-labels"));
  labels_->setAccessibleName(tr("Labels file"));
  labels_->setPlaceholderText(tr("Folders carry the classes' names"));
  labels_->setToolTip(
      tr("For folders named otherwise, as ImageNet's n01440764: a text file that says which class "
         "each holds. Lines of the folder, a tab, comma or space, and the class's name or index."));
  unlabelled_->setObjectName(QStringLiteral("evaluation-unlabelled"));
  unlabelled_->setToolTip(
      tr("Takes every image at any depth and measures how often the merged model has the same top "
         "class as the unmerged one. No accuracy, since nothing says what is right."));
  limit_->setObjectName(QStringLiteral("evaluation-limit"));
  limit_->setRange(0, EvaluationSetup::kMostImages);
  limit_->setSpecialValueText(tr("All"));
  limit_->setGroupSeparatorShown(true);
  limit_->setSingleStep(100);
  limit_->setToolTip(
      tr("This many are drawn at random. 1,000 images tell accuracies apart that "
         "differ by about 3 points; 0 takes all."));
  seed_->setObjectName(QStringLiteral("evaluation-seed"));
  seed_->setRange(0, EvaluationSetup::kMostSeed);
  seed_->setToolTip(tr("Another seed draws other images; the same one the same."));
  for (QSpinBox* box : {limit_, seed_}) ignoreWheelWithoutFocus(*box);
  layOut();
  connect(data_, &QLineEdit::textChanged, this, &DataFields::changed);
  connect(labels_, &QLineEdit::textChanged, this, &DataFields::changed);
  connect(unlabelled_, &QCheckBox::toggled, this, [this](bool on) {
    labels_row_->setEnabled(!on);
    emit changed();
  });
  connect(limit_, &QSpinBox::valueChanged, this, &DataFields::changed);
  connect(seed_, &QSpinBox::valueChanged, this, &DataFields::changed);
  connect(&recent_, &RecentList::chosen, this, [this](const std::filesystem::path& path) {
    data_->setText(QString::fromStdString(path.string()));
  });
}

void DataFields::layOut() {
  auto* form = tightLayout<QFormLayout>(this);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  form->setVerticalSpacing(8);
  const auto add = [&](const QString& label, QWidget* field, QWidget* buddy) {
    form->addRow(label, field);
    qobject_cast<QLabel*>(form->labelForField(field))->setBuddy(buddy);
  };
  auto* browse = toolButton(QStringLiteral("folder"), tr("Choose a folder; the arrow has more"));
  fillMenu(*browse);
  connect(browse, &QToolButton::clicked, this, &DataFields::chooseFolder);
  add(tr("Im&ages"), beside(data_, browse), data_);
  auto* map = toolButton(QStringLiteral("folder"), tr("Choose a labels file"));
  connect(map, &QToolButton::clicked, this, [this] {
    chooseFile(*labels_, tr("Which class a folder holds"),
               tr("Text (*.txt *.csv *.tsv);;All files (*)"));
  });
  labels_row_ = beside(labels_, map);
  add(tr("&Labels"), labels_row_, labels_);
  form->addRow(QString(), unlabelled_);
  auto* count = new QWidget;
  auto* counts = tightLayout<QHBoxLayout>(count, 8);
  auto* seed = new QLabel(tr("s&eed"));
  seed->setBuddy(seed_);
  counts->addWidget(limit_, 2);
  counts->addWidget(seed);
  counts->addWidget(seed_, 1);
  add(tr("&How many"), count, limit_);
}

void DataFields::fillMenu(QToolButton& button) {
  auto* menu = new QMenu(&button);
  menu->addAction(tr("Choose a &folder…"), this, &DataFields::chooseFolder);
  menu->addAction(tr("Choose a CIFAR-10 &binary file…"), this, [this] {
    chooseFile(*data_, tr("Images to evaluate on"), tr("CIFAR-10 (*.bin);;All files (*)"));
  });
  recent_.fillMenu(menu->addMenu(tr("&Recent")));
  button.setMenu(menu);
  button.setPopupMode(QToolButton::MenuButtonPopup);
}

void DataFields::chooseFolder() {
  const QString folder =
      QFileDialog::getExistingDirectory(this, tr("Images to evaluate on"), data_->text());
  if (!folder.isEmpty()) data_->setText(QDir::toNativeSeparators(folder));
}

void DataFields::chooseFile(QLineEdit& line, const QString& title, const QString& filter) {
  const QString file = QFileDialog::getOpenFileName(this, title, line.text(), filter);
  if (!file.isEmpty()) line.setText(QDir::toNativeSeparators(file));
}

void DataFields::show(const EvaluationSetup& setup) {
  const QSignalBlocker quiet(this);
  data_->setText(QString::fromStdString(setup.data.string()));
  labels_->setText(QString::fromStdString(setup.labels.string()));
  unlabelled_->setChecked(setup.unlabelled);
  limit_->setValue(setup.limit);
  seed_->setValue(setup.seed);
}

void DataFields::read(EvaluationSetup& setup) const {
  setup.data = pathIn(*data_);
  setup.labels = pathIn(*labels_);
  setup.unlabelled = unlabelled_->isChecked();
  setup.limit = limit_->value();
  setup.seed = seed_->value();
}

namespace {

constexpr int kMethodColumns = 2;

bool isCounts(const std::string& text) {
  try {
    parseCounts({}, text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool isTiers(const std::string& text) {
  try {
    parseTiers({}, text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void mark(QLineEdit& line, bool invalid) {
  if (line.property("invalid").toBool() == invalid) return;
  line.setProperty("invalid", invalid);
  line.style()->unpolish(&line);
  line.style()->polish(&line);
}

}  // namespace

PointFields::PointFields(QWidget* parent)
    : QWidget(parent),
      canvases_(new QCheckBox(tr("And what the canvases show"))),
      by_count_(new QRadioButton(tr("At counts"))),
      by_flops_(new QRadioButton(tr("At FLOPs"))),
      r_max_(makeList("evaluation-r-max", tr("r_max"),
                      tr("For AdaMerge, the most tokens a block merges: numbers as 8,12,16, or a "
                         "range with its step as 4:20:4"))),
      r_(makeList("evaluation-r", tr("r"),
                  tr("For the methods that merge the same number of tokens in every block, in the "
                     "same form"))),
      ratio_(
          makeList("evaluation-ratio", tr("Ratio in %"),
                   tr("Per cent of the tokens that merge, in networks that restore their grid in "
                      "every block (Segment Anything, AFNO)"))),
      flops_(makeList("evaluation-flops", tr("FLOPs in G"),
                      tr("Numbers of G in the papers' convention, as 1.1,0.9: each method gets the "
                         "setting that comes nearest, AdaMerge's found on 32 of the images, so "
                         "that methods are compared at equal cost"))) {
  canvases_->setObjectName(QStringLiteral("evaluation-canvases"));
  canvases_->setToolTip(
      tr("The method and settings of each canvas: as they stand, and over the range below"));
  by_count_->setObjectName(QStringLiteral("evaluation-by-count"));
  by_flops_->setObjectName(QStringLiteral("evaluation-by-flops"));
  by_count_->setChecked(true);
  form_ = new QFormLayout(this);
  form_->setContentsMargins(0, 0, 0, 0);
  form_->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  // A narrow panel has the methods below their name.
  form_->setRowWrapPolicy(QFormLayout::WrapLongRows);
  form_->setVerticalSpacing(8);
  form_->addRow(tr("Methods"), makeMethods());
  auto* modes = new QWidget;
  auto* mode = tightLayout<QHBoxLayout>(modes);
  mode->addWidget(by_count_);
  mode->addWidget(by_flops_);
  mode->addStretch(1);
  form_->addRow(tr("Points"), modes);
  form_->addRow(tr("&r_max"), r_max_);
  form_->addRow(tr("&r"), r_);
  form_->addRow(tr("Ra&tio, %"), ratio_);
  form_->addRow(tr("FLOPs, &G"), flops_);
  connect(canvases_, &QCheckBox::toggled, this, &PointFields::changed);
  connect(by_flops_, &QRadioButton::toggled, this, [this] {
    showMode();
    emit changed();
  });
  for (QLineEdit* line : {r_max_, r_, ratio_, flops_}) {
    connect(line, &QLineEdit::textChanged, this, [this] {
      markLists();
      emit changed();
    });
  }
  showMode();
}

QWidget* PointFields::makeMethods() {
  auto* box = new QWidget;
  auto* grid = tightLayout<QGridLayout>(box);
  grid->setVerticalSpacing(2);
  for (const MethodInfo& info : methods()) {
    if (info.id == MethodChoice{}.method) continue;
    auto* method = new QCheckBox(QString::fromStdString(info.label));
    method->setObjectName(QStringLiteral("evaluation-method-") + QString::fromStdString(info.id));
    method->setIcon(methodSwatch(info.id));
    method->setToolTip(QString::fromStdString(info.description));
    const int place = static_cast<int>(methods_.size());
    grid->addWidget(method, place / kMethodColumns, place % kMethodColumns);
    methods_.push_back({info.id, method});
    connect(method, &QCheckBox::toggled, this, &PointFields::changed);
  }
  const int rows = (static_cast<int>(methods_.size()) + kMethodColumns - 1) / kMethodColumns;
  grid->addWidget(canvases_, rows, 0, 1, kMethodColumns);
  return box;
}

QLineEdit* PointFields::makeList(const char* name, const QString& label, const QString& tip) {
  auto* line = new QLineEdit;
  line->setObjectName(QString::fromLatin1(name));
  line->setAccessibleName(label);
  line->setToolTip(tip);
  return line;
}

void PointFields::showMode() {
  const bool flops = by_flops_->isChecked();
  form_->setRowVisible(r_max_, !flops && !restores_);
  form_->setRowVisible(r_, !flops && !restores_);
  form_->setRowVisible(ratio_, !flops && restores_);
  form_->setRowVisible(flops_, flops);
}

void PointFields::markLists() {
  mark(*r_max_, !isCounts(r_max_->text().toStdString()));
  mark(*r_, !isCounts(r_->text().toStdString()));
  mark(*ratio_, !isCounts(ratio_->text().toStdString()));
  mark(*flops_, !isTiers(flops_->text().toStdString()));
}

void PointFields::show(const EvaluationSetup& setup) {
  const QSignalBlocker quiet(this);
  for (const MethodBox& method : methods_) {
    method.box->setChecked(std::find(setup.methods.begin(), setup.methods.end(), method.id) !=
                           setup.methods.end());
  }
  canvases_->setChecked(setup.canvases);
  (setup.by_flops ? by_flops_ : by_count_)->setChecked(true);
  r_max_->setText(QString::fromStdString(setup.r_max));
  r_->setText(QString::fromStdString(setup.r));
  ratio_->setText(QString::fromStdString(setup.ratio));
  flops_->setText(QString::fromStdString(setup.flops));
  showMode();
}

void PointFields::read(EvaluationSetup& setup) const {
  setup.methods.clear();
  for (const MethodBox& method : methods_) {
    if (method.box->isChecked()) setup.methods.push_back(method.id);
  }
  setup.canvases = canvases_->isChecked();
  setup.by_flops = by_flops_->isChecked();
  setup.r_max = r_max_->text().toStdString();
  setup.r = r_->text().toStdString();
  setup.ratio = ratio_->text().toStdString();
  // What was only suggested is suggested anew for another model.
  const bool own = setup.by_flops || flops_->text() != suggested_;
  setup.flops = own ? flops_->text().toStdString() : std::string();
}

void PointFields::suggestFor(const LoadedModel& model) {
  restores_ = model.info.vit.restores();
  for (const MethodBox& method : methods_) {
    method.box->setEnabled(runsIn(method.id, model.info.vit));
  }
  showMode();
  if (!flops_->text().isEmpty() && flops_->text() != suggested_) return;
  QStringList tiers;
  for (const double share : {0.9, 0.8, 0.7}) {
    tiers << QString::number(share * model.unmerged.paper, 'g', 3);
  }
  suggested_ = tiers.join(QLatin1Char(','));
  flops_->setText(suggested_);
}

void PointFields::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() != QEvent::PaletteChange) return;
  for (const MethodBox& method : methods_) method.box->setIcon(methodSwatch(method.id));
}

}  // namespace adamerge::ui
