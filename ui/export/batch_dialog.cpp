// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_dialog.h"

#include <fmt/format.h>

#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QGroupBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QToolButton>

#include "adamerge/error.h"
#include "bench/data.h"
#include "bench/workbench.h"
#include "export/batch_forms.h"
#include "look/icons.h"
#include "look/message.h"
#include "look/text.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

const QString kBatchGroup = QStringLiteral("batch");
constexpr int kRest = 500;  ///< ms
constexpr const char* kScan = "scan";
constexpr const char* kLook = "look";

QGroupBox* titled(const QString& title, QWidget* content) {
  auto* box = new QGroupBox(title);
  auto* layout = new QVBoxLayout(box);
  layout->addWidget(content);
  return box;
}

}  // namespace

BatchDialog::BatchDialog(BatchContext context, QWidget* parent)
    : QDialog(parent),
      context_(std::move(context)),
      folder_(new QLineEdit),
      output_(new QLineEdit),
      found_(new QLabel),
      rows_(new BatchRows(context_.choices,
                          context_.engine == nullptr ? VitConfig{} : context_.engine->info().vit)),
      figures_(new BatchFigures(context_.engine == nullptr ? 1 : context_.engine->info().vit.depth,
                                context_.block)),
      total_(new QLabel),
      report_(new BatchReport),
      notice_(new MessageLine),
      close_(new QPushButton(tr("Close"))),
      start_(new QPushButton(tr("&Start"))) {
  setWindowTitle(tr("Export a folder"));
  setWindowModality(Qt::WindowModal);
  auto* layout = new QVBoxLayout(this);
  choices_ = buildChoices();
  layout->addWidget(choices_, 1);
  total_->setTextFormat(Qt::PlainText);
  total_->setWordWrap(true);
  layout->addWidget(total_);
  layout->addWidget(report_);
  layout->addWidget(notice_);
  auto* foot = new QHBoxLayout;
  foot->addStretch();
  foot->addWidget(close_);
  foot->addWidget(start_);
  layout->addLayout(foot);
  close_->setAutoDefault(false);
  start_->setDefault(true);
  resize(900, 560);
  restore();

  // Half a path typed is a folder too, of a million files perhaps.
  rest_.setSingleShot(true);
  rest_.setInterval(kRest);
  connect(&rest_, &QTimer::timeout, this, &BatchDialog::scan);
  for (const QLineEdit* line : {folder_, output_}) {
    connect(line, &QLineEdit::textChanged, this, [this] {
      jobs_.cancel(kScan);
      images_.clear();
      images_problem_ = tr("Looking for images…");
      refresh();
      rest_.start();
    });
    connect(line, &QLineEdit::editingFinished, this, [this] {
      if (rest_.isActive()) scan();
    });
  }
  connect(rows_, &BatchRows::changed, this, &BatchDialog::refresh);
  connect(figures_, &BatchFigures::changed, this, &BatchDialog::refresh);
  connect(close_, &QPushButton::clicked, this, &BatchDialog::reject);
  connect(start_, &QPushButton::clicked, this, &BatchDialog::accept);
  connect(&job_, &BatchJob::progressed, report_,
          [this](const BatchProgress& progress) { report_->show(progress); });
  connect(&job_, &BatchJob::ended, this, [this](const BatchSummary& summary) {
    setRunning(false);
    report_->end(summary);
    if (!summary.problem.isEmpty()) {
      notice_->show(Severity::kError, describe(summary));
    } else {
      notice_->show(Severity::kSuccess, describe(summary), {openFolderAction(output_->text())});
    }
  });
  scan();
}

BatchDialog::~BatchDialog() = default;

QWidget* BatchDialog::buildChoices() {
  auto* folders = new QWidget;
  auto* form = tightLayout<QFormLayout>(folders);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  found_->setTextFormat(Qt::PlainText);
  found_->setForegroundRole(QPalette::PlaceholderText);
  const auto addFolder = [&](const QString& label, QLineEdit* line, const QString& title) {
    form->addRow(label, folderRow(line, title));
    qobject_cast<QLabel*>(form->labelForField(line->parentWidget()))->setBuddy(line);
  };
  addFolder(tr("&Images"), folder_, tr("Folder of images"));
  form->addRow(QString(), found_);
  addFolder(tr("Write &to"), output_, tr("Folder for figures and table"));

  auto* left = new QVBoxLayout;
  left->addWidget(titled(tr("Folders"), folders));
  left->addWidget(titled(tr("Methods"), rows_));
  left->addStretch();
  auto* right = new QVBoxLayout;
  right->addWidget(titled(tr("Figures"), figures_));
  right->addStretch();
  auto* inner = new QWidget;
  auto* columns = tightLayout<QHBoxLayout>(inner, 24);
  columns->addLayout(left, 1);
  columns->addLayout(right);
  auto* area = new QScrollArea;
  area->setWidget(inner);
  area->setWidgetResizable(true);
  area->setFrameShape(QFrame::NoFrame);
  return area;
}

QWidget* BatchDialog::folderRow(QLineEdit* line, const QString& title) {
  auto* row = new QWidget;
  auto* layout = tightLayout<QHBoxLayout>(row);
  auto* browse = toolButton(QStringLiteral("folder"), title);
  line->setAccessibleName(title);
  layout->addWidget(line, 1);
  layout->addWidget(browse);
  connect(browse, &QToolButton::clicked, this, [this, line, title] {
    const QString chosen = QFileDialog::getExistingDirectory(this, title, line->text());
    if (!chosen.isEmpty()) line->setText(QDir::toNativeSeparators(chosen));
  });
  return row;
}

void BatchDialog::setFolders(const QString& images, const QString& output) {
  folder_->setText(images);
  output_->setText(output);
}

