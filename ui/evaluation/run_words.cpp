// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/run_words.h"

#include <QCoreApplication>
#include <QLocale>
#include <QStringList>

#include "controls/counted.h"
#include "controls/durations.h"

namespace adamerge::ui {
namespace {

QString tr(const char* text) {
  return QCoreApplication::translate("adamerge::ui::EvaluationPanel", text);
}

QString number(std::size_t value) { return QLocale().toString(static_cast<qulonglong>(value)); }

QString images(std::size_t count) {
  return counted(static_cast<qint64>(count), tr("%1 image"), tr("%1 images"));
}

}  // namespace

QString describePlan(std::size_t points, const EvaluationSurvey& survey) {
  QStringList parts{counted(static_cast<qint64>(points), tr("%1 point"), tr("%1 points"))};
  if (survey.total > 0) {
    parts << (survey.images < survey.total
                  ? tr("%1 of %2 images").arg(number(survey.images), number(survey.total))
                  : images(survey.total));
  }
  if (survey.seconds > 0) parts << roughTime(survey.seconds);
  return parts.join(QStringLiteral(" · "));
}

QString describeProgress(qint64 done, qint64 total, double images_per_second, double seconds_left) {
  const QLocale locale;
  const QString text = tr("%1 of %2 images").arg(locale.toString(done), locale.toString(total));
  if (!(images_per_second > 0)) return text;
  return text + tr(" · %1 images/s · %2 left")
                    .arg(locale.toString(images_per_second, 'f', 1), clockTime(seconds_left));
}

QString describeEnd(const Evaluation& evaluation, double seconds, bool model_changed) {
  if (!evaluation.complete()) {
    const QString where =
        tr("%1 of %2 images").arg(number(evaluation.done), number(evaluation.total));
    return model_changed
               ? tr("The evaluation stopped after %1, since the model, its device or its "
                    "calibration changed. They are kept: with the model as it was, Continue goes "
                    "on from there.")
                     .arg(where)
               : tr("Stopped after %1, which are kept: Continue goes on from there.").arg(where);
  }
  const QString measured =
      tr("%1 measured").arg(images(static_cast<std::size_t>(evaluation.images())));
  if (evaluation.continued == evaluation.total) {
    return tr("%1 before; nothing was left to do.").arg(measured);
  }
  const QString time = clockTime(seconds);
  if (evaluation.continued == 0) return tr("%1 in %2.").arg(measured, time);
  return tr("%1, the last %2 of them now in %3.")
      .arg(measured, number(evaluation.done - evaluation.continued), time);
}

}  // namespace adamerge::ui
