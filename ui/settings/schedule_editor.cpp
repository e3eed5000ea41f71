// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings/schedule_editor.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QHelpEvent>
#include <QInputDialog>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QToolButton>
#include <QToolTip>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "look/paint.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

constexpr int kBarsHeight = 84;
constexpr int kEdge = 4;
constexpr double kGap = 2;
constexpr double kHeadroom = 1.25;
constexpr double kLeastTop = 16;
constexpr int kPage = 8;
constexpr int kEveryBlockUpTo = 16;
/// What the method chose by itself is paler than what somebody set.
constexpr int kPale = 110;

}  // namespace

ScheduleBars::ScheduleBars(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("schedule-bars"));
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setAccessibleName(tr("Counts per block"));
  setFont(smallFont());
}

QSize ScheduleBars::sizeHint() const { return {220, kBarsHeight}; }
QSize ScheduleBars::minimumSizeHint() const { return {120, kBarsHeight}; }

void ScheduleBars::setCounts(std::vector<std::int64_t> counts, int most, bool own) {
  counts_ = std::move(counts);
  most_ = most;
  own_ = own;
  block_ = std::clamp(block_, 0, std::max(0, static_cast<int>(counts_.size()) - 1));
  if (!dragging_) {
    const double highest =
        counts_.empty() ? 0
                        : static_cast<double>(*std::max_element(counts_.begin(), counts_.end()));
    top_ = std::max(1.0, std::min<double>(most_, std::max(kLeastTop, highest * kHeadroom)));
  }
  describe();
  update();
}

QString ScheduleBars::textOf(int block) const {
  return tr("Block %1: %2").arg(block + 1).arg(counts_[static_cast<std::size_t>(block)]);
}

void ScheduleBars::describe() {
  setAccessibleDescription(counts_.empty() ? QString() : textOf(block_));
}

QRectF ScheduleBars::area() const {
  const double line = fontMetrics().height();
  return QRectF(rect()).adjusted(kEdge, line + kEdge, -kEdge, -line - kEdge);
}

QRectF ScheduleBars::barRect(int block) const {
  const QRectF inside = area();
  const double width = inside.width() / static_cast<double>(counts_.size());
  const double share =
      std::min(1.0, static_cast<double>(counts_[static_cast<std::size_t>(block)]) / top_);
  const double height = share * inside.height();
  return {inside.left() + block * width + kGap / 2, inside.bottom() - height, width - kGap, height};
}

std::optional<int> ScheduleBars::blockAt(const QPointF& position) const {
  const QRectF inside = area();
  if (counts_.empty() || position.x() < inside.left() || position.x() >= inside.right()) return {};
  const double share = (position.x() - inside.left()) / inside.width();
  return static_cast<int>(share * static_cast<double>(counts_.size()));
}

void ScheduleBars::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  const QRectF inside = area();
  painter.setPen(mutedText(palette()));
  painter.drawLine(inside.bottomLeft(), inside.bottomRight());
  if (counts_.empty()) {
    painter.drawText(rect(), Qt::AlignCenter, tr("Open a model first."));
    return;
  }
  QColor fill = palette().color(QPalette::Highlight);
  if (!own_) fill.setAlpha(kPale);
  const int depth = static_cast<int>(counts_.size());
  const int step = depth <= kEveryBlockUpTo ? 1 : 4;
  for (int block = 0; block < depth; ++block) {
    const QRectF bar = barRect(block);
    painter.fillRect(bar, fill);
    const bool chosen = hasFocus() && block == block_;
    const QString count = QString::number(counts_[static_cast<std::size_t>(block)]);
    const double room = inside.width() / depth;
    const QRectF above(bar.center().x() - inside.width(), bar.top() - fontMetrics().height(),
                       2 * inside.width(), fontMetrics().height());
    painter.setPen(palette().color(QPalette::WindowText));
    if (chosen || fontMetrics().horizontalAdvance(count) <= room) {
      painter.drawText(above, Qt::AlignCenter, count);
    }
    if (chosen || (block + 1) % step == 0 || step == 1) {
      painter.setPen(chosen ? palette().color(QPalette::WindowText) : mutedText(palette()));
      painter.drawText(QRectF(above.left(), inside.bottom() + 1, above.width(), above.height()),
                       Qt::AlignCenter, QString::number(block + 1));
    }
  }
  if (hasFocus()) paintFocusRing(painter, rect(), palette());
}