/// Folders may hold a million files: counted off the UI thread.
void BatchDialog::scan() {
  rest_.stop();
  images_.clear();
  const QString folder = folder_->text().trimmed();
  if (folder.isEmpty()) {
    jobs_.cancel(kScan);
    images_problem_ = tr("Choose a folder of images.");
    refresh();
    return;
  }
  images_problem_ = tr("Looking for images…");
  refresh();
  jobs_.run(
      kScan, Urgency::kBackground,
      [this, folder, output = output_->text().trimmed()](const std::stop_token& stop,
                                                         const Jobs::Tell& tell) {
        tell([this, images = findBatchImages(folder.toStdString(), output.toStdString(), stop)] {
          showFound(images, {});
        });
      },
      [this](const QString& problem) { showFound({}, problem); });
}

void BatchDialog::showFound(const std::vector<BatchImage>& images, const QString& problem) {
  images_ = images;
  images_problem_ = problem;
  refresh();
}

BatchPlan BatchDialog::plan() const {
  if (context_.engine == nullptr) throw Error(tr("Load a model first.").toStdString());
  if (images_.empty()) throw Error(images_problem_.toStdString());
  BatchPlan made;
  if (context_.engine != nullptr) made.vit = context_.engine->info().vit;
  made.images = images_;
  made.output = output_->text().trimmed().toStdString();
  // Traces have their own methods.
  if (tracedOf(images_) < images_.size()) made.choices = expandRows(rows_->rows());
  made.kinds = figures_->kinds();
  made.formats = figures_->formats();
  made.style = {figures_->page().style(context_.overlay), figures_->block()};
  if (!made.output.is_absolute()) {
    throw Error(tr("Choose a folder to write to, by its whole path.").toStdString());
  }
  if (!made.kinds.empty() && made.formats.empty()) {
    throw Error(tr("Choose a format for the figures.").toStdString());
  }
  return made;
}

void BatchDialog::refresh() {
  if (job_.running()) return;
  const std::size_t traced = tracedOf(images_);
  const auto ofTraces = [&] {
    return counted(traced, "%1 image of a trace", "%1 images of traces");
  };
  const bool only_traces = !images_.empty() && traced == images_.size();
  rows_->setEnabled(!only_traces);
  found_->setText(images_.empty() ? QString()
                  : only_traces   ? ofTraces() + tr(", with methods of their own")
                                  : counted(images_.size(), "%1 image, subfolders included",
                                            "%1 images, subfolders included"));
  try {
    const BatchPlan made = plan();
    const std::size_t figures = made.runs() * made.kinds.size() * made.formats.size();
    const std::size_t pictures = made.images.size() - traced;
    QStringList runs;
    if (pictures > 0) {
      runs << counted(pictures, "%1 image", "%1 images") + " × " +
                  counted(made.choices.size(), "%1 setting", "%1 settings");
    }
    if (traced > 0) runs << ofTraces();
    QString text = runs.join(" + ");
    if (figures > 0) {
      text += " × " + counted(made.kinds.size() * made.formats.size(), "%1 file", "%1 files");
    }
    text += figures > 0 ? ": " + counted(figures, "%1 figure and a table", "%1 figures and a table")
                        : tr(": a table, no figures");
    total_->setText(text);
    start_->setEnabled(true);
  } catch (const std::exception& error) {
    total_->setText(errorText(error));
    start_->setEnabled(false);
  }
  notice_->clear();
}

void BatchDialog::accept() {
  if (job_.running()) return;
  BatchPlan made;
  try {
    made = plan();
  } catch (const std::exception& error) {
    notice_->show(Severity::kError, errorText(error));
    return;
  }
  // Thousands of files to look for.
  start_->setEnabled(false);
  jobs_.run(kLook, Urgency::kInteractive,
            [this, made](const std::stop_token& stop, const Jobs::Tell& tell) {
              // One that was cut off goes on, and replaces nothing.
              const bool goes_on = BatchJournal(*context_.engine, made).finished() > 0;
              const int existing = goes_on ? 0 : made.existing(stop);
              tell([this, made, existing] { startOrAsk(made, existing); });
            });
}

void BatchDialog::startOrAsk(const BatchPlan& made, int existing) {
  start_->setEnabled(true);
  if (existing == 0) return start(made);
  notice_->ask(counted(existing, "%1 file exists already. Replace it?",
                       "%1 files exist already. Replace them?"),
               tr("&Replace"), [this, made] { start(made); });
}

void BatchDialog::start(BatchPlan plan) {
  save();
  setRunning(true);
  notice_->clear();
  report_->begin(static_cast<int>(plan.images.size()));
  job_.start(context_.engine, std::move(plan));
}

void BatchDialog::reject() {
  if (!job_.running()) {
    save();
    QDialog::reject();
    return;
  }
  report_->cancelling();
  job_.cancel();
}

void BatchDialog::setRunning(bool running) {
  choices_->setEnabled(!running);
  start_->setEnabled(!running);
  close_->setText(running ? tr("Cancel") : tr("Close"));
}

void BatchDialog::restore() {
  figures_->restore();
  QSettings settings;
  settings.beginGroup(kBatchGroup);
  folder_->setText(context_.folder.isEmpty() ? settings.value("images").toString()
                                             : context_.folder);
  output_->setText(settings.value("output").toString());
}

void BatchDialog::save() const {
  figures_->save();
  QSettings settings;
  settings.beginGroup(kBatchGroup);
  settings.setValue("images", folder_->text());
  settings.setValue("output", output_->text());
}

BatchContext batchContext(Workbench& workbench) {
  BatchContext context;
  context.engine = workbench.engine();
  context.choices = workbench.shownChoices();
  context.overlay = workbench.view().overlay();
  context.block = workbench.view().block();
  return context;
}

}  // namespace adamerge::ui
