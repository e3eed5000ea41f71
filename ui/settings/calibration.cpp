// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings/calibration.h"

#include <QDir>
#include <QFileDialog>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QStringList>
#include <QVBoxLayout>
#include <algorithm>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "bench/evaluation.h"
#include "bench/workbench.h"
#include "look/message.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"
#include "settings/setting_editor.h"

namespace adamerge::ui {
namespace {

constexpr int kSuggestedMost = 24;  // the paper's range ends at 23
constexpr int kSuggestedStep = 4;
constexpr int kSuggestedRatio = 75;  ///< per cent
constexpr int kSuggestedRatioStep = 25;

}  // namespace

CalibratedKnob calibratedKnob(const MethodChoice& active, const VitConfig& vit) {
  const MethodChoice choice = calibrationChoice(active);
  const MethodInfo& method = findMethod(choice.method);
  const Settings complete = completeSettings(choice, vit);
  const CompressionKnob& knob = *method.activeKnob(complete);
  CalibratedKnob calibrated{QString::fromStdString(method.setting(knob.key)->label),
                            knob.mostOf(complete, vit), knob.key};
  if (knob.calibratesOnce()) {
    calibrated.chosen = active.method == choice.method
                            ? compressionOf(active)
                            : compressionOf({choice.method, complete, nullptr, false});
  }
  return calibrated;
}

std::vector<int> parseCounts(const QString& text, const CalibratedKnob& knob) {
  std::vector<int> counts;
  for (const QString& part : text.split(QLatin1Char(','))) {
    bool good = false;
    const int count = part.trimmed().toInt(&good);
    if (!good || count < 1 || count > knob.limit || (!counts.empty() && count <= counts.back())) {
      throw Error(
          QObject::tr("%1 takes whole numbers from 1 to %2, ascending and separated by commas, "
                      "as 4,8,16; “%3” is not.")
              .arg(knob.name)
              .arg(knob.limit)
              .arg(part.trimmed().isEmpty() ? text : part.trimmed())
              .toStdString());
    }
    counts.push_back(count);
  }
  return counts;
}

QString suggestedCounts(const LoadedModel& model, const CalibratedKnob& knob) {
  if (knob.chosen) return QString::number(*knob.chosen);
  QStringList counts;
  if (model.statistics != nullptr && model.statistics->knob == knob.key) {
    for (const StatisticsEntry& entry : model.statistics->entries) {
      counts << QString::number(entry.r_max);
    }
  } else {
    const bool ratio = model.info.vit.restores();
    const int limit = std::min(ratio ? kSuggestedRatio : kSuggestedMost, knob.limit);
    const int step = ratio ? kSuggestedRatioStep : kSuggestedStep;
    for (int count = step; count <= limit; count += step) {
      counts << QString::number(count);
    }
  }
  return counts.join(QLatin1Char(','));
}

MethodChoice calibrationChoice(const MethodChoice& active) {
  MethodChoice choice;
  for (const MethodInfo& method : methods()) {
    if (method.statisticsKnob() == nullptr) continue;
    if (choice.method == "none" || method.id == active.method) choice.method = method.id;
  }
  const MethodInfo& method = findMethod(choice.method);
  if (choice.method == active.method) {
    for (const std::string& key : method.statistics_settings) {
      const auto given = active.settings.find(key);
      if (given != active.settings.end()) choice.settings[key] = given->second;
    }
  }
  if (!usesStatistics(choice)) {
    for (const auto& [key, value] : method.statisticsConditions()) choice.settings[key] = value;
  }
  return choice;
}

namespace {

constexpr int kDefaultImages = 500;

std::filesystem::path toPath(const QString& text) {
  return {QDir::toNativeSeparators(text).toStdString()};
}

}  // namespace

CalibrationDialog::CalibrationDialog(Workbench& workbench, QWidget* parent)
    : FittingDialog(parent),
      workbench_(workbench),
      subject_(new QLabel),
      folder_(new QLineEdit),
      browse_(new QPushButton(tr("Choose…"))),
      images_(new CountBox),
      counted_(new QLabel),
      counts_(new QLineEdit),
      bar_(new QProgressBar),
      progress_(new QLabel),
      notice_(new MessageLine(MessageLine::Buttons::kBelow)),
      start_(new QPushButton(tr("Calibrate"))),
      stop_(new QPushButton(tr("Cancel"))),
      use_(new QPushButton(tr("Use now"))),
      save_(new QPushButton(tr("Save stats.json…"))) {
  setWindowTitle(tr("Calibrate"));
  layOut();
  connect(browse_, &QPushButton::clicked, this, &CalibrationDialog::browse);
  connect(folder_, &QLineEdit::textChanged, this, &CalibrationDialog::refresh);
  connect(start_, &QPushButton::clicked, this, &CalibrationDialog::start);
  connect(stop_, &QPushButton::clicked, this, &CalibrationDialog::reject);
  connect(use_, &QPushButton::clicked, this, &CalibrationDialog::use);
  connect(save_, &QPushButton::clicked, this, &CalibrationDialog::askWhereToSave);
  connect(&workbench_, &Workbench::modelChanged, this, &CalibrationDialog::refresh);
  connectTask();
  refresh();
}

void CalibrationDialog::layOut() {
  auto* purpose = new QLabel(tr(
      "AdaMerge compares the redundancy of each block with its mean μ and spread σ over ordinary "
      "images (the z of Eq. 6). Images like those the model will see serve best; 500 are plenty."));
  purpose->setWordWrap(true);
  makeCaption(*purpose);
  subject_->setWordWrap(true);
  folder_->setObjectName(QStringLiteral("calibration-folder"));
  folder_->setPlaceholderText(tr("A folder with images, at any depth"));
  folder_->setClearButtonEnabled(true);
  images_->setObjectName(QStringLiteral("calibration-images"));
  images_->setRange(1, 100'000);
  images_->setValue(kDefaultImages);
  images_->setGroupSeparatorShown(true);
  images_->setToolTip(tr("If the folder holds more, this many are drawn at random with seed 0."));
  counts_->setObjectName(QStringLiteral("calibration-r-max"));
  counts_->setToolTip(tr("Values between those given are interpolated."));
  bar_->setTextVisible(false);
  bar_->setFixedHeight(8);
  progress_->setObjectName(QStringLiteral("calibration-progress"));
  makeCaption(*progress_);
  for (QPushButton* button : {browse_, stop_, use_, save_}) button->setAutoDefault(false);

  auto* folder = new QHBoxLayout;
  folder->setSpacing(8);
  folder->addWidget(folder_, 1);
  folder->addWidget(browse_);
  auto* form = new QGridLayout;
  form->setHorizontalSpacing(12);
  form->setVerticalSpacing(8);
  form->setColumnStretch(1, 1);
  const auto label = [&](int row, const QString& text, QWidget* buddy) {
    auto* name = new QLabel(text);
    name->setBuddy(buddy);
    form->addWidget(name, row, 0);
  };
  label(0, tr("Model"), nullptr);
  form->addWidget(subject_, 0, 1);
  label(1, tr("&Folder"), folder_);
  form->addLayout(folder, 1, 1);
  label(2, tr("&Images at most"), images_);
  form->addWidget(images_, 2, 1);
  counted_->setBuddy(counts_);
  form->addWidget(counted_, 3, 0);
  form->addWidget(counts_, 3, 1);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  buttons->addWidget(save_);
  buttons->addStretch(1);
  buttons->addWidget(stop_);
  buttons->addWidget(use_);
  buttons->addWidget(start_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 16, 16, 16);
  layout->setSpacing(12);
  layout->addWidget(purpose);
  layout->addLayout(form);
  layout->addWidget(bar_);
  layout->addWidget(progress_);
  layout->addWidget(notice_);
  layout->addStretch(1);
  layout->addLayout(buttons);
  setMinimumWidth(480);
  resize(540, sizeHint().height());
}

void CalibrationDialog::connectTask() {
  CalibrationTask& task = workbench_.calibration();
  connect(&task, &CalibrationTask::progressed, this, &CalibrationDialog::progress);
  connect(&task, &CalibrationTask::finished, this, &CalibrationDialog::finish);
  connect(&task, &CalibrationTask::failed, this, [this](const QString& message) {
    if (!mine_) return;
    mine_ = false;
    refresh();
    notice_->show(Severity::kError, message);
  });
  connect(&task, &CalibrationTask::cancelled, this, [this] {
    if (!mine_) return;
    mine_ = false;
    refresh();
    notice_->show(Severity::kInfo,
                  tr("Cancelled; nothing was changed. Started again, it goes on from here."));
  });
}

void CalibrationDialog::setFolder(const std::filesystem::path& folder) {
  folder_->setText(QString::fromStdString(folder.string()));
}

/// Once for each setting that they may be values of: what was typed stays.
void CalibrationDialog::suggestCounts() {
  const LoadedModelPtr model = workbench_.model();
  if (model == nullptr) return;
  const std::string before = knob_.key;
  knob_ = calibratedKnob(workbench_.activePane().choice(), model->info.vit);
  if (knob_.key == before) return;
  counted_->setText(QLatin1Char('&') + knob_.name);
  counts_->setText(suggestedCounts(*model, knob_));
}

void CalibrationDialog::refresh() {
  const LoadedModelPtr model = workbench_.model();
  suggestCounts();
  subject_->setText(
      model == nullptr
          ? tr("Open a model first.")
          : tr("%1, for %2")
                .arg(QString::fromStdString(model->info.name),
                     QString::fromStdString(describeFamily(
                         calibrationChoice(workbench_.activePane().choice()), &model->info.vit))));
  for (QWidget* input : {static_cast<QWidget*>(folder_), static_cast<QWidget*>(browse_),
                         static_cast<QWidget*>(images_), static_cast<QWidget*>(counts_)}) {
    input->setEnabled(!mine_);
  }
  start_->setEnabled(!mine_ && model != nullptr && !folder_->text().isEmpty());
  start_->setToolTip(folder_->text().isEmpty() ? tr("Choose a folder first.") : QString());
  stop_->setText(mine_ ? tr("Cancel") : tr("Close"));
  use_->setVisible(statistics_ != nullptr);
  save_->setVisible(statistics_ != nullptr);
  (statistics_ != nullptr ? use_ : start_)->setDefault(true);
  bar_->setVisible(mine_);
  progress_->setVisible(mine_);
}

void CalibrationDialog::browse() {
  const QString folder =
      QFileDialog::getExistingDirectory(this, tr("Images to calibrate on"), folder_->text());
  if (!folder.isEmpty()) folder_->setText(folder);
}

void CalibrationDialog::start() {
  const LoadedModelPtr model = workbench_.model();
  if (mine_ || model == nullptr) return;
  CalibrationRequest request;
  try {
    request.r_max = parseCounts(counts_->text(), knob_);
  } catch (const std::exception& error) {
    notice_->show(Severity::kError, errorText(error));
    counts_->setFocus();
    return;
  }
  request.folder = toPath(folder_->text());
  request.limit = images_->value();
  request.choice = calibrationChoice(workbench_.activePane().choice());
  request.state = stateFile(request, *model);
  tidyStates();
  statistics_ = nullptr;
  notice_->clear();
  mine_ = true;
  bar_->setRange(0, 0);
  progress_->setText(tr("Looking for images…"));
  clock_.start();
  refresh();
  workbench_.calibration().start(workbench_.engine(), request);
}

void CalibrationDialog::progress(qint64 done, qint64 total, double images_per_second,
                                 double seconds_left) {
  if (!mine_) return;
  bar_->setRange(0, static_cast<int>(total));
  bar_->setValue(static_cast<int>(done));
  progress_->setText(
      tr("%1 of %2 in two passes").arg(english().toString(done), english().toString(total)) +
      paceText(images_per_second, seconds_left));
}

void CalibrationDialog::finish(const std::shared_ptr<const Statistics>& statistics, int images,
                               int skipped, const QStringList& notes) {
  if (!mine_) return;
  mine_ = false;
  statistics_ = statistics;
  refresh();
  const QString time = clockTime(static_cast<double>(clock_.elapsed()) / 1000);
  QString text = images == 1 ? tr("1 image measured in %1.").arg(time)
                             : tr("%1 images measured in %2.").arg(images).arg(time);
  if (skipped == 1) text += tr(" 1 file could not be read and was left out.");
  if (skipped > 1) text += tr(" %1 files could not be read and were left out.").arg(skipped);
  QStringList lines{text};
  for (const QString& note : notes) lines << note + QLatin1Char('.');
  for (const StatisticsEntry& entry : statistics->entries) {
    const auto [lowest, highest] = std::minmax_element(entry.mu.begin(), entry.mu.end());
    lines << tr("%1 %2: μ from %3 to %4")
                 .arg(QString::fromStdString(statistics->knob))
                 .arg(entry.r_max)
                 .arg(*lowest, 0, 'f', 3)
                 .arg(*highest, 0, 'f', 3);
  }
  notice_->show(Severity::kSuccess, lines.join(QLatin1Char('\n')));
  use_->setFocus();
}

void CalibrationDialog::use() {
  workbench_.useStatistics(statistics_);
  accept();
}

void CalibrationDialog::askWhereToSave() {
  const QString path = QFileDialog::getSaveFileName(
      this, tr("Save the calibration"), QStringLiteral("stats.json"), tr("Calibration (*.json)"));
  if (!path.isEmpty()) save(toPath(path));
}

void CalibrationDialog::save(const std::filesystem::path& path) {
  if (statistics_ == nullptr) return;
  try {
    writeStatistics(*statistics_, path);
    notice_->show(Severity::kSuccess,
                  tr("Saved as %1. A model folder that holds it as stats.json is "
                     "calibrated when opened.")
                      .arg(QString::fromStdString(path.string())));
  } catch (const std::exception& error) {
    notice_->show(Severity::kError, errorText(error));
  }
}

void CalibrationDialog::reject() {
  if (!mine_) {
    QDialog::reject();
    return;
  }
  progress_->setText(tr("Stopping…"));
  workbench_.calibration().cancel();
}

}  // namespace adamerge::ui
