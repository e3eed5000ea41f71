// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings/setting_editor.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStyle>
#include <QToolButton>

#include "adamerge/error.h"
#include "look/icons.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

QString fromUtf8(const std::string& text) { return QString::fromStdString(text); }

void fill(QWidget& editor, QWidget* control) {
  auto* layout = new QHBoxLayout(&editor);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(control);
  editor.setFocusProxy(control);
  ignoreWheelWithoutFocus(*control);
}

class SwitchEditor : public SettingEditor {
 public:
  SwitchEditor(const SettingInfo& info, QWidget* parent)
      : SettingEditor(parent), box_(new QCheckBox(fromUtf8(info.label))) {
    fill(*this, box_);
    connect(box_, &QCheckBox::toggled, this, [this](bool on) {
      emit edited(on);
      emit finished();
    });
  }
  void setValue(const SettingValue& value) override {
    const QSignalBlocker quiet(box_);
    box_->setChecked(std::get<bool>(value));
  }
  QWidget* control() override { return box_; }
  bool labelled() const override { return true; }

 private:
  QCheckBox* box_;
};

class CountEditor : public SettingEditor {
 public:
  CountEditor(const SettingInfo& info, QWidget* parent)
      : SettingEditor(parent), box_(new CountBox) {
    box_->setRange(static_cast<int>(info.minimum.value_or(std::numeric_limits<int>::lowest())),
                   static_cast<int>(info.maximum.value_or(std::numeric_limits<int>::max())));
    box_->setKeyboardTracking(false);
    fill(*this, box_);
    connect(box_, &QSpinBox::valueChanged, this,
            [this](int value) { emit edited(std::int64_t{value}); });
    connect(box_, &QSpinBox::editingFinished, this, &SettingEditor::finished);
  }
  void setValue(const SettingValue& value) override {
    const QSignalBlocker quiet(box_);
    box_->setValue(static_cast<int>(std::get<std::int64_t>(value)));
  }
  QWidget* control() override { return box_; }

 private:
  QSpinBox* box_;
};

class RealEditor : public SettingEditor {
 public:
  RealEditor(const SettingInfo& info, QWidget* parent) : SettingEditor(parent), box_(new RealBox) {
    box_->setRange(info.minimum.value_or(std::numeric_limits<double>::lowest()),
                   info.maximum.value_or(std::numeric_limits<double>::max()));
    fill(*this, box_);
    connect(box_, &QDoubleSpinBox::valueChanged, this,
            [this](double value) { emit edited(value); });
    connect(box_, &QDoubleSpinBox::editingFinished, this, &SettingEditor::finished);
  }
  void setValue(const SettingValue& value) override {
    const QSignalBlocker quiet(box_);
    box_->setValue(std::get<double>(value));
  }
  QWidget* control() override { return box_; }

 private:
  RealBox* box_;
};

class ChoiceEditor : public SettingEditor {
 public:
  ChoiceEditor(const SettingInfo& info, QWidget* parent)
      : SettingEditor(parent), box_(new QComboBox) {
    for (const std::string& choice : info.choices) box_->addItem(fromUtf8(choice));
    fill(*this, box_);
    connect(box_, &QComboBox::currentTextChanged, this, [this](const QString& text) {
      emit edited(text.toStdString());
      emit finished();
    });
  }
  void setValue(const SettingValue& value) override {
    const QSignalBlocker quiet(box_);
    box_->setCurrentText(fromUtf8(std::get<std::string>(value)));
  }
  QWidget* control() override { return box_; }

 private:
  QComboBox* box_;
};

class FileEditor : public SettingEditor {
 public:
  FileEditor(const SettingInfo& info, QWidget* parent)
      : SettingEditor(parent), line_(new QLineEdit) {
    line_->setPlaceholderText(tr("none"));
    line_->setClearButtonEnabled(true);
    fill(*this, line_);
    auto* browse = new QToolButton;
    browse->setText(tr("…"));
    browse->setToolTip(tr("Choose a file"));
    browse->setAccessibleName(tr("Choose a file: %1").arg(fromUtf8(info.label)));
    layout()->addWidget(browse);
    // A half-typed path names no file, so it is taken when it is done.
    connect(line_, &QLineEdit::editingFinished, this, [this] { take(line_->text()); });
    connect(line_, &QLineEdit::textChanged, this, [this](const QString& text) {
      if (text.isEmpty()) take(text);
    });
    connect(browse, &QToolButton::clicked, this, [this, title = fromUtf8(info.label)] {
      const QString file = QFileDialog::getOpenFileName(this, title, line_->text());
      if (file.isEmpty()) return;
      line_->setText(file);
      take(file);
    });
  }
  void setValue(const SettingValue& value) override {
    const QSignalBlocker quiet(line_);
    taken_ = fromUtf8(std::get<std::string>(value));
    line_->setText(taken_);
  }
  QWidget* control() override { return line_; }

