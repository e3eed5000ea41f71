// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_rows.h"

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "adamerge/report.h"
#include "controls/icons.h"
#include "controls/spin_boxes.h"

namespace adamerge::ui {
namespace {

/// What differs from the method's defaults besides its count: "alpha 2, matching sequential".
QString otherSettings(const MethodChoice& choice) {
  const CompressionKnob* knob = compressionKnob(choice);
  const Settings inForce = settingsInForce(choice);
  QStringList parts;
  for (const SettingInfo& setting : findMethod(choice.method).settings) {
    const auto found = inForce.find(setting.key);
    if (found == inForce.end() || found->second == setting.fallback) continue;
    if (knob != nullptr && knob->key == setting.key) continue;
    parts.append(QString::fromStdString(setting.label + " " + toText(found->second)));
  }
  return parts.join(QStringLiteral(", "));
}

/// So that the values of all rows stand in one column.
int widestKnob(const QLabel& label) {
  int width = 0;
  for (const MethodInfo& method : methods()) {
    for (const CompressionKnob& knob : method.compression) {
      const QString name = QString::fromStdString(method.setting(knob.key)->label);
      width = std::max(width, label.fontMetrics().size(0, name).width());
    }
  }
  return width;
}

QString compressionOf(const MethodChoice& choice) {
  const CompressionKnob* knob = compressionKnob(choice);
  if (knob == nullptr) return {};
  const Settings complete = completeSettings(choice);
  return QString::fromStdString(toText(complete.find(knob->key)->second));
}

}  // namespace

BatchRowEditor::BatchRowEditor(std::vector<MethodChoice> known, QWidget* parent)
    : QWidget(parent),
      known_(std::move(known)),
      method_(new QComboBox),
      knob_(new QLabel),
      values_(new QLineEdit),
      settings_(new QLabel),
      remove_(new QToolButton) {
  auto* layout = new QGridLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setVerticalSpacing(0);
  for (const MethodInfo& method : methods()) {
    method_->addItem(QString::fromStdString(method.label), QString::fromStdString(method.id));
    method_->setItemData(method_->count() - 1, QString::fromStdString(method.description),
                         Qt::ToolTipRole);
  }
  method_->setAccessibleName(tr("Method"));
  ignoreWheelWithoutFocus(*method_);
  knob_->setMinimumWidth(widestKnob(*knob_));
  values_->setToolTip(tr("One run for each value, separated by commas: 8, 12, 16"));
  values_->setMinimumWidth(values_->fontMetrics().horizontalAdvance(QStringLiteral("8, 12, 16")));
  settings_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  settings_->setForegroundRole(QPalette::PlaceholderText);
  settings_->setTextFormat(Qt::PlainText);
  remove_->setIcon(icon(QStringLiteral("close")));
  remove_->setAutoRaise(true);
  remove_->setToolTip(tr("Remove this method"));
  remove_->setAccessibleName(tr("Remove this method"));
  layout->addWidget(method_, 0, 0);
  layout->addWidget(knob_, 0, 1);
  layout->addWidget(values_, 0, 2);
  layout->addWidget(remove_, 0, 3);
  layout->addWidget(settings_, 1, 0, 1, 4);
  layout->setColumnStretch(2, 1);
  connect(method_, &QComboBox::currentIndexChanged, this, &BatchRowEditor::chooseMethod);
  connect(values_, &QLineEdit::textChanged, this, &BatchRowEditor::changed);
  connect(remove_, &QToolButton::clicked, this, &BatchRowEditor::removed);
}

void BatchRowEditor::setChoice(const MethodChoice& choice) {
  const QSignalBlocker blocker(method_);
  method_->setCurrentIndex(method_->findData(QString::fromStdString(choice.method)));
  base_ = choice;
  showBase();
}

void BatchRowEditor::setRemovable(bool removable) { remove_->setEnabled(removable); }

QString BatchRowEditor::values() const { return values_->text(); }

void BatchRowEditor::chooseMethod() {
  const std::string id = method_->currentData().toString().toStdString();
  const auto same = std::find_if(known_.begin(), known_.end(),
                                 [&](const MethodChoice& choice) { return choice.method == id; });
  base_ = same == known_.end() ? MethodChoice{id, {}, nullptr, false} : *same;
  showBase();
}

void BatchRowEditor::showBase() {
  const CompressionKnob* knob = compressionKnob(base_);
  const QString name =
      knob == nullptr ? QString()
                      : QString::fromStdString(findMethod(base_.method).setting(knob->key)->label);
  knob_->setText(name);
  values_->setEnabled(knob != nullptr);
  values_->setAccessibleName(tr("Values of %1").arg(name));
  values_->setText(compressionOf(base_));
  const QString settings = otherSettings(base_);
  settings_->setText(settings);
  settings_->setToolTip(settings);
  settings_->setVisible(!settings.isEmpty());
  emit changed();
}

BatchRows::BatchRows(const std::vector<MethodChoice>& known, QWidget* parent)
    : QWidget(parent), known_(known), layout_(new QVBoxLayout(this)) {
  layout_->setContentsMargins(0, 0, 0, 0);
  auto* add = new QPushButton(tr("&Add method"));
  add->setAutoDefault(false);
  layout_->addWidget(add, 0, Qt::AlignLeft);
  for (const MethodChoice& choice : known_) addRow()->setChoice(choice);
  if (known_.empty()) addRow()->setChoice(MethodChoice{methods().back().id, {}, nullptr, false});
  connect(add, &QPushButton::clicked, this, [this] {
    BatchRowEditor* editor = addRow();
    editor->setChoice(editors_.front()->row().base);
    editor->setFocus();
  });
}

std::vector<BatchRow> BatchRows::rows() const {
  std::vector<BatchRow> rows;
  for (const BatchRowEditor* editor : editors_) rows.push_back(editor->row());
  return rows;
}

BatchRowEditor* BatchRows::addRow() {
  auto* editor = new BatchRowEditor(known_);
  layout_->insertWidget(static_cast<int>(editors_.size()), editor);
  editors_.push_back(editor);
  connect(editor, &BatchRowEditor::changed, this, &BatchRows::changed);
  connect(editor, &BatchRowEditor::removed, this, [this, editor] { remove(editor); });
  updateRemovable();
  return editor;
}

void BatchRows::remove(BatchRowEditor* editor) {
  std::erase(editors_, editor);
  editor->hide();
  editor->deleteLater();
  updateRemovable();
  emit changed();
}

void BatchRows::updateRemovable() {
  for (BatchRowEditor* editor : editors_) editor->setRemovable(editors_.size() > 1);
}

}  // namespace adamerge::ui
