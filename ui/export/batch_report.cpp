// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_report.h"

#include <QCoreApplication>
#include <QLabel>
#include <QLocale>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QVBoxLayout>
#include <cmath>

#include "controls/counted.h"

namespace adamerge::ui {
namespace {

constexpr int kDetailLines = 4;

QString text(const char* source) {
  return QCoreApplication::translate("adamerge::ui::BatchReport", source);
}

QString counted(qsizetype count, const char* one, const char* many) {
  return ui::counted(count, text(one), text(many));
}

}  // namespace

QString describe(const BatchSummary& summary) {
  QString done = counted(summary.images, "%1 image done", "%1 images done");
  QStringList written;
  if (summary.files > 0) written.append(counted(summary.files, "%1 figure", "%1 figures"));
  if (summary.table) written.append(text("a table"));
  if (!written.isEmpty()) {
    done += text(", %1 written").arg(written.join(text(" and ")));
  }
  const qsizetype skipped = summary.skipped.size();
  if (skipped > 0) done += counted(skipped, "; %1 image skipped", "; %1 images skipped");
  if (summary.cancelled) return text("Cancelled: %1").arg(done);
  if (!summary.problem.isEmpty()) return text("Stopped: %1 (%2)").arg(summary.problem, done);
  return done;
}

QString timeLeft(double seconds) {
  if (seconds < 1) return text("less than a second left");
  if (seconds < 90) return text("about %1 s left").arg(std::lround(seconds));
  if (seconds < 90 * 60) return text("about %1 min left").arg(std::lround(seconds / 60));
  return text("about %1 h left").arg(QLocale().toString(seconds / 3600, 'f', 1));
}

BatchReport::BatchReport(QWidget* parent)
    : QWidget(parent), bar_(new QProgressBar), text_(new QLabel), details_(new QPlainTextEdit) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(bar_);
  layout->addWidget(text_);
  layout->addWidget(details_);
  bar_->setAccessibleName(tr("Progress of the batch"));
  bar_->setTextVisible(false);
  text_->setTextFormat(Qt::PlainText);
  text_->setWordWrap(true);
  details_->setReadOnly(true);
  details_->setAccessibleName(tr("What could not be used"));
  details_->setFixedHeight(details_->fontMetrics().lineSpacing() * kDetailLines + 12);
  details_->hide();
  hide();
}

void BatchReport::begin(int images) {
  bar_->setRange(0, images);
  bar_->setValue(0);
  bar_->show();
  text_->show();
  text_->setText(tr("Starting…"));
  details_->hide();
  QWidget::show();
}

void BatchReport::show(const BatchProgress& progress) {
  bar_->setValue(progress.done);
  const QLocale locale;
  QString line =
      tr("Image %1 of %2").arg(locale.toString(progress.done + 1), locale.toString(progress.total));
  if (progress.images_per_second > 0) {
    line += tr(" · %1 images/s · %2")
                .arg(locale.toString(progress.images_per_second, 'f', 1),
                     timeLeft(progress.seconds_left));
  }
  text_->setText(line + QStringLiteral(" · ") + progress.image);
}

void BatchReport::cancelling() { text_->setText(tr("Cancelling…")); }

void BatchReport::end(const BatchSummary& summary) {
  bar_->hide();
  text_->hide();
  const QStringList details = summary.skipped + summary.notes;
  details_->setPlainText(details.join(QChar('\n')));
  details_->setVisible(!details.isEmpty());
  setVisible(!details.isEmpty());
}

}  // namespace adamerge::ui
