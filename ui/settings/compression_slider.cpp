// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings/compression_slider.h"

#include <QButtonGroup>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QSlider>
#include <QToolButton>
#include <algorithm>
#include <cmath>

#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"
#include "settings/method_form.h"

namespace adamerge::ui {
namespace {

constexpr int kFinePlaces = 1000;
/// Ranges of more counts than these are spread unevenly.
constexpr int kEvenCounts = 40;
/// Counts grow with this power of the travel.
constexpr double kPower = 1.5;

}  // namespace

CompressionScale::CompressionScale(CompressionMode mode, KnobRange counts, double unmerged,
                                   double lowest)
    : mode_(mode), counts_(counts), unmerged_(unmerged), lowest_(std::min(lowest, unmerged)) {}

bool CompressionScale::even() const {
  return mode_ == CompressionMode::kCount && (stronger() < 0 || counts_.steps() <= kEvenCounts);
}

int CompressionScale::places() const { return even() ? counts_.steps() : kFinePlaces; }

double CompressionScale::minimum() const {
  return mode_ == CompressionMode::kCount ? std::min(counts_.gentlest, counts_.strongest)
                                          : numberOfFlops(lowest_);
}

double CompressionScale::maximum() const {
  return mode_ == CompressionMode::kCount ? std::max(counts_.gentlest, counts_.strongest)
                                          : numberOfFlops(unmerged_);
}

int CompressionScale::decimals() const {
  if (mode_ == CompressionMode::kCount) return 0;
  if (mode_ == CompressionMode::kPercent) return 1;
  return flopsDecimals(unmerged_);
}

double CompressionScale::step() const {
  if (mode_ != CompressionMode::kFlops) return 1;
  return std::pow(10.0, std::floor(std::log10(std::max(unmerged_, 1e-9))) - 1);
}

QString CompressionScale::suffix() const {
  if (mode_ == CompressionMode::kFlops) return QStringLiteral(" G");
  return mode_ == CompressionMode::kPercent ? QStringLiteral(" %") : QString();
}

int CompressionScale::placeOf(double number) const {
  if (mode_ == CompressionMode::kCount) {
    const int steps =
        std::clamp(stronger() * (static_cast<int>(std::lround(number)) - counts_.gentlest), 0,
                   counts_.steps());
    if (even()) return steps;
    return static_cast<int>(std::lround(
        kFinePlaces * std::pow(static_cast<double>(steps) / counts_.steps(), 1 / kPower)));
  }
  if (maximum() <= minimum()) return 0;
  const double share = (maximum() - number) / (maximum() - minimum());
  return static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kFinePlaces));
}

double CompressionScale::numberAt(int place) const {
  if (even()) return counts_.at(place);
  const double share = static_cast<double>(place) / kFinePlaces;
  if (mode_ == CompressionMode::kCount) {
    return counts_.at(static_cast<int>(std::lround(counts_.steps() * std::pow(share, kPower))));
  }
  return maximum() - (maximum() - minimum()) * share;
}

double CompressionScale::numberOfFlops(double flops) const {
  return mode_ == CompressionMode::kPercent ? 100 * flops / unmerged_ : flops;
}

double CompressionScale::flopsOfNumber(double number) const {
  return mode_ == CompressionMode::kPercent ? number / 100 * unmerged_ : number;
}

namespace {

constexpr int kRestMilliseconds = 600;
/// The range in FLOPs until the sweep has found where it ends.
constexpr double kGuessedLowest = 0.25;

QToolButton* modeButton(const QString& text, const QString& name, const QString& tip) {
  auto* button = new QToolButton;
  button->setText(text);
  button->setCheckable(true);
  button->setToolTip(QStringLiteral("<p>%1</p>").arg(tip));
  button->setAccessibleName(name);
  button->setFocusPolicy(Qt::StrongFocus);
  return button;
}

}  // namespace

CompressionSlider::CompressionSlider(Workbench& workbench, QWidget* parent)
    : QWidget(parent),
      workbench_(workbench),
      modes_(new QButtonGroup(this)),
      name_(new QLabel(tr("Compression"))),
      slider_(new QSlider(Qt::Horizontal)),
      number_(new NumberBox),
      left_(new NumberLabel),
      middle_(new NumberLabel),
      right_(new NumberLabel),
      reason_(new QLabel) {
  layOut();
  rest_.setSingleShot(true);
  rest_.setInterval(kRestMilliseconds);
  connect(&rest_, &QTimer::timeout, &workbench_, &Workbench::endEdit);
  connect(modes_, &QButtonGroup::idClicked, this,
          [this](int id) { setMode(static_cast<CompressionMode>(id)); });
  connect(slider_, &QSlider::actionTriggered, this, &CompressionSlider::stepByOne);
  connect(slider_, &QSlider::valueChanged, this,
          [this](int place) { move(scale_.numberAt(place)); });
  connect(slider_, &QSlider::sliderReleased, this, [this] {
    rest_.stop();
    workbench_.endEdit();
    refresh();
  });
  connect(number_, &QDoubleSpinBox::valueChanged, this, &CompressionSlider::move);
  connect(number_, &QDoubleSpinBox::editingFinished, this, &CompressionSlider::refresh);
  connect(&workbench_, &Workbench::activePaneChanged, this, &CompressionSlider::bind);
  connect(&workbench_, &Workbench::modelChanged, this, &CompressionSlider::refresh);
  connect(&workbench_, &Workbench::pictureChanged, this, &CompressionSlider::refresh);
  connect(&workbench_, &Workbench::equalFlopsChanged, this, &CompressionSlider::refresh);
  connect(&workbench_.sweeper(), &Sweeper::changed, this, [this](int pane) {
    if (pane == pane_->index() && mode_ != CompressionMode::kCount) refresh();
  });
  bind();
}

