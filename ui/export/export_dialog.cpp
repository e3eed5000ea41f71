// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/export_dialog.h"

#include <QBoxLayout>
#include <QClipboard>
#include <QDir>
#include <QGuiApplication>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <algorithm>

#include "adamerge/error.h"
#include "bench/data.h"
#include "export/export_form.h"
#include "export/figure_source.h"
#include "export/plot_source.h"
#include "export/preview.h"
#include "look/message.h"
#include "look/text.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

constexpr int kIndexRole = Qt::UserRole;
constexpr int kPadding = 8;

}  // namespace

SourceList::SourceList(QWidget* parent) : QListWidget(parent) {
  setSelectionMode(QAbstractItemView::ExtendedSelection);
  setAccessibleName(tr("What to export"));
  setToolTip(tr("Ctrl or Shift chooses several, each for a file of its own"));
}

void SourceList::setSections(const std::vector<SourceSection>& sections) {
  clear();
  sources_.clear();
  for (const SourceSection& section : sections) {
    if (section.sources.empty()) continue;
    auto* heading = new QListWidgetItem(section.title, this);
    heading->setFlags(Qt::NoItemFlags);
    QFont font = heading->font();
    font.setBold(true);
    heading->setFont(font);
    heading->setSizeHint(QSize(0, fontMetrics().height() + 2 * kPadding));
    heading->setForeground(palette().color(QPalette::PlaceholderText));
    for (const ExportSourcePtr& source : section.sources) {
      auto* item = new QListWidgetItem(QStringLiteral("   ") + source->label(), this);
      item->setToolTip(source->help());
      item->setSizeHint(QSize(0, fontMetrics().height() + kPadding));
      item->setData(kIndexRole, static_cast<int>(sources_.size()));
      sources_.push_back(source);
    }
  }
}

void SourceList::choose(const QString& id) {
  QListWidgetItem* wanted = nullptr;
  for (int row = 0; row < count(); ++row) {
    const ExportSourcePtr source = sourceOf(item(row));
    if (source == nullptr) continue;
    if (wanted == nullptr || source->id() == id) wanted = item(row);
  }
  if (wanted != nullptr) setCurrentItem(wanted, QItemSelectionModel::ClearAndSelect);
}

std::vector<ExportSourcePtr> SourceList::chosen() const {
  std::vector<ExportSourcePtr> list;
  for (int row = 0; row < count(); ++row) {
    if (!item(row)->isSelected()) continue;
    if (ExportSourcePtr source = sourceOf(item(row))) list.push_back(std::move(source));
  }
  return list;
}

ExportSourcePtr SourceList::current() const {
  if (currentItem() != nullptr && currentItem()->isSelected()) return sourceOf(currentItem());
  const std::vector<ExportSourcePtr> list = chosen();
  return list.empty() ? nullptr : list.front();
}

/// What was chosen before the list had its size stays in sight.
void SourceList::resizeEvent(QResizeEvent* event) {
  QListWidget::resizeEvent(event);
  if (currentItem() != nullptr) scrollToItem(currentItem());
}

ExportSourcePtr SourceList::sourceOf(const QListWidgetItem* item) const {
  const QVariant index = item->data(kIndexRole);
  return index.isValid() ? sources_[index.toUInt()] : nullptr;
}

namespace {

constexpr int kListHeight = 150;
constexpr const char* kWriteKey = "write";

int depthOf(const ExportContext& context) {
  const InspectionPtr pane = context.activePane();
  return pane == nullptr ? 1 : pane->depth();
}

}  // namespace

