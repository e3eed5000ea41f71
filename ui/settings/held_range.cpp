// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings/held_range.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "bench/workbench.h"
#include "look/text.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

/// Salience and attention are shares, but of other methods anything.
constexpr double kLargestValue = 1e6;
constexpr int kDecimals = 6;

}  // namespace

HeldRange::HeldRange(ViewState& view, Find find, QWidget* parent)
    : QWidget(parent),
      view_(view),
      find_(std::move(find)),
      hold_(new QCheckBox(tr("One range for all blocks"))),
      lowest_(makeEnd(QStringLiteral("range-lowest"), tr("Lowest value of the colours"),
                      tr("What is at it or below has the first colour."))),
      highest_(makeEnd(QStringLiteral("range-highest"), tr("Highest value of the colours"),
                       tr("What is at it or above has the last colour."))) {
  hold_->setObjectName(QStringLiteral("hold-range"));
  auto* to = new QLabel(tr("to"));
  to->setBuddy(highest_);
  auto* ends = new QHBoxLayout;
  ends->setSpacing(8);
  ends->addWidget(lowest_, 1);
  ends->addWidget(to);
  ends->addWidget(highest_, 1);
  auto* layout = tightLayout<QVBoxLayout>(this, 8);
  layout->addWidget(hold_);
  layout->addLayout(ends);
  connect(hold_, &QCheckBox::toggled, this, &HeldRange::hold);
  connect(lowest_, &QDoubleSpinBox::valueChanged, this,
          [this](double value) { setEnd(&ValueRange::lowest, value); });
  connect(highest_, &QDoubleSpinBox::valueChanged, this,
          [this](double value) { setEnd(&ValueRange::highest, value); });
  connect(&view_, &ViewState::overlayChanged, this, &HeldRange::refresh);
  refresh();
}

RealBox* HeldRange::makeEnd(const QString& object_name, const QString& name, const QString& help) {
  auto* box = new RealBox;
  box->setObjectName(object_name);
  box->setAccessibleName(name);
  box->setToolTip(richText(help));
  box->setDecimals(kDecimals);
  box->setRange(-kLargestValue, kLargestValue);
  box->setStepType(QAbstractSpinBox::AdaptiveDecimalStepType);
  box->setKeyboardTracking(false);
  box->setMinimumWidth(60);
  ignoreWheelWithoutFocus(*box);
  return box;
}

void HeldRange::hold(bool on) {
  OverlayStyle style = view_.overlay();
  style.held.erase(style.kind);
  const auto found = on && find_ ? find_(style.kind, style.scale) : std::nullopt;
  if (found) style.held[style.kind] = *found;
  view_.editOverlay(style);
  // Nothing was found: the box stays as it was.
  refresh();
}

void HeldRange::setEnd(double ValueRange::*end, double value) {
  OverlayStyle style = view_.overlay();
  if (const auto held = style.held.find(style.kind); held != style.held.end()) {
    ValueRange changed = held->second;
    changed.*end = value;
    if (changed.lowest < changed.highest) held->second = changed;
  }
  view_.editOverlay(style);
  refresh();
}

void HeldRange::refresh() {
  const OverlayStyle& style = view_.overlay();
  const bool ranks = style.scale == SalienceScale::kRank;
  const auto found = style.held.find(style.kind);
  const bool held = found != style.held.end();
  const QSignalBlocker quiet_hold(hold_);
  const QSignalBlocker quiet_lowest(lowest_);
  const QSignalBlocker quiet_highest(highest_);
  hold_->setEnabled(!ranks);
  hold_->setChecked(held);
  hold_->setToolTip(richText(
      ranks ? tr("Ranks have no range: every block has a least and a most.")
            : tr("Takes the range of all blocks in all canvases as they are now and keeps it, so "
                 "that a colour means one value everywhere. Off: every block has its own.")));
  for (RealBox* box : {lowest_, highest_}) {
    box->setEnabled(held && !ranks);
    if (!held) box->clear();
  }
  if (!held) return;
  lowest_->setValue(found->second.lowest);
  highest_->setValue(found->second.highest);
}

std::optional<ValueRange> rangeOfAll(Workbench& workbench, OverlayKind kind, SalienceScale scale) {
  std::vector<float> values;
  for (int index = 0; index < workbench.paneCount(); ++index) {
    const InspectionPtr inspection = workbench.pane(index).inspection();
    if (inspection == nullptr) continue;
    const LensShownPtr lens = workbench.pane(index).lens();
    for (int block = 0; block < inspection->depth(); ++block) {
      const LensMap* map = lens == nullptr ? nullptr : lens->map(*inspection, kind, block);
      if (map == nullptr && lensOf(kind)) continue;
      const std::vector<float>& own =
          map != nullptr ? map->values
                         : inspection->result.layers[static_cast<std::size_t>(block)].salience;
      std::copy_if(own.begin(), own.end(), std::back_inserter(values),
                   [](float value) { return std::isfinite(value); });
    }
  }
  if (values.empty()) return std::nullopt;
  const ValueRange range = rangeOf(values, scale);
  return range.lowest < range.highest ? std::optional(range) : std::nullopt;
}

}  // namespace adamerge::ui
