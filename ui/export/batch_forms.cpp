// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_forms.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "adamerge/report.h"
#include "export/figure_source.h"
#include "export/page_form.h"
#include "look/icons.h"
#include "look/text.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

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

QString compressionText(const MethodChoice& choice) {
  const CompressionKnob* knob = compressionKnob(choice);
  if (knob == nullptr) return {};
  const Settings complete = completeSettings(choice);
  return QString::fromStdString(toText(complete.find(knob->key)->second));
}

}  // namespace

BatchRowEditor::BatchRowEditor(std::vector<MethodChoice> known, const VitConfig& vit,
                               QWidget* parent)
    : QWidget(parent),
      known_(std::move(known)),
      vit_(vit),
      method_(new QComboBox),
      knob_(new QLabel),
      values_(new QLineEdit),
      settings_(new QLabel),
      remove_(new QToolButton) {
  auto* layout = tightLayout<QGridLayout>(this);
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
  base_.settings = completeSettings(base_, vit_);
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
  values_->setText(compressionText(base_));
  QStringList parts;
  for (const std::string& part : changedSettings(base_, &vit_)) {
    parts << QString::fromStdString(part);
  }
  const QString settings = parts.join(QStringLiteral(", "));
  settings_->setText(settings);
  settings_->setToolTip(settings);
  settings_->setVisible(!settings.isEmpty());
  emit changed();
}

BatchRows::BatchRows(const std::vector<MethodChoice>& known, const VitConfig& vit, QWidget* parent)
    : QWidget(parent), known_(known), vit_(vit), layout_(new QVBoxLayout(this)) {
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
  auto* editor = new BatchRowEditor(known_, vit_);
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

namespace {

const QString kFiguresGroup = QStringLiteral("batch");
constexpr int kColumns = 3;

}  // namespace

BatchFigures::BatchFigures(int depth, int block, QWidget* parent)
    : QWidget(parent), page_(new PageForm), block_(new CountBox) {
  auto* layout = tightLayout<QVBoxLayout>(this);
  auto* grid = new QGridLayout;
  for (const FigureKind& kind : figureKinds()) {
    auto* box = new QCheckBox(figureLabel(kind));
    box->setToolTip(QString::fromStdString(kind.description));
    const int index = static_cast<int>(kinds_.size());
    grid->addWidget(box, index / kColumns, index % kColumns);
    kinds_.push_back(box);
    connect(box, &QCheckBox::toggled, this, &BatchFigures::refresh);
  }
  layout->addLayout(grid);
  auto* formats = new QHBoxLayout;
  for (const FigureFormat format : allFormats()) {
    auto* box = new QCheckBox(extension(format).toUpper());
    formats->addWidget(box);
    formats_.push_back(box);
    connect(box, &QCheckBox::toggled, this, &BatchFigures::refresh);
  }
  formats->addStretch();
  page_->form()->insertRow(0, tr("Format"), formats);
  block_->setRange(1, std::max(1, depth));
  block_->setSuffix(tr(" of %1").arg(depth));
  block_->setValue(block + 1);
  ignoreWheelWithoutFocus(*block_);
  page_->form()->addRow(tr("Bloc&k"), block_);
  layout->addWidget(page_);
  layout->addStretch();
  connect(page_, &PageForm::changed, this, &BatchFigures::changed);
  connect(block_, &QSpinBox::valueChanged, this, &BatchFigures::changed);
}

std::vector<std::string> BatchFigures::kinds() const {
  std::vector<std::string> ids;
  for (std::size_t index = 0; index < kinds_.size(); ++index) {
    if (kinds_[index]->isChecked()) ids.push_back(figureKinds()[index].id);
  }
  return ids;
}

std::vector<FigureFormat> BatchFigures::formats() const {
  std::vector<FigureFormat> chosen;
  for (std::size_t index = 0; index < formats_.size(); ++index) {
    if (formats_[index]->isChecked()) chosen.push_back(allFormats()[index]);
  }
  return chosen;
}

PageOptions BatchFigures::page() const { return page_->options(); }
int BatchFigures::block() const { return block_->value() - 1; }

void BatchFigures::restore() {
  page_->setOptions(loadPageOptions(kFiguresGroup));
  QSettings settings;
  settings.beginGroup(kFiguresGroup);
  const QStringList kinds = settings.value("kinds", QStringList{"overview"}).toStringList();
  const QStringList formats = settings.value("formats", QStringList{"png"}).toStringList();
  for (std::size_t index = 0; index < kinds_.size(); ++index) {
    kinds_[index]->setChecked(kinds.contains(QString::fromStdString(figureKinds()[index].id)));
  }
  for (std::size_t index = 0; index < formats_.size(); ++index) {
    formats_[index]->setChecked(formats.contains(extension(allFormats()[index])));
  }
  refresh();
}

void BatchFigures::save() const {
  savePageOptions(kFiguresGroup, page());
  QStringList ids;
  for (const std::string& kind : kinds()) ids.append(QString::fromStdString(kind));
  QStringList extensions;
  for (const FigureFormat format : formats()) extensions.append(extension(format));
  QSettings settings;
  settings.beginGroup(kFiguresGroup);
  settings.setValue("kinds", ids);
  settings.setValue("formats", extensions);
}

void BatchFigures::refresh() {
  const std::vector<FigureFormat> chosen = formats();
  page_->setResolutionUsed(std::find(chosen.begin(), chosen.end(), FigureFormat::kPng) !=
                           chosen.end());
  bool per_block = false;
  for (std::size_t index = 0; index < kinds_.size(); ++index) {
    per_block |= kinds_[index]->isChecked() && figureKinds()[index].per_layer;
  }
  block_->setEnabled(per_block);
  page_->form()->labelForField(block_)->setEnabled(per_block);
  emit changed();
}

namespace {

constexpr int kDetailLines = 4;

}  // namespace

QString describe(const BatchSummary& summary) {
  QString done = counted(summary.images, "%1 image done", "%1 images done");
  QStringList written;
  if (summary.files > 0) written.append(counted(summary.files, "%1 figure", "%1 figures"));
  if (summary.table) written.append(QObject::tr("a table"));
  if (!written.isEmpty()) {
    done += QObject::tr(", %1 written").arg(written.join(QObject::tr(" and ")));
  }
  if (summary.continued > 0) {
    done +=
        counted(summary.continued, "; %1 image was done before", "; %1 images were done before");
  }
  const qsizetype skipped = summary.skipped.size();
  if (skipped > 0) done += counted(skipped, "; %1 image skipped", "; %1 images skipped");
  if (summary.cancelled) return QObject::tr("Cancelled: %1").arg(done);
  if (!summary.problem.isEmpty()) return QObject::tr("Stopped: %1 (%2)").arg(summary.problem, done);
  return done;
}

BatchReport::BatchReport(QWidget* parent)
    : QWidget(parent), bar_(new QProgressBar), text_(new QLabel), details_(new QPlainTextEdit) {
  auto* layout = tightLayout<QVBoxLayout>(this);
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
  QString line =
      tr("Image %1 of %2")
          .arg(english().toString(progress.done + 1), english().toString(progress.total));
  line += paceText(progress.images_per_second, progress.seconds_left);
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
