// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings/method_form.h"

#include <QComboBox>
#include <QEvent>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>

#include "adamerge/error.h"
#include "bench/workbench.h"
#include "look/message.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"
#include "settings/schedule_editor.h"
#include "settings/setting_editor.h"

namespace adamerge::ui {
namespace {

bool onSlider(const MethodInfo& method, const SettingInfo& setting) {
  return std::any_of(method.compression.begin(), method.compression.end(),
                     [&](const CompressionKnob& knob) { return knob.key == setting.key; });
}

/// Of the settings that a network has.
Settings defaultsOf(const MethodInfo& method, const VitConfig& vit) {
  Settings defaults;
  for (const SettingInfo& setting : method.settings) {
    if (suits(setting, vit)) defaults[setting.key] = defaultOf(setting, vit);
  }
  return defaults;
}

/// Those of its words that a network takes.
std::vector<std::string> wordsFor(const MethodInfo& method, const SettingInfo& setting,
                                  const VitConfig& vit) {
  std::vector<std::string> words = setting.choices;
  std::erase_if(words, [&](const std::string& word) {
    try {
      requireSettingsSuit({method.id, {{setting.key, word}}, nullptr, false}, vit, {}, true);
      return false;
    } catch (const Error&) {
      return true;
    }
  });
  // Refused whatever it says: that is the method's matter.
  return words.empty() ? setting.choices : words;
}

/// Whether the last result, or before the first the model, lacks statistics that the choice wants.
bool lacksStatistics(const LoadedModelPtr& model, const Pane& pane) {
  const MethodChoice& choice = pane.choice();
  if (!usesStatistics(choice)) return false;
  const InspectionPtr inspection = pane.inspection();
  if (inspection != nullptr && inspection->choice.method == choice.method &&
      usesStatistics(inspection->choice)) {
    return !inspection->result.calibrated;
  }
  return model != nullptr && model->statistics == nullptr && choice.statistics == nullptr;
}

}  // namespace

QString inactiveReason(const SettingInfo& setting, const MethodChoice& choice) {
  if (isActive(setting, choice.settings)) return {};
  if (!setting.active_with.empty()) {
    const SettingInfo* file = findMethod(choice.method).setting(setting.active_with);
    return QObject::tr("Has an effect only once “%1” is given.")
        .arg(QString::fromStdString(file->label));
  }
  const auto& [key, value] = *unmet(setting, choice.settings);
  const SettingInfo* other = findMethod(choice.method).setting(key);
  return QObject::tr("Has an effect only while “%1” is %2.")
      .arg(QString::fromStdString(other->label), describeValue(value));
}

MethodForm::MethodForm(Workbench& workbench, QWidget* parent)
    : QWidget(parent),
      workbench_(workbench),
      method_(new QComboBox),
      description_(new QLabel),
      uncalibrated_(new MessageLine(MessageLine::Buttons::kBelow)),
      calibration_(new QLabel),
      settings_(new QVBoxLayout),
      schedule_(new ScheduleEditor(this)),
      reset_all_(new QPushButton(tr("Reset all"))) {
  method_->setObjectName(QStringLiteral("method"));
  method_->setAccessibleName(tr("Method"));
  method_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  ignoreWheelWithoutFocus(*method_);
  fillMethods();
  description_->setWordWrap(true);
  makeCaption(*description_);
  reset_all_->setToolTip(
      tr("All settings shown here back to their defaults; the compression stays"));
  settings_->setSpacing(8);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(12, 12, 12, 12);
  layout->setSpacing(8);
  layout->addWidget(method_);
  layout->addWidget(description_);
  calibration_->setObjectName(QStringLiteral("calibration"));
  calibration_->setWordWrap(true);
  calibration_->setTextFormat(Qt::RichText);
  makeCaption(*calibration_);
  connect(calibration_, &QLabel::linkActivated, &workbench_, &Workbench::useOwnStatistics);
  layout->addWidget(calibration_);
  layout->addWidget(uncalibrated_);
  layout->addSpacing(4);
  layout->addLayout(settings_);
  layout->addWidget(reset_all_, 0, Qt::AlignRight);
  layout->addStretch(1);

  connect(method_, &QComboBox::activated, this,
          [this](int index) { chooseMethod(method_->itemData(index).toString().toStdString()); });
  connect(reset_all_, &QPushButton::clicked, this, &MethodForm::resetAll);
  connect(schedule_, &ScheduleEditor::finished, &workbench_, &Workbench::endEdit);
  connect(schedule_, &ScheduleEditor::failed, &workbench_, &Workbench::report);
  connect(schedule_, &ScheduleEditor::opened, this, [this](const Schedule& schedule) {
    const LoadedModelPtr model = workbench_.model();
    if (model == nullptr) return;
    const std::string warning = otherTokensWarning(schedule.tokens, model->info.vit);
    if (!warning.empty()) {
      workbench_.report(tr("%1: %2.").arg(QString::fromStdString(schedule.name),
                                          QString::fromStdString(warning)));
    }
  });
  connect(&workbench_, &Workbench::activePaneChanged, this, &MethodForm::bind);
  connect(&workbench_, &Workbench::modelChanged, this, &MethodForm::refresh);
  connect(&workbench_, &Workbench::tracesChanged, this, &MethodForm::refresh);
  // The controls show what is in force.
  connect(&workbench_, &Workbench::choiceRefused, this, [this](int pane) {
    if (pane == pane_->index()) refresh();
  });
  bind();
}

void MethodForm::fillMethods() {
  const QSignalBlocker quiet(method_);
  const int chosen = method_->currentIndex();
  method_->clear();
  for (const MethodInfo& info : methods()) {
    method_->addItem(methodSwatch(info.id), QString::fromStdString(info.label),
                     QString::fromStdString(info.id));
    const QString tip = QStringLiteral("<p>%1</p><p><i>%2</i></p>")
                            .arg(QString::fromStdString(info.description).toHtmlEscaped(),
                                 QString::fromStdString(info.reference).toHtmlEscaped());
    method_->setItemData(method_->count() - 1, tip, Qt::ToolTipRole);
  }
  method_->setCurrentIndex(chosen);
}

void MethodForm::bind() {
  if (pane_ != nullptr) disconnect(pane_, nullptr, this, nullptr);
  pane_ = &workbench_.activePane();
  schedule_->showAnother();
  connect(pane_, &Pane::choiceChanged, this, &MethodForm::refresh);
  connect(pane_, &Pane::inspectionChanged, this, &MethodForm::refreshCalibration);
  connect(pane_, &Pane::inspectionChanged, this, &MethodForm::refreshSchedule);
  refresh();
}

void MethodForm::rebuild() {
  const MethodInfo& info = findMethod(pane_->choice().method);
  const LoadedModelPtr model = workbench_.model();
  // Deleted later: the control that caused this may still be on the stack.
  for (SettingRow* row : rows_) {
    row->hide();
    settings_->removeWidget(row);
    row->deleteLater();
  }
  rows_.clear();
  settings_->removeWidget(schedule_);
  schedule_->hide();
  disconnect(schedule_, &ScheduleEditor::edited, nullptr, nullptr);
  schedule_->showAnother();
  QWidget* before = method_;
  for (const SettingInfo& setting : info.settings) {
    const auto fallback = built_defaults_.find(setting.key);
    if (fallback == built_defaults_.end() || onSlider(info, setting)) continue;
    SettingInfo own = setting;
    own.fallback = fallback->second;
    if (model != nullptr && std::holds_alternative<std::string>(own.fallback)) {
      own.choices = wordsFor(info, setting, model->info.vit);
    }
    auto* row = new SettingRow(own, this);
    settings_->addWidget(row);
    setTabOrder(before, row->editor().control());
    before = row->editor().control();
    connect(row, &SettingRow::edited, this,
            [this, row](const SettingValue& value) { edit(row->info(), value); });
    connect(row, &SettingRow::finished, &workbench_, &Workbench::endEdit);
    rows_.push_back(row);
    if (!isSchedule(setting)) continue;
    settings_->addWidget(schedule_);
    schedule_->show();
    connect(schedule_, &ScheduleEditor::edited, row, &SettingRow::edited);
  }
  setTabOrder(before, reset_all_);
  QString text = QString::fromStdString(info.description);
  if (!info.reference.empty()) {
    text += QLatin1Char('\n') + QString::fromStdString(info.reference);
  }
  description_->setText(text);
  built_for_ = info.id;
}

void MethodForm::refresh() {
  const bool trace = workbench_.showsTrace(pane_->index());
  setEnabled(!trace);
  setToolTip(trace ? tr("This canvas shows a trace: its method and settings are its own")
                   : QString());
  const MethodChoice& choice = pane_->choice();
  remembered_[{pane_->index(), choice.method}] = choice;
  const LoadedModelPtr model = workbench_.model();
  Settings defaults =
      defaultsOf(findMethod(choice.method), model != nullptr ? model->info.vit : VitConfig{});
  if (built_for_ != choice.method || built_defaults_ != defaults) {
    built_defaults_ = std::move(defaults);
    rebuild();
  }
  method_->setCurrentIndex(method_->findData(QString::fromStdString(choice.method)));
  method_->setToolTip(method_->currentData(Qt::ToolTipRole).toString());
  bool changed = false;
  for (SettingRow* row : rows_) {
    const auto set = choice.settings.find(row->info().key);
    const SettingValue& value = set == choice.settings.end() ? row->info().fallback : set->second;
    row->setValue(value);
    row->setInactive(inactiveReason(row->info(), choice));
    changed = changed || value != row->info().fallback;
  }
  reset_all_->setVisible(!rows_.empty());
  reset_all_->setEnabled(changed);
  refreshSchedule();
  refreshCalibration();
}

/// Without counts of its own the bars show what merged in each block.
void MethodForm::refreshSchedule() {
  if (schedule_->isHidden()) return;
  const LoadedModelPtr model = workbench_.model();
  std::vector<std::int64_t> counts;
  bool own = false;
  for (const auto& [key, value] : pane_->choice().settings) {
    const SettingInfo* setting = findMethod(pane_->choice().method).setting(key);
    if (setting == nullptr || !isSchedule(*setting)) continue;
    counts = std::get<std::vector<std::int64_t>>(value);
    own = !counts.empty();
  }
  const InspectionPtr inspection = pane_->inspection();
  if (!own && inspection != nullptr && inspection->choice.method == pane_->choice().method) {
    for (const LayerTrace& layer : inspection->result.layers) counts.push_back(layer.merged);
  }
  if (model != nullptr) counts.resize(static_cast<std::size_t>(model->info.vit.depth), 0);
  schedule_->setCounts(model == nullptr ? std::vector<std::int64_t>() : counts,
                       model == nullptr ? 0 : model->info.vit.patchTokens() / 2, own);
}

/// "Calibrated on 500 images (photos), r_max 4 to 24": which statistics are in force, and how far.
QString MethodForm::calibrationText() const {
  const LoadedModelPtr model = workbench_.model();
  if (model == nullptr || model->statistics == nullptr || !usesStatistics(pane_->choice()))
    return {};
  const Statistics& statistics = *model->statistics;
  const MethodInfo& method = findMethod(pane_->choice().method);
  if (statistics.knob != method.activeKnob(pane_->choice().settings)->key) return {};
  const QString knob = QString::fromStdString(method.setting(statistics.knob)->label);
  QString text = tr("Calibrated on %1, %2 %3 to %4.")
                     .arg(counted(statistics.images, "%1 image", "%1 images"), knob)
                     .arg(statistics.entries.front().r_max)
                     .arg(statistics.entries.back().r_max);
  const int value = pane_->compression();
  if (value > statistics.entries.back().r_max || value < statistics.entries.front().r_max) {
    // Without the value: text that is the same for many moves of the slider is laid out once.
    text += tr(" What is set lies outside: the nearest is taken.");
  }
  if (workbench_.chosenStatistics() != nullptr) {
    text += tr(" <a href='own'>Back to the model's own</a>");
  }
  return text;
}

void MethodForm::refreshCalibration() {
  const QString in_force = calibrationText();
  calibration_->setText(in_force);
  calibration_->setVisible(!in_force.isEmpty());
  if (const LoadedModelPtr model = workbench_.model(); !in_force.isEmpty()) {
    calibration_->setToolTip(richText(QString::fromStdString(model->statistics->source)));
  }
  if (!lacksStatistics(workbench_.model(), *pane_)) {
    uncalibrated_->clear();
    return;
  }
  // Shown anew with each result, its button would lose the focus and a press under way.
  if (uncalibrated_->text().isEmpty()) {
    uncalibrated_->show(
        Severity::kWarning,
        tr("This model has no calibration for these settings: z = 0 in every block."),
        {{tr("Calibrate…"), [this] { emit calibrateRequested(); },
          tr("Measure the mean μ and spread σ of each block's redundancy on images of yours")}});
  }
  const InspectionPtr inspection = pane_->inspection();
  QStringList reasons;
  if (inspection != nullptr) {
    for (const std::string& warning : inspection->result.warnings) {
      reasons << QString::fromStdString(warning).toHtmlEscaped();
    }
  }
  uncalibrated_->setToolTip(QStringLiteral("<p>%1</p>").arg(reasons.join(QStringLiteral("<br>"))));
}

void MethodForm::chooseMethod(const std::string& id) {
  if (id == pane_->choice().method) return;
  const auto known = remembered_.find({pane_->index(), id});
  const MethodChoice choice =
      known != remembered_.end() ? known->second : MethodChoice{id, {}, nullptr, false};
  workbench_.edit(pane_->index(), choice,
                  tr("Method %1").arg(QString::fromStdString(findMethod(id).label)));
}

void MethodForm::edit(const SettingInfo& setting, const SettingValue& value) {
  MethodChoice choice = pane_->choice();
  choice.settings[setting.key] = value;
  workbench_.edit(pane_->index(), choice,
                  tr("%1 %2").arg(QString::fromStdString(setting.label), describeValue(value)),
                  QString::fromStdString(setting.key));
  // Taken otherwise than typed: the control shows what is in force.
  const bool waits = workbench_.isChecking(pane_->index());
  if (!waits && pane_->choice().settings.find(setting.key)->second != value) refresh();
}

void MethodForm::resetAll() {
  MethodChoice choice = pane_->choice();
  for (const SettingRow* row : rows_) choice.settings[row->info().key] = row->info().fallback;
  workbench_.edit(pane_->index(), choice, tr("Reset settings"));
  // A line left with something that is no value has not changed the choice.
  refresh();
}

void MethodForm::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) fillMethods();
}

}  // namespace adamerge::ui