void ScheduleBars::put(int block, std::int64_t count) {
  const std::int64_t fitting = std::clamp<std::int64_t>(count, 0, most_);
  if (counts_[static_cast<std::size_t>(block)] == fitting) return;
  std::vector<std::int64_t> counts = counts_;
  counts[static_cast<std::size_t>(block)] = fitting;
  setCounts(counts, most_, /*own=*/true);
  emit edited(counts);
}

void ScheduleBars::drag(const QPointF& position) {
  const QRectF inside = area();
  // Above the upper edge it goes on, as far as counts do.
  put(block_, std::llround((inside.bottom() - position.y()) / inside.height() * top_));
}

void ScheduleBars::mousePressEvent(QMouseEvent* event) {
  const std::optional<int> block = blockAt(event->position());
  if (event->button() != Qt::LeftButton || !block) return;
  block_ = *block;
  dragging_ = true;
  describe();
  drag(event->position());
  update();
}

void ScheduleBars::mouseMoveEvent(QMouseEvent* event) {
  if (dragging_) drag(event->position());
}

void ScheduleBars::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton || !std::exchange(dragging_, false)) return;
  setCounts(counts_, most_, own_);
  emit finished();
}

void ScheduleBars::keyPressEvent(QKeyEvent* event) {
  if (counts_.empty()) return;
  const int last = static_cast<int>(counts_.size()) - 1;
  const std::int64_t count = counts_[static_cast<std::size_t>(block_)];
  switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Right:
      block_ = std::clamp(block_ + (event->key() == Qt::Key_Left ? -1 : 1), 0, last);
      break;
    case Qt::Key_Home:
      block_ = 0;
      break;
    case Qt::Key_End:
      block_ = last;
      break;
    case Qt::Key_Up:
      put(block_, count + 1);
      break;
    case Qt::Key_Down:
      put(block_, count - 1);
      break;
    case Qt::Key_PageUp:
      put(block_, count + kPage);
      break;
    case Qt::Key_PageDown:
      put(block_, count - kPage);
      break;
    default:
      QWidget::keyPressEvent(event);
      return;
  }
  describe();
  update();
}

void ScheduleBars::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  update();
}

void ScheduleBars::focusOutEvent(QFocusEvent* event) {
  QWidget::focusOutEvent(event);
  update();
  emit finished();
}

bool ScheduleBars::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  if (const std::optional<int> block = blockAt(help->pos())) {
    QToolTip::showText(help->globalPos(), textOf(*block), this);
  }
  return true;
}

