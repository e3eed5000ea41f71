// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/source_list.h"

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

}  // namespace adamerge::ui
