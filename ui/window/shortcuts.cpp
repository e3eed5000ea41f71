// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/shortcuts.h"

#include <QDialogButtonBox>
#include <QGridLayout>
#include <QLabel>
#include <QMenu>
#include <QMenuBar>
#include <QObject>
#include <QPainter>
#include <QPushButton>
#include <QScreen>
#include <QScrollArea>
#include <QScrollBar>
#include <algorithm>
#include <iterator>
#include <numeric>

#include "look/message.h"
#include "look/theme.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

constexpr int kPadding = 6;  ///< left and right of a key's name
constexpr int kGap = 3;

/// "Ctrl++" and "+" have the key "+" at their end.
QStringList keysOf(const QString& shortcut) {
  const bool ends_with_plus = shortcut.endsWith(QLatin1Char('+'));
  QStringList keys;
  for (const QString& key : shortcut.split('+', Qt::SkipEmptyParts)) keys << key.trimmed();
  return ends_with_plus ? keys << QStringLiteral("+") : keys;
}

}  // namespace

KeyCaps::KeyCaps(const std::vector<QString>& shortcuts, QWidget* parent) : QWidget(parent) {
  for (const QString& shortcut : shortcuts) {
    if (!pieces_.empty()) pieces_.push_back({tr("or"), false});
    for (const QString& key : keysOf(shortcut)) pieces_.push_back({key, true});
  }
  QStringList spoken;
  for (const QString& shortcut : shortcuts) spoken << shortcut;
  setAccessibleName(spoken.join(tr(" or ")));
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

int KeyCaps::pieceWidth(const Piece& piece) const {
  const int text = fontMetrics().horizontalAdvance(piece.text);
  const int smallest = fontMetrics().height() + 4;  // A single letter is a square key.
  return piece.is_key ? std::max(text + 2 * kPadding, smallest) : text + 4;
}

QSize KeyCaps::sizeHint() const {
  int width = 0;
  for (const Piece& piece : pieces_) width += pieceWidth(piece) + kGap;
  return {std::max(0, width - kGap), fontMetrics().height() + 6};
}

void KeyCaps::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  const QColor window = palette().color(QPalette::Window);
  const QColor text = palette().color(QPalette::WindowText);
  double x = 0;
  for (const Piece& piece : pieces_) {
    const QRectF box(x, 0, pieceWidth(piece), height());
    if (piece.is_key) {
      const QRectF cap = box.adjusted(0.5, 0.5, -0.5, -1.5);
      painter.setPen(Qt::NoPen);
      painter.setBrush(blend(window, text, 0.35));
      painter.drawRoundedRect(cap.translated(0, 1), 4, 4);
      painter.setPen(QPen(blend(window, text, 0.35), 1));
      painter.setBrush(blend(window, text, 0.06));
      painter.drawRoundedRect(cap, 4, 4);
    }
    painter.setPen(piece.is_key ? text : palette().color(QPalette::PlaceholderText));
    painter.drawText(box.adjusted(0, 0, 0, -1), Qt::AlignCenter, piece.text);
    x += box.width() + kGap;
  }
}

