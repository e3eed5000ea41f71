// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/run_bar.h"

#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QStringList>
#include <QVBoxLayout>
#include <algorithm>

#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

QString countText(std::size_t value) { return english().toString(static_cast<qulonglong>(value)); }

QString images(std::size_t count) {
  return counted(static_cast<qint64>(count), "%1 image", "%1 images");
}

}  // namespace

QString describePlan(std::size_t points, const EvaluationSurvey& survey) {
  QStringList parts{counted(static_cast<qint64>(points), "%1 point", "%1 points")};
  if (survey.total > 0) {
    parts << (survey.images < survey.total
                  ? QObject::tr("%1 of %2 images")
                        .arg(countText(survey.images), countText(survey.total))
                  : images(survey.total));
  }
  if (survey.seconds > 0) parts << roughTime(survey.seconds);
  return parts.join(QStringLiteral(" · "));
}

QString describeProgress(qint64 done, qint64 total, double images_per_second, double seconds_left) {
  return QObject::tr("%1 of %2 images").arg(english().toString(done), english().toString(total)) +
         paceText(images_per_second, seconds_left);
}

QString describeEnd(const Evaluation& evaluation, double seconds, bool model_changed) {
  if (!evaluation.complete()) {
    const QString where =
        QObject::tr("%1 of %2 images").arg(countText(evaluation.done), countText(evaluation.total));
    return model_changed
               ? QObject::tr(
                     "The evaluation stopped after %1, since the model, its device or its "
                     "calibration changed. They are kept: with the model as it was, Continue goes "
                     "on from there.")
                     .arg(where)
               : QObject::tr("Stopped after %1, which are kept: Continue goes on from there.")
                     .arg(where);
  }
  const QString measured =
      QObject::tr("%1 measured").arg(images(static_cast<std::size_t>(evaluation.images())));
  if (evaluation.continued == evaluation.total) {
    return QObject::tr("%1 before; nothing was left to do.").arg(measured);
  }
  const QString time = clockTime(seconds);
  if (evaluation.continued == 0) return QObject::tr("%1 in %2.").arg(measured, time);
  return QObject::tr("%1, the last %2 of them now in %3.")
      .arg(measured, countText(evaluation.done - evaluation.continued), time);
}

namespace {

constexpr int kBarHeight = 8;
constexpr int kBarSteps = 1000;

}  // namespace

RunBar::RunBar(QWidget* parent)
    : QWidget(parent),
      bar_(new QProgressBar),
      text_(new QLabel),
      start_(new QPushButton(tr("&Start"))),
      anew_(new QPushButton(tr("Start ane&w"))),
      stop_(new QPushButton(tr("S&top"))) {
  bar_->setObjectName(QStringLiteral("evaluation-bar"));
  bar_->setAccessibleName(tr("Progress of the evaluation"));
  bar_->setTextVisible(false);
  bar_->setFixedHeight(kBarHeight);
  text_->setObjectName(QStringLiteral("evaluation-text"));
  text_->setTextFormat(Qt::PlainText);
  text_->setWordWrap(true);
  makeCaption(*text_);
  start_->setObjectName(QStringLiteral("evaluation-start"));
  anew_->setObjectName(QStringLiteral("evaluation-anew"));
  anew_->setToolTip(tr("Throws away what is kept of this evaluation and measures all of it again"));
  stop_->setObjectName(QStringLiteral("evaluation-stop"));
  stop_->setToolTip(tr("Keeps what is finished; Continue goes on from there, after a restart too"));
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  buttons->addStretch(1);
  for (QPushButton* button : {anew_, stop_, start_}) {
    button->setAutoDefault(false);
    buttons->addWidget(button);
  }
  auto* layout = tightLayout<QVBoxLayout>(this, 6);
  layout->addWidget(bar_);
  layout->addWidget(text_);
  layout->addLayout(buttons);
  connect(start_, &QPushButton::clicked, this, &RunBar::startRequested);
  connect(anew_, &QPushButton::clicked, this, &RunBar::anewRequested);
  connect(stop_, &QPushButton::clicked, this, &RunBar::stopRequested);
  setRunning(false);
}

void RunBar::offer(bool kept, bool finished, const QString& why_not) {
  kept_ = kept;
  start_->setText(kept && !finished ? tr("&Continue") : tr("&Start"));
  start_->setEnabled(why_not.isEmpty() && !finished);
  start_->setToolTip(!why_not.isEmpty() ? why_not
                     : finished         ? tr("All of it is measured.")
                     : kept ? tr("Goes on with what is kept of an evaluation like this one")
                            : QString());
  anew_->setEnabled(why_not.isEmpty());
  anew_->setVisible(kept_ && !running_);
}

void RunBar::setRunning(bool running) {
  running_ = running;
  bar_->setVisible(running);
  start_->setVisible(!running);
  anew_->setVisible(kept_ && !running);
  stop_->setVisible(running);
  stop_->setEnabled(true);
}

void RunBar::setStopping() {
  stop_->setEnabled(false);
  setText(tr("Stopping…"));
}

void RunBar::setText(const QString& text) {
  text_->setText(text);
  text_->setVisible(!text.isEmpty());
}

void RunBar::setProgress(qint64 done, qint64 total) {
  bar_->setRange(0, total > 0 ? kBarSteps : 0);
  if (total > 0) bar_->setValue(static_cast<int>(kBarSteps * done / total));
}

}  // namespace adamerge::ui