 private:
  void take(const QString& file) {
    if (file == taken_) return;
    taken_ = file;
    emit edited(file.toStdString());
    emit finished();
  }

  QLineEdit* line_;
  QString taken_;
};

class ListEditor : public SettingEditor {
 public:
  ListEditor(const SettingInfo& info, QWidget* parent)
      : SettingEditor(parent), info_(info), line_(new QLineEdit) {
    line_->setPlaceholderText(tr("e.g. %1").arg(example()));
    fill(*this, line_);
    connect(line_, &QLineEdit::textEdited, this, &ListEditor::read);
    connect(line_, &QLineEdit::editingFinished, this, &SettingEditor::finished);
  }
  void setValue(const SettingValue& value) override {
    // What somebody is typing is not rewritten under the fingers.
    if (value == typed()) return;
    line_->setText(fromUtf8(toText(value)));
    line_->setCursorPosition(0);
    complain({});
  }
  QWidget* control() override { return line_; }

 private:
  QString example() const {
    constexpr std::size_t kPoint = 2;
    if (info_.tuple == kPoint) return QStringLiteral("120,90");
    if (info_.tuple > 0) return QStringLiteral("40,60,200,180");
    return info_.choices.empty() ? QStringLiteral("8,8,4") : fromUtf8(info_.choices.front());
  }

  std::optional<SettingValue> typed() const {
    const QString text = line_->text().remove(QLatin1Char(' '));
    try {
      return parseSetting(info_, text.toStdString());
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  void read() {
    const std::optional<SettingValue> value = typed();
    complain(value ? QString() : describeRange(info_) + tr(", for example %1.").arg(example()));
    if (value) emit edited(*value);
  }

  void complain(const QString& message) {
    line_->setProperty("invalid", !message.isEmpty());
    line_->style()->unpolish(line_);
    line_->style()->polish(line_);
    emit complained(message);
  }

  SettingInfo info_;
  QLineEdit* line_;
};

}  // namespace

SettingEditor* makeSettingEditor(const SettingInfo& info, QWidget* parent) {
  if (std::holds_alternative<bool>(info.fallback)) return new SwitchEditor(info, parent);
  if (std::holds_alternative<std::int64_t>(info.fallback)) return new CountEditor(info, parent);
  if (std::holds_alternative<double>(info.fallback)) return new RealEditor(info, parent);
  if (info.is_path) return new FileEditor(info, parent);
  if (std::holds_alternative<std::string>(info.fallback)) return new ChoiceEditor(info, parent);
  return new ListEditor(info, parent);
}

QString describeRange(const SettingInfo& info) {
  if (std::holds_alternative<bool>(info.fallback)) return QObject::tr("On or off");
  if (info.is_path) return QObject::tr("The path of a file");
  if (std::holds_alternative<std::string>(info.fallback)) {
    QStringList choices;
    for (const std::string& choice : info.choices) choices << fromUtf8(choice);
    return QObject::tr("One of %1").arg(choices.join(QStringLiteral(", ")));
  }
  const auto number = [&](double value) {
    return english().toString(value, 'f', QLocale::FloatingPointShortest);
  };
  const bool list = std::holds_alternative<std::vector<std::int64_t>>(info.fallback);
  QString text = list ? QObject::tr("Whole numbers separated by commas")
                 : std::holds_alternative<double>(info.fallback) ? QObject::tr("A number")
                                                                 : QObject::tr("A whole number");
  if (info.minimum && info.maximum) {
    text += QObject::tr(" from %1 to %2").arg(number(*info.minimum), number(*info.maximum));
  } else if (info.minimum) {
    text += QObject::tr(" of at least %1").arg(number(*info.minimum));
  } else if (info.maximum) {
    text += QObject::tr(" of at most %1").arg(number(*info.maximum));
  }
  if (info.tuple > 0) text += QObject::tr(", %1 for each").arg(info.tuple);
  if (list && !info.choices.empty()) {
    QStringList words;
    for (const std::string& word : info.choices) words << fromUtf8(word);
    text += QObject::tr(", or %1").arg(words.join(QStringLiteral(", ")));
  }
  return text;
}

QString describeValue(const SettingValue& value) {
  if (const auto* on = std::get_if<bool>(&value))
    return *on ? QObject::tr("on") : QObject::tr("off");
  if (const auto* real = std::get_if<double>(&value)) {
    return english().toString(*real, 'f', QLocale::FloatingPointShortest);
  }
  const QString text = fromUtf8(toText(value));
  return text.isEmpty() ? QObject::tr("empty") : text;
}

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

  auto* layout = tightLayout<QGridLayout>(this);
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
  QString tip = richText(QString::fromStdString(info_.help));
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
