// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/results_page.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "bench/data.h"
#include "look/icons.h"
#include "look/message.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"

namespace adamerge::ui {

ResultsTable::ResultsTable(QWidget* parent) : ResultsTable(new ResultsModel, parent) {}

ResultsTable::ResultsTable(ResultsModel* model, QWidget* parent)
    : SortedTable(model, parent), model_(model) {
  setObjectName(QStringLiteral("evaluation-results"));
  setAccessibleName(tr("Results"));
  connect(this, &SortedTable::rowChosen, this, [this](int row) {
    const EvaluationReportPtr& report = model_->report();
    if (report == nullptr) return;
    emit chosen(report->evaluation.points[static_cast<std::size_t>(row)].choice);
  });
}

void ResultsTable::setReport(const EvaluationReportPtr& report) {
  const bool filled = model_->rowCount() > 0;
  model_->setReport(report);
  if (report == nullptr) return;
  setColumnHidden(ResultsModel::kDifference, !report->evaluation.labelled);
  setColumnHidden(ResultsModel::kKl, report->evaluation.vit.classes == 0);
  if (!filled) resizeColumnsToContents();
}

void ResultsTable::changeEvent(QEvent* event) {
  SortedTable::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) model_->forgetIcons();
}

namespace {

constexpr std::size_t kNamed = 3;       ///< skipped images in the notice
constexpr std::size_t kExplained = 30;  ///< in its tooltip

QString fromPath(const std::filesystem::path& path) {
  return QString::fromStdString(path.string());
}

}  // namespace

ResultsPage::ResultsPage(QWidget* parent)
    : QWidget(parent),
      heading_(new ElidedLabel),
      empty_(new QLabel(tr("Nothing is measured yet. Choose images and methods under “Settings” "
                           "and press Start: points appear here and in the accuracy plot as "
                           "they are measured."))),
      table_(new ResultsTable),
      skipped_(new MessageLine(MessageLine::Buttons::kBelow)),
      notice_(new MessageLine(MessageLine::Buttons::kBelow)),
      copy_(toolButton(QStringLiteral("copy"),
                       tr("Copies the rows that are selected, or all, for a spreadsheet"),
                       tr("Copy"))),
      save_(toolButton(
          QStringLiteral("save"),
          tr("Writes JSON or CSV. As results.json in the model's folder it is the model's "
             "record, which the accuracy plot shows whenever the model is opened"),
          tr("Save…"))) {
  copy_->setObjectName(QStringLiteral("evaluation-copy"));
  save_->setObjectName(QStringLiteral("evaluation-save"));
  heading_->setObjectName(QStringLiteral("evaluation-heading"));
  empty_->setWordWrap(true);
  empty_->setAlignment(Qt::AlignTop);
  makeCaption(*empty_);
  makeCaption(*heading_);
  auto* head = new QHBoxLayout;
  head->setContentsMargins(12, 0, 6, 0);
  head->setSpacing(2);
  head->addWidget(heading_, 1);
  head->addWidget(copy_);
  head->addWidget(save_);
  auto* notices = new QVBoxLayout;
  notices->setContentsMargins(12, 0, 12, 0);
  notices->addWidget(empty_);
  notices->addWidget(skipped_);
  notices->addWidget(notice_);
  auto* layout = tightLayout<QVBoxLayout>(this, 4);
  layout->addLayout(head);
  layout->addWidget(table_, 1);
  layout->addLayout(notices);
  connect(table_, &ResultsTable::chosen, this, &ResultsPage::chosen);
  connect(copy_, &QToolButton::clicked, table_, &ResultsTable::copy);
  connect(save_, &QToolButton::clicked, this, &ResultsPage::askWhereToSave);
  setReport(nullptr);
}

void ResultsPage::setReport(const EvaluationReportPtr& report) {
  report_ = report;
  table_->setReport(report);
  const bool any = report != nullptr;
  table_->setVisible(any);
  empty_->setVisible(!any);
  copy_->setEnabled(any);
  save_->setEnabled(any);
  notice_->clear();
  showHeading();
  showSkipped();
}

void ResultsPage::showHeading() {
  if (report_ == nullptr) {
    heading_->clear();
    return;
  }
  const Evaluation& evaluation = report_->evaluation;
  heading_->setText(counted(evaluation.images(), "%1 image", "%1 images") +
                    (evaluation.complete() ? QString() : tr(" so far")) + QStringLiteral(" · ") +
                    fromPath(report_->data.filename()));
  heading_->setToolTip(tr("%1 on %2, %3, %4")
                           .arg(QString::fromStdString(evaluation.model),
                                QString::fromStdString(evaluation.dataset),
                                QString::fromStdString(evaluation.device),
                                QString::fromStdString(evaluation.dtype)));
}

void ResultsPage::showSkipped() {
  QStringList texts;
  QStringList tips;
  if (report_ != nullptr) {
    const auto& skipped = report_->evaluation.skipped;
    if (!skipped.empty()) {
      QStringList names;
      for (std::size_t i = 0; i < std::min(kNamed, skipped.size()); ++i) {
        names << QString::fromStdString(skipped[i].name);
      }
      QString text = counted(static_cast<qint64>(skipped.size()),
                             "%1 image could not be read and is left out: ",
                             "%1 images could not be read and are left out: ") +
                     names.join(QStringLiteral(", "));
      if (skipped.size() > kNamed) text += tr(" and %1 more").arg(skipped.size() - kNamed);
      texts << text + QLatin1Char('.');
      for (std::size_t i = 0; i < std::min(kExplained, skipped.size()); ++i) {
        tips << QString::fromStdString(skipped[i].reason);
      }
    }
    const Evaluation& evaluation = report_->evaluation;
    for (const auto* notes : {&report_->notes, &evaluation.image_notes, &evaluation.warnings}) {
      for (const std::string& note : *notes) {
        texts << errorText(Error(note));
      }
    }
  }
  if (texts.isEmpty()) {
    skipped_->clear();
    return;
  }
  if (skipped_->text() != texts.join(QLatin1Char('\n'))) {
    skipped_->show(Severity::kWarning, texts.join(QLatin1Char('\n')));
  }
  skipped_->setToolTip(tips.join(QLatin1Char('\n')));
}

QString ResultsPage::suggestedPath() const {
  // The model's record, unless it has one already: that is not to be replaced unawares.
  const QFileInfo model(fromPath(report_->model));
  const QString folder = model.isDir() ? model.filePath() : model.path();
  const QString record = folder + QStringLiteral("/results.json");
  if (QFileInfo(folder).isWritable() && !QFileInfo::exists(record)) return record;
  return QString::fromStdString(report_->evaluation.model) + QStringLiteral("-results.json");
}

void ResultsPage::askWhereToSave() {
  if (report_ == nullptr) return;
  const QString path =
      QFileDialog::getSaveFileName(this, tr("Save the results"), suggestedPath(),
                                   tr("Results as JSON (*.json);;Table as CSV (*.csv)"));
  if (!path.isEmpty()) save(path.toStdString());
}

void ResultsPage::save(const std::filesystem::path& path) {
  if (report_ == nullptr) return;
  const bool csv = fromPath(path).endsWith(QStringLiteral(".csv"), Qt::CaseInsensitive);
  try {
    writeFileAtomically(path, csv ? evaluationCsv(report_->evaluation)
                                  : evaluationJson(report_->evaluation, command_));
  } catch (const std::exception& error) {
    notice_->show(Severity::kError, errorText(error));
    return;
  }
  notice_->show(Severity::kSuccess, tr("Saved as %1.").arg(fromPath(path)));
  emit saved(path);
}

}  // namespace adamerge::ui
