// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/setting_row.h"

#include <QGridLayout>
#include <QLabel>
#include <QToolButton>

#include "controls/setting_editor.h"
#include "controls/theme.h"

namespace adamerge::ui {
namespace {

constexpr int kControlWidth = 116;
constexpr int kResetIcon = 16;

}  // namespace

SettingRow::SettingRow(const SettingInfo& info, QWidget* parent)
    : QWidget(parent),
      info_(info),
      editor_(makeSettingEditor(info, this)),
      reset_(new QToolButton),
      message_(new QLabel) {
  const QString label = QString::fromStdString(info.label);
  editor_->control()->setObjectName(QStringLiteral("setting-") + QString::fromStdString(info.key));
  editor_->control()->setAccessibleName(label);
  editor_->control()->setAccessibleDescription(QString::fromStdString(info.help));

  const QString fallback = describeValue(info.fallback);
  reset_->setIcon(icon(QStringLiteral("reset")));
  reset_->setIconSize({kResetIcon, kResetIcon});
  reset_->setToolTip(tr("Back to %1").arg(fallback));
  reset_->setAccessibleName(tr("Reset %1 to %2").arg(label, fallback));
  QSizePolicy policy = reset_->sizePolicy();
  policy.setRetainSizeWhenHidden(true);
  reset_->setSizePolicy(policy);

  message_->setWordWrap(true);
  message_->setFont(smallFont());
  message_->setForegroundRole(QPalette::BrightText);
  message_->hide();

  auto* layout = new QGridLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setHorizontalSpacing(8);
  layout->setVerticalSpacing(4);
  layout->setColumnStretch(0, 1);
  if (editor_->labelled()) {
    layout->addWidget(editor_, 0, 0, 1, 2, Qt::AlignLeft | Qt::AlignVCenter);
  } else {
    name_ = new QLabel(label);
    name_->setWordWrap(true);
    name_->setBuddy(editor_->control());
    editor_->setFixedWidth(kControlWidth);
    layout->addWidget(name_, 0, 0, Qt::AlignVCenter);
    layout->addWidget(editor_, 0, 1);
  }
  layout->addWidget(reset_, 0, 2);
  layout->addWidget(message_, 1, 0, 1, 3);
  explain({});

  connect(editor_, &SettingEditor::edited, this, &SettingRow::edited);
  connect(editor_, &SettingEditor::finished, this, &SettingRow::finished);
  connect(editor_, &SettingEditor::complained, this, [this](const QString& message) {
    message_->setText(message);
    message_->setVisible(!message.isEmpty());
  });
  connect(reset_, &QToolButton::clicked, this, [this] {
    emit edited(info_.fallback);
    emit finished();
  });
}

void SettingRow::setValue(const SettingValue& value) {
  editor_->setValue(value);
  reset_->setVisible(value != info_.fallback);
}

void SettingRow::setInactive(const QString& reason) {
  editor_->setEnabled(reason.isEmpty());
  if (name_ != nullptr) name_->setEnabled(reason.isEmpty());
  explain(reason);
}

QString SettingRow::message() const { return message_->text(); }

void SettingRow::explain(const QString& inactive) {
  QString tip = QStringLiteral("<p>%1</p>").arg(QString::fromStdString(info_.help).toHtmlEscaped());
  if (!inactive.isEmpty()) tip += QStringLiteral("<p><b>%1</b></p>").arg(inactive.toHtmlEscaped());
  tip += QStringLiteral("<p>%1</p>")
             .arg(tr("%1. Default: %2. On the command line: --%3")
                      .arg(describeRange(info_), describeValue(info_.fallback),
                           QString::fromStdString(optionName(info_.key)))
                      .toHtmlEscaped());
  // Long help wraps in a tooltip only as rich text.
  setToolTip(tip);
}

}  // namespace adamerge::ui