ScheduleEditor::ScheduleEditor(QWidget* parent)
    : QWidget(parent), bars_(new ScheduleBars), name_(new QLabel), save_(new QToolButton) {
  auto* open_button = new QToolButton;
  open_button->setText(tr("Open…"));
  open_button->setToolTip(tr("<p>A schedule saved here, or DiffRate's compression_rate.json</p>"));
  open_button->setAccessibleName(tr("Open a schedule"));
  save_->setText(tr("Save…"));
  save_->setToolTip(tr("<p>For --r-per-block of the command line, and for other models</p>"));
  save_->setAccessibleName(tr("Save the schedule"));
  name_->setObjectName(QStringLiteral("schedule-name"));
  makeCaption(*name_);
  name_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);

  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(4);
  buttons->addWidget(name_, 1);
  buttons->addWidget(open_button);
  buttons->addWidget(save_);
  auto* layout = tightLayout<QVBoxLayout>(this, 4);
  layout->addWidget(bars_);
  layout->addLayout(buttons);

  const QString filter = tr("Schedules (*.json);;All files (*)");
  connect(open_button, &QToolButton::clicked, this, [this, filter] {
    const QString path = QFileDialog::getOpenFileName(this, tr("Open a schedule"), {}, filter);
    if (!path.isEmpty()) open(path);
  });
  connect(save_, &QToolButton::clicked, this, [this, filter] {
    QString path = QFileDialog::getSaveFileName(this, tr("Save the schedule"),
                                                QStringLiteral("schedule.json"), filter);
    if (!path.isEmpty()) save(path);
  });
  connect(bars_, &ScheduleBars::edited, this,
          [this](const std::vector<std::int64_t>& counts) { emit edited(counts); });
  connect(bars_, &ScheduleBars::finished, this, &ScheduleEditor::finished);
}

void ScheduleEditor::setCounts(const std::vector<std::int64_t>& counts, int most, bool own) {
  std::vector<std::int64_t> known = named_ ? named_->counts : std::vector<std::int64_t>();
  known.resize(counts.size(), 0);
  if (!own || known != counts) named_.reset();
  bars_->setCounts(counts, most, own);
  save_->setEnabled(!counts.empty());
  name_->setText(named_ ? QString::fromStdString(named_->name)
                 : own  ? tr("own counts")
                        : tr("as the method merges"));
  name_->setToolTip(named_ ? name_->text() : QString());
}

std::optional<Schedule> ScheduleEditor::chosen(const std::vector<Schedule>& schedules,
                                               const QString& name) {
  QString wanted = name;
  if (wanted.isEmpty() && schedules.size() == 1) return schedules.front();
  if (wanted.isEmpty()) {
    QStringList names;
    for (const Schedule& schedule : schedules) names << QString::fromStdString(schedule.name);
    bool taken = false;
    wanted = QInputDialog::getItem(this, tr("Open a schedule"), tr("Schedule"), names, 0,
                                   /*editable=*/false, &taken);
    if (!taken) return std::nullopt;
  }
  for (const Schedule& schedule : schedules) {
    if (schedule.name == wanted.toStdString()) return schedule;
  }
  return std::nullopt;
}

void ScheduleEditor::take(const Schedule& schedule) {
  named_ = schedule;
  // What the method merged by itself becomes a schedule of one's own.
  emit edited(schedule.counts);
  emit finished();
  name_->setText(QString::fromStdString(schedule.name));
}

void ScheduleEditor::open(const QString& path, const QString& name) {
  jobs_.run(
      "open", Urgency::kInteractive,
      [this, path, name, subject = subject_](const std::stop_token& /*stop*/,
                                             const Jobs::Tell& tell) {
        tell([this, name, subject, schedules = readSchedules(path.toStdString())] {
          if (subject != subject_) return;
          const std::optional<Schedule> schedule = chosen(schedules, name);
          if (!schedule) return;
          take(*schedule);
          emit opened(*schedule);
        });
      },
      [this](const QString& message) { emit failed(message); });
}

void ScheduleEditor::save(const QString& path) {
  const Schedule schedule{QFileInfo(path).completeBaseName().toStdString(), bars_->counts(),
                          named_ ? named_->tokens : 0};
  jobs_.run(
      "save " + path.toStdString(), Urgency::kInteractive,
      [this, path, schedule, subject = subject_](const std::stop_token& /*stop*/,
                                                 const Jobs::Tell& tell) {
        writeSchedule(schedule, path.toStdString());
        tell([this, schedule, subject] {
          // What was dragged meanwhile stays.
          if (subject == subject_ && bars_->counts() == schedule.counts) take(schedule);
        });
      },
      [this](const QString& message) { emit failed(message); });
}

}  // namespace adamerge::ui
