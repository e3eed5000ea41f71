// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/point_fields.h"

#include <QCheckBox>
#include <QEvent>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QRadioButton>
#include <QSignalBlocker>
#include <QStyle>
#include <algorithm>

#include "adamerge/error.h"
#include "controls/theme.h"

namespace adamerge::ui {
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
  form_->setVerticalSpacing(8);
  form_->addRow(tr("Methods"), makeMethods());
  auto* modes = new QWidget;
  auto* mode = new QHBoxLayout(modes);
  mode->setContentsMargins(0, 0, 0, 0);
  mode->addWidget(by_count_);
  mode->addWidget(by_flops_);
  mode->addStretch(1);
  form_->addRow(tr("Points"), modes);
  form_->addRow(tr("&r_max"), r_max_);
  form_->addRow(tr("&r"), r_);
  form_->addRow(tr("FLOPs, &G"), flops_);
  connect(canvases_, &QCheckBox::toggled, this, &PointFields::changed);
  connect(by_flops_, &QRadioButton::toggled, this, [this] {
    showMode();
    emit changed();
  });
  for (QLineEdit* line : {r_max_, r_, flops_}) {
    connect(line, &QLineEdit::textChanged, this, [this] {
      markLists();
      emit changed();
    });
  }
  showMode();
}

QWidget* PointFields::makeMethods() {
  auto* box = new QWidget;
  auto* grid = new QGridLayout(box);
  grid->setContentsMargins(0, 0, 0, 0);
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
  form_->setRowVisible(r_max_, !flops);
  form_->setRowVisible(r_, !flops);
  form_->setRowVisible(flops_, flops);
}

void PointFields::markLists() {
  mark(*r_max_, !isCounts(r_max_->text().toStdString()));
  mark(*r_, !isCounts(r_->text().toStdString()));
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
  // What was only suggested is suggested anew for another model.
  const bool own = setup.by_flops || flops_->text() != suggested_;
  setup.flops = own ? flops_->text().toStdString() : std::string();
}

void PointFields::suggestFor(const LoadedModel& model) {
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
