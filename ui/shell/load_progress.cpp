// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/load_progress.h"

#include <QHBoxLayout>
#include <QProgressBar>
#include <QToolButton>

#include "controls/labels.h"

namespace adamerge::ui {

LoadProgress::LoadProgress(QWidget* parent)
    : QWidget(parent),
      label_(new ElidedLabel(this)),
      bar_(new QProgressBar(this)),
      cancel_(new QToolButton(this)) {
  label_->setElideMode(Qt::ElideMiddle);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(8);
  row->addWidget(label_, 1);
  row->addWidget(bar_);
  row->addWidget(cancel_);
  bar_->setFixedWidth(fontMetrics().averageCharWidth() * 18);
  bar_->setMaximumHeight(fontMetrics().height() + 2);
  bar_->setAccessibleName(tr("Loading of the model"));
  cancel_->setText(tr("Cancel"));
  cancel_->setToolTip(tr("Stop loading; the present model stays."));
  cancel_->setAutoRaise(true);
  connect(cancel_, &QToolButton::clicked, this, &LoadProgress::cancelled);
}

void LoadProgress::start(const QString& name) {
  name_ = name;
  label_->setText(tr("Loading %1").arg(name_));
  bar_->setRange(0, 0);
}

void LoadProgress::report(const QString& stage, qint64 done, qint64 total) {
  label_->setText(tr("Loading %1: %2").arg(name_, stage));
  // Bytes may exceed what a progress bar can count.
  bar_->setRange(0, total > 0 ? 100 : 0);
  if (total > 0)
    bar_->setValue(
        static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total)));
}

}  // namespace adamerge::ui