namespace {

constexpr std::size_t kColumns = 2;

/// "&Open…" as "Open".
QString plainText(QString text) {
  text.replace(QStringLiteral("&&"), QStringLiteral("\x01"));
  text.remove(QLatin1Char('&')).replace(QLatin1Char('\x01'), QLatin1Char('&'));
  text = text.section('\t', 0, 0);
  while (text.endsWith(QStringLiteral("…")) || text.endsWith(QStringLiteral("..."))) {
    text.chop(text.endsWith(QStringLiteral("…")) ? 1 : 3);
  }
  return text;
}

void collect(const QMenu& menu, ShortcutGroup& group) {
  for (const QAction* action : menu.actions()) {
    if (action->menu() != nullptr) {
      collect(*action->menu(), group);
      continue;
    }
    ShortcutRow row{plainText(action->text()), {}};
    for (const QKeySequence& keys : action->shortcuts()) {
      const QString text = keys.toString(QKeySequence::NativeText);
      if (!text.isEmpty()) row.keys.push_back(text);
    }
    if (!row.keys.empty()) group.rows.push_back(std::move(row));
  }
}

QWidget* makeGroup(const ShortcutGroup& group, QWidget* parent) {
  auto* box = new QWidget(parent);
  auto* grid = new QGridLayout(box);
  grid->setContentsMargins(0, 0, 0, 12);
  grid->setHorizontalSpacing(24);
  grid->setVerticalSpacing(6);
  grid->setColumnStretch(0, 1);
  auto* title = new QLabel(group.title, box);
  QFont bold = title->font();
  bold.setBold(true);
  title->setFont(bold);
  grid->addWidget(title, 0, 0, 1, 2);
  for (const ShortcutRow& row : group.rows) {
    const int line = grid->rowCount();
    auto* what = new QLabel(row.what, box);
    what->setTextFormat(Qt::PlainText);
    grid->addWidget(what, line, 0);
    grid->addWidget(new KeyCaps(row.keys, box), line, 1, Qt::AlignRight | Qt::AlignVCenter);
  }
  return box;
}

/// Groups in order, each into the column that is shortest so far.
QLayout* makeColumns(const std::vector<ShortcutGroup>& groups, QWidget* parent) {
  auto* row = new QHBoxLayout;
  row->setSpacing(36);
  std::vector<QVBoxLayout*> columns;
  std::vector<std::size_t> heights(kColumns, 0);
  for (std::size_t column = 0; column < kColumns; ++column) {
    columns.push_back(new QVBoxLayout);
    row->addLayout(columns.back(), 1);
  }
  for (const ShortcutGroup& group : groups) {
    const auto shortest = std::min_element(heights.begin(), heights.end());
    const auto column = static_cast<std::size_t>(std::distance(heights.begin(), shortest));
    columns[column]->addWidget(makeGroup(group, parent));
    *shortest += group.rows.size() + 2;
  }
  for (QVBoxLayout* column : columns) column->addStretch(1);
  return row;
}

}  // namespace

std::vector<ShortcutGroup> collectShortcuts(const QMenuBar& menus) {
  std::vector<ShortcutGroup> groups;
  for (const QAction* action : menus.actions()) {
    if (action->menu() == nullptr) continue;
    ShortcutGroup group{plainText(action->text()), {}};
    collect(*action->menu(), group);
    if (!group.rows.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

ShortcutSheet::ShortcutSheet(const std::vector<ShortcutGroup>& menus,
                             const std::vector<ShortcutGroup>& more, QWidget* parent)
    : QDialog(parent) {
  setWindowTitle(tr("Keyboard shortcuts"));
  std::vector<ShortcutGroup> groups = menus;
  groups.insert(groups.end(), more.begin(), more.end());

  auto* sheet = new QWidget;
  auto* inner = new QVBoxLayout(sheet);
  inner->setContentsMargins(20, 16, 20, 4);
  inner->addLayout(makeColumns(groups, sheet));
  auto* scroll = new QScrollArea(this);
  scroll->setWidget(sheet);
  scroll->setWidgetResizable(true);
  scroll->setFrameStyle(QFrame::NoFrame);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
  buttons->setContentsMargins(12, 6, 12, 12);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);

  auto* column = tightLayout<QVBoxLayout>(this, 0);
  column->addWidget(scroll, 1);
  column->addWidget(buttons);
  const QSize wanted = sheet->sizeHint();
  const int room = screen()->availableGeometry().height() - 120;
  const int width = wanted.width() + scroll->verticalScrollBar()->sizeHint().width();
  scroll->setMinimumWidth(width);
  resize(width, std::min(wanted.height() + buttons->sizeHint().height(), room));
}

std::vector<ShortcutGroup> canvasKeys() {
  const auto tr = [](const char* text) { return QObject::tr(text); };
  return {{tr("On a canvas"),
           {{tr("Zoom about the pointer"), {tr("Wheel"), tr("Pinch")}},
            {tr("Move the picture"), {tr("Drag"), tr("Space + drag"), tr("Ctrl + arrows")}},
            {tr("Hold the group of a patch"), {tr("Click")}},
            {tr("Prompt box, prompt point, while prompts are drawn"), {tr("Drag"), tr("Click")}},
            {tr("Move the held patch"), {tr("Shift + arrows")}},
            {tr("Block before, next block"), {tr("Left"), tr("Right")}},
            {tr("First, last block"), {tr("Home"), tr("End")}}}},
          {tr("In a plot"),
           {{tr("Zoom"), {tr("Wheel")}},
            {tr("Zoom to a rectangle"), {tr("Shift + drag")}},
            {tr("Show all"), {tr("Double click")}},
            {tr("Walk through the values"), {tr("Arrows")}},
            {tr("Choose the block or the setting"), {tr("Return"), tr("Click")}}}}};
}

}  // namespace adamerge::ui