void CompressionSlider::layOut() {
  const auto add = [this](CompressionMode mode, QToolButton* button) {
    modes_->addButton(button, static_cast<int>(mode));
  };
  add(CompressionMode::kCount, modeButton(tr("Count"), tr("Set the count of merges"),
                                          tr("Set how many tokens may merge in each block")));
  add(CompressionMode::kFlops,
      modeButton(tr("FLOPs"), tr("Set FLOPs"),
                 tr("Set what this image may cost, in G (10⁹ multiply–accumulates, as the papers "
                    "count); the count whose cost comes nearest is taken")));
  add(CompressionMode::kPercent,
      modeButton(tr("%"), tr("Set FLOPs in percent"),
                 tr("Set what this image may cost, in % of the unmerged model's FLOPs; the count "
                    "whose cost comes nearest is taken")));
  modes_->button(static_cast<int>(mode_))->setChecked(true);

  name_->setFont(headingFont());
  name_->setBuddy(slider_);
  slider_->setObjectName(QStringLiteral("compression"));
  slider_->setMinimumWidth(80);
  ignoreWheelWithoutFocus(*slider_);
  number_->setObjectName(QStringLiteral("compression-number"));
  number_->setKeyboardTracking(false);
  number_->setAlignment(Qt::AlignRight);
  number_->setFixedWidth(fontMetrics().horizontalAdvance(QStringLiteral("00.000 G")) + 40);
  ignoreWheelWithoutFocus(*number_);
  for (QLabel* label : {static_cast<QLabel*>(left_), static_cast<QLabel*>(middle_),
                        static_cast<QLabel*>(right_), reason_}) {
    makeCaption(*label);
  }
  reason_->setObjectName(QStringLiteral("compression-reason"));
  reason_->setWordWrap(true);
  middle_->setAlignment(Qt::AlignCenter);
  right_->setAlignment(Qt::AlignRight);

  auto* top = new QHBoxLayout;
  top->setSpacing(2);
  top->addWidget(name_, 1);
  for (QAbstractButton* button : modes_->buttons()) top->addWidget(button);
  auto* captions = new QHBoxLayout;
  captions->addWidget(left_);
  captions->addWidget(middle_, 1);
  captions->addWidget(right_);
  auto* layout = tightLayout<QGridLayout>(this);
  layout->setHorizontalSpacing(8);
  layout->setVerticalSpacing(4);
  layout->addLayout(top, 0, 0, 1, 2);
  layout->addWidget(slider_, 1, 0);
  layout->addWidget(number_, 1, 1);
  layout->addLayout(captions, 2, 0);
  layout->addWidget(reason_, 3, 0, 1, 2);
  layout->setColumnStretch(0, 1);
}

void CompressionSlider::setMode(CompressionMode mode) {
  if (mode == mode_) return;
  mode_ = mode;
  modes_->button(static_cast<int>(mode))->setChecked(true);
  refresh();
  emit modeChanged();
}

void CompressionSlider::bind() {
  if (pane_ != nullptr) disconnect(pane_, nullptr, this, nullptr);
  pane_ = &workbench_.activePane();
  connect(pane_, &Pane::changed, this, &CompressionSlider::refresh);
  refresh();
}

bool CompressionSlider::settled() const {
  const InspectionPtr inspection = pane_->inspection();
  return inspection != nullptr && !pane_->busy() &&
         inspection->choice.method == pane_->choice().method &&
         inspection->choice.settings == pane_->choice().settings;
}

void CompressionSlider::refresh() {
  const LoadedModelPtr model = workbench_.model();
  const MethodInfo& method = findMethod(pane_->choice().method);
  const SettingInfo* setting = pane_->compressionSetting();
  modes_->button(static_cast<int>(CompressionMode::kCount))
      ->setText(setting != nullptr ? QString::fromStdString(setting->label) : tr("Count"));
  if (workbench_.showsTrace(pane_->index())) {
    disableWith(tr("This canvas shows a trace: its method and settings are its own."));
  } else if (model == nullptr) {
    disableWith(tr("Open a model first."));
  } else if (method.compression.empty()) {
    disableWith(tr("%1: nothing merges, so there is nothing to set.")
                    .arg(QString::fromStdString(method.label)));
  } else if (workbench_.equalFlops() && pane_->index() != 0) {
    if (setting != nullptr) {
      refreshScale();
      showState();
    }
    disableWith(tr("Follows the FLOPs of the first canvas (equal FLOPs)."));
  } else if (setting == nullptr) {
    const CompressionKnob& knob = method.compression.front();
    disableWith(inactiveReason(*method.setting(knob.key), pane_->choice()));
  } else if (mode_ != CompressionMode::kCount && workbench_.picture() == nullptr) {
    disableWith(tr("FLOPs are set for an image: open one."));
  } else {
    refreshScale();
    showState();
  }
}