ExportDialog::ExportDialog(ExportContext context, const std::vector<PlotPanel*>& plots,
                           const QString& chosen, QWidget* parent)
    : QDialog(parent),
      context_(std::move(context)),
      sources_(new SourceList),
      preview_(new PagePreview),
      form_(new ExportForm(depthOf(context_), context_.block)),
      notice_(new MessageLine),
      copy_(new QPushButton(tr("&Copy picture"))),
      export_(new QPushButton(tr("&Export"))) {
  setWindowTitle(tr("Export"));
  setWindowModality(Qt::WindowModal);
  auto* layout = new QVBoxLayout(this);
  auto* columns = new QHBoxLayout;
  columns->addWidget(buildOptions());
  columns->addWidget(preview_, 1);
  layout->addLayout(columns, 1);
  layout->addWidget(notice_);
  layout->addWidget(buildFoot());
  resize(960, 640);

  form_->setOptions(ExportOptions::load());
  form_->setDataAvailable(context_.activePane() != nullptr);
  fillSources(plots, chosen);

  connect(sources_, &QListWidget::itemSelectionChanged, this, &ExportDialog::refresh);
  connect(form_, &ExportForm::pageChanged, this, &ExportDialog::refresh);
  connect(form_, &ExportForm::targetChanged, this, &ExportDialog::refreshNames);
  connect(preview_, &PagePreview::measured, form_, &ExportForm::setPageSize);
  refresh();
  sources_->setFocus();
}

ExportDialog::~ExportDialog() = default;

QWidget* ExportDialog::buildOptions() {
  auto* inner = new QWidget;
  auto* layout = new QVBoxLayout(inner);
  layout->setContentsMargins(0, 0, 6, 0);
  sources_->setMinimumHeight(kListHeight);
  layout->addWidget(sources_, 1);

  layout->addWidget(form_);

  auto* area = new QScrollArea;
  area->setWidget(inner);
  area->setWidgetResizable(true);
  area->setFrameShape(QFrame::NoFrame);
  area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  area->setMinimumWidth(inner->minimumSizeHint().width() +
                        area->verticalScrollBar()->sizeHint().width());
  area->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Expanding);
  return area;
}

QWidget* ExportDialog::buildFoot() {
  auto* foot = new QWidget;
  auto* layout = tightLayout<QHBoxLayout>(foot);
  auto* close = new QPushButton(tr("Close"));
  copy_->setToolTip(tr("Copy the previewed picture to the clipboard, at the resolution for PNG"));
  copy_->setAutoDefault(false);
  close->setAutoDefault(false);
  export_->setDefault(true);
  layout->addWidget(copy_);
  layout->addStretch();
  layout->addWidget(close);
  layout->addWidget(export_);
  connect(close, &QPushButton::clicked, this, &QDialog::reject);
  connect(copy_, &QPushButton::clicked, this, &ExportDialog::copy);
  connect(export_, &QPushButton::clicked, this, &ExportDialog::accept);
  return foot;
}

void ExportDialog::fillSources(const std::vector<PlotPanel*>& plots, const QString& chosen) {
  QString figures = tr("Figures");
  if (context_.panes.size() > 1) figures = tr("Figures of canvas %1").arg(context_.active + 1);
  sources_->setSections({{figures, figureSources(context_)},
                         {tr("All canvases side by side"), comparisonSources(context_)},
                         {tr("Plots"), plotSources(plots, context_)},
                         {tr("Gallery"), context_.gallery}});
  const QString canvas = QStringLiteral("canvas");
  const QString seen = context_.panes.size() > 1 ? QStringLiteral("comparison-") + canvas : canvas;
  sources_->choose(chosen.isEmpty() ? seen : chosen);
}

ExportRequest ExportDialog::request() const {
  return {sources_->chosen(), form_->options(), form_->style(context_.overlay)};
}

void ExportDialog::refresh() {
  const std::vector<ExportSourcePtr> chosen = sources_->chosen();
  const bool per_block = std::any_of(chosen.begin(), chosen.end(),
                                     [](const auto& source) { return source->perBlock(); });
  form_->setBlockUsed(per_block);
  const QString reason = context_.panes.empty() && sources_->count() == 0
                             ? tr("There is nothing to export yet. Open an image first.")
                             : tr("Choose a figure on the left.");
  const ExportSourcePtr source = sources_->current();
  copy_->setEnabled(source != nullptr && !busy_);
  preview_->preview(source, form_->style(context_.overlay), reason);
  refreshNames();
}

void ExportDialog::refreshNames() {
  notice_->clear();
  QStringList names;
  QString problem;
  const ExportRequest wanted = request();
  try {
    for (const ExportItem& item : planExport(context_, wanted)) names.append(fileName(item.path));
  } catch (const Error& error) {
    // The preview says what to do while nothing is chosen.
    if (!wanted.sources.empty()) problem = errorText(error);
  }
  form_->showNames(names, problem);
  export_->setEnabled(!names.isEmpty() && !busy_);
  export_->setText(names.size() > 1 ? tr("&Export %1 files").arg(names.size()) : tr("&Export"));
}

void ExportDialog::accept() {
  if (busy_) return;
  std::vector<ExportItem> items;
  try {
    items = planExport(context_, request());
  } catch (const std::exception& error) {
    notice_->show(Severity::kError, errorText(error));
    return;
  }
  const std::vector<std::filesystem::path> existing = existingFiles(items);
  if (existing.empty()) {
    exportNow(items);
    return;
  }
  QString question =
      tr("%1 of the %2 files exist already. Replace them?").arg(existing.size()).arg(items.size());
  if (existing.size() == items.size()) {
    question = tr("These %1 files exist already. Replace them?").arg(items.size());
  }
  if (existing.size() == 1) {
    question = tr("%1 exists already. Replace it?").arg(fileName(existing.front()));
  }
  notice_->ask(question, tr("&Replace"), [this, items] { exportNow(items); });
}

void ExportDialog::exportNow(const std::vector<ExportItem>& items) {
  form_->options().save();
  setBusy(true);
  notice_->show(Severity::kInfo, tr("Exporting…"));
  std::vector<ExportItem> here;
  std::vector<ExportItem> elsewhere;
  for (const ExportItem& item : items) (item.any_thread ? elsewhere : here).push_back(item);
  const QString problem = writeItems(here);
  if (!problem.isEmpty() || elsewhere.empty()) {
    finish(items, problem);
    return;
  }
  jobs_.run(kWriteKey, Urgency::kInteractive,
            [this, items, elsewhere](const std::stop_token& /*stop*/, const Jobs::Tell& tell) {
              tell([this, items, trouble = writeItems(elsewhere)] { finish(items, trouble); });
            });
}

void ExportDialog::finish(const std::vector<ExportItem>& items, const QString& problem) {
  setBusy(false);
  if (!problem.isEmpty()) {
    notice_->show(Severity::kError, problem);
    return;
  }
  const std::filesystem::path& first = items.front().path;
  const QString folder = QString::fromStdString(first.parent_path().string());
  const QString text =
      items.size() == 1
          ? tr("Exported to %1")
                .arg(QDir::toNativeSeparators(QString::fromStdString(first.string())))
          : tr("%1 files exported to %2").arg(items.size()).arg(QDir::toNativeSeparators(folder));
  notice_->show(Severity::kSuccess, text, {openFolderAction(folder)});
}

void ExportDialog::copy() {
  const ExportSourcePtr source = sources_->current();
  if (source == nullptr || busy_) return;
  const auto render = [source, style = form_->style(context_.overlay)] {
    std::pair<QImage, QString> made;
    try {
      made.first = source->render(style, style.page.dpi);
    } catch (const std::exception& error) {
      made.second = errorText(error);
    }
    return made;
  };
  const auto put = [this](const std::pair<QImage, QString>& made) {
    setBusy(false);
    if (!made.second.isEmpty()) {
      notice_->show(Severity::kError, made.second);
      return;
    }
    QGuiApplication::clipboard()->setImage(made.first);
    notice_->show(Severity::kInfo,
                  tr("Copied, %1 × %2 pixels").arg(made.first.width()).arg(made.first.height()));
  };
  setBusy(true);
  if (!source->anyThread()) {
    put(render());
    return;
  }
  jobs_.run(kWriteKey, Urgency::kInteractive,
            [render, put](const std::stop_token& /*stop*/, const Jobs::Tell& tell) {
              tell([made = render(), put] { put(made); });
            });
}

/// Not while a file is being written: the answer would be lost.
void ExportDialog::done(int result) {
  if (busy_) return;
  form_->options().save();
  QDialog::done(result);
}

void ExportDialog::setBusy(bool busy) {
  busy_ = busy;
  export_->setEnabled(!busy);
  copy_->setEnabled(!busy && sources_->current() != nullptr);
}

}  // namespace adamerge::ui