void CompressionSlider::disableWith(const QString& reason) {
  slider_->setEnabled(false);
  number_->setEnabled(false);
  for (QWidget* caption : {left_, middle_, right_}) caption->hide();
  reason_->setText(reason);
  reason_->show();
  name_->setToolTip(reason);
  slider_->setToolTip(reason);
  number_->setToolTip(reason);
  slider_->setAccessibleDescription(reason);
}

void CompressionSlider::refreshScale() {
  const LoadedModelPtr model = workbench_.model();
  const double unmerged = model->unmerged.paper;
  double lowest = kGuessedLowest * unmerged;
  const SweepPtr sweep = workbench_.sweeper().sweep(pane_->index());
  if (sweep != nullptr && !sweep->points.empty() && sweep->points.back().value == sweep->limit) {
    // Of a setting that says what stays, the first costs least.
    lowest = std::min(sweep->points.front().flops.paper, sweep->points.back().flops.paper);
  }
  // A count above this model's limit stays in sight until the user moves it.
  KnobRange counts = knobRange(pane_->choice(), model->info.vit);
  int& largest = counts.gentlest < counts.strongest ? counts.strongest : counts.gentlest;
  largest = std::max(largest, pane_->compression());
  scale_ = CompressionScale(mode_, counts, unmerged, lowest);
}

void CompressionSlider::showState() {
  const QSignalBlocker quiet_slider(slider_);
  const QSignalBlocker quiet_number(number_);
  const SettingInfo& setting = *pane_->compressionSetting();
  slider_->setEnabled(true);
  number_->setEnabled(true);
  reason_->hide();
  left_->show();
  right_->show();
  slider_->setRange(0, scale_.places());
  slider_->setPageStep(std::max(1, scale_.places() / 10));
  number_->setDecimals(scale_.decimals());
  number_->setRange(scale_.minimum(), scale_.maximum());
  number_->setSingleStep(scale_.step());
  number_->setSuffix(scale_.suffix());
  // A handle under the pointer, and a target whose count is still being looked for, stay.
  if (!slider_->isSliderDown()) {
    if (mode_ == CompressionMode::kCount) {
      slider_->setValue(scale_.placeOf(pane_->compression()));
    } else if (settled() && !moving_) {
      slider_->setValue(
          scale_.placeOf(scale_.numberOfFlops(pane_->inspection()->result.flops.paper)));
    }
  }
  if (mode_ == CompressionMode::kCount) {
    number_->setValue(pane_->compression());
  } else if (settled() && !slider_->isSliderDown() && !moving_) {
    number_->setValue(scale_.numberOfFlops(pane_->inspection()->result.flops.paper));
  }
  const auto text = [&](double number) {
    return english().toString(number, 'f', scale_.decimals()) + scale_.suffix();
  };
  left_->setText(text(scale_.numberAt(0)));
  right_->setText(text(scale_.numberAt(scale_.places())));
  const QString count =
      QStringLiteral("%1 %2").arg(QString::fromStdString(setting.label)).arg(pane_->compression());
  middle_->setText(count);
  middle_->setVisible(mode_ != CompressionMode::kCount);
  const QString tip = QStringLiteral("<p><b>%1</b></p><p>%2</p>")
                          .arg(count, QString::fromStdString(setting.help).toHtmlEscaped());
  name_->setToolTip(tip);
  slider_->setToolTip(tip);
  number_->setToolTip(tip);
  slider_->setAccessibleName(QString::fromStdString(setting.label));
  number_->setAccessibleName(QString::fromStdString(setting.label));
  slider_->setAccessibleDescription(QString::fromStdString(setting.help));
}

void CompressionSlider::move(double number) {
  moving_ = true;
  {
    const QSignalBlocker quiet_slider(slider_);
    const QSignalBlocker quiet_number(number_);
    slider_->setValue(scale_.placeOf(number));
    number_->setValue(number);
  }
  if (mode_ == CompressionMode::kCount) {
    workbench_.setCompression(pane_->index(), static_cast<int>(std::lround(number)));
  } else {
    workbench_.setTargetFlops(pane_->index(), scale_.flopsOfNumber(number));
  }
  moving_ = false;
  if (!slider_->isSliderDown()) rest_.start();
}

void CompressionSlider::stepByOne(int action) {
  // A place is less than one count, so a step of one place would fall back to where it came from.
  if (scale_.even()) return;
  const int step = action == QAbstractSlider::SliderSingleStepAdd   ? 1
                   : action == QAbstractSlider::SliderSingleStepSub ? -1
                                                                    : 0;
  if (step == 0) return;
  slider_->setSliderPosition(slider_->value());
  workbench_.setCompression(pane_->index(), pane_->compression() + scale_.stronger() * step);
  rest_.start();
}

}  // namespace adamerge::ui
