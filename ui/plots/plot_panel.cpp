// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_panel.h"

#include <qcustomplot.h>

#include <QAction>
#include <QClipboard>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QStackedWidget>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

#include "look/icons.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

constexpr double kZoomStep = 1.25;
constexpr int kNoteMargin = 6;
/// In ms. The canvas comes first, and the choice and the result of one move are drawn together.
constexpr int kDrawnWithin = 40;
/// Panels at least this high, in lines of text, have room for a note of several lines.
constexpr int kRoomyLines = 20;

QLabel* mutedLabel(QWidget* parent) {
  auto* label = new QLabel(parent);
  label->setWordWrap(true);
  label->setForegroundRole(QPalette::PlaceholderText);
  return label;
}

}  // namespace

PlotPanel::PlotPanel(const QString& id, const QString& title, QWidget* parent)
    : QWidget(parent), id_(id), title_(title) {
  setObjectName(id);
  setAccessibleName(title);
  setFocusPolicy(Qt::StrongFocus);
  stack_ = new QStackedWidget(this);
  plot_ = new QCustomPlot(stack_);
  plot_->setFocusPolicy(Qt::NoFocus);
  plot_->setMinimumSize(160, 90);
  empty_ = mutedLabel(stack_);
  empty_->setObjectName(QStringLiteral("empty"));
  empty_->setAlignment(Qt::AlignCenter);
  empty_->setMargin(12);
  empty_->setAutoFillBackground(true);
  empty_->setBackgroundRole(QPalette::Base);
  stack_->addWidget(plot_);
  stack_->addWidget(empty_);
  note_ = mutedLabel(this);
  note_->setObjectName(QStringLiteral("note"));
  note_->setContentsMargins(kNoteMargin, 0, kNoteMargin, 2);
  note_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  note_->hide();
  controls_ = new QHBoxLayout;
  controls_->addStretch();
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(2, 2, 2, 2);
  column->setSpacing(2);
  column->addLayout(controls_);
  column->addWidget(stack_, 1);
  column->addWidget(note_);
  renderer_ = std::make_unique<PlotRenderer>(*plot_);
  hover_ = std::make_unique<PlotHover>(*plot_);
  pointer_ = std::make_unique<PlotPointer>(*plot_, *hover_);
  plot_->installEventFilter(this);
  makeActions();
  connectMouse();
}

PlotPanel::~PlotPanel() = default;

QSize PlotPanel::sizeHint() const {
  const int em = fontMetrics().height();
  return {em * 28, em * 15};
}

QSize PlotPanel::minimumSizeHint() const {
  const int em = fontMetrics().height();
  return {em * 13, em * 9};
}

void PlotPanel::addControl(const QString& label, QWidget* control) {
  const int place = controls_->count() - 1;
  controls_->setContentsMargins(6, 4, 6, 2);
  controls_->insertWidget(place, control);
  // Narrow docks squeeze texts rather than widen the window.
  if (qobject_cast<QComboBox*>(control) != nullptr) {
    control->setMinimumWidth(fontMetrics().height() * 4);
  }
  if (label.isEmpty()) return;
  auto* text = new QLabel(label, this);
  text->setBuddy(control);
  controls_->insertWidget(place, text);
}

void PlotPanel::makeActions() {
  const auto add = [this](const QString& text, const QList<QKeySequence>& keys, auto slot) {
    auto* action = new QAction(text, this);
    action->setShortcuts(keys);
    action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(action, &QAction::triggered, this, slot);
    addAction(action);
  };
  add(tr("&Fit all data"), {Qt::Key_Home, Qt::Key_0}, [this] { fit(); });
  add(tr("Zoom &in"), {Qt::Key_Plus, Qt::Key_Equal}, [this] { zoom(kZoomStep); });
  add(tr("Zoom &out"), {Qt::Key_Minus}, [this] { zoom(1 / kZoomStep); });
  add(tr("&Copy as image"), {QKeySequence::Copy}, [this] { copyImage(); });
  add(tr("Copy &data as table"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C)},
      [this] { copyData(); });
  add(tr("&Export…"), {}, [this] { emit exportRequested(); });
  add(tr("&Large, or back"), {Qt::Key_L}, [this] { emit enlargeRequested(); });
  // In a corner of the plot: tabs have no title bar for it.
  auto* enlarge = new QToolButton(plot_);
  enlarge->setObjectName(QStringLiteral("enlarge"));
  enlarge->setIcon(icon(QStringLiteral("undock")));
  enlarge->setIconSize({14, 14});
  enlarge->setAutoRaise(true);
  enlarge->setFocusPolicy(Qt::NoFocus);
  enlarge->setToolTip(tr("Large in a window of its own, or back (L)"));
  enlarge->setAccessibleName(tr("Large, or back"));
  connect(enlarge, &QToolButton::clicked, this, &PlotPanel::enlargeRequested);
  enlarge_ = enlarge;
}

void PlotPanel::connectMouse() {
  connect(pointer_.get(), &PlotPointer::pressed, this, [this] { setFocus(Qt::MouseFocusReason); });
  connect(pointer_.get(), &PlotPointer::zoomed, this, [this] { zoomed_ = true; });
  connect(pointer_.get(), &PlotPointer::fitWanted, this, &PlotPanel::fit);
  connect(pointer_.get(), &PlotPointer::menuWanted, this, &PlotPanel::showMenu);
  connect(pointer_.get(), &PlotPointer::chosen, this, &PlotPanel::pointChosen);
  connect(pointer_.get(), &PlotPointer::pointedAt, this, &PlotPanel::pointedAt);
  connect(plot_, &QCustomPlot::legendClick, this,
          [this](QCPLegend*, QCPAbstractLegendItem* item, QMouseEvent* event) {
            const QString series = item == nullptr ? QString() : renderer_->legend().seriesOf(item);
            if (series.isEmpty() || event->button() != Qt::LeftButton) return;
            setSeriesVisible(series, !isSeriesVisible(series));
          });
}

const PlotContent& PlotPanel::content() {
  catchUp();
  return content_;
}

void PlotPanel::whenSeen(std::function<void()> refresh) {
  refresh_ = std::move(refresh);
  drawLater();
}

void PlotPanel::catchUp() {
  if (refresh_) std::exchange(refresh_, nullptr)();
}

void PlotPanel::setContent(PlotContent content) {
  content_ = std::move(content);
  showNote();
  empty_->setText(content_.empty_text);
  stack_->setCurrentWidget(content_.isEmpty() ? static_cast<QWidget*>(empty_) : plot_);
  setAccessibleDescription(describePlot(content_));
  drawLater();
}

void PlotPanel::showNote() {
  const bool roomy = height() >= kRoomyLines * fontMetrics().height();
  const int room = width() - 2 * kNoteMargin - layout()->contentsMargins().left() -
                   layout()->contentsMargins().right();
  note_->setWordWrap(roomy);
  note_->setText(roomy ? content_.note
                       : fontMetrics().elidedText(content_.note, Qt::ElideRight, room));
  note_->setToolTip(roomy ? QString() : content_.note);
  note_->setVisible(!content_.note.isEmpty());
}

void PlotPanel::drawLater() {
  outdated_ = true;
  if (queued_ || !isSeen(*this)) return;
  queued_ = true;
  QTimer::singleShot(kDrawnWithin, this, [this] {
    queued_ = false;
    if (outdated_ && isSeen(*this)) draw();
  });
}

/// Of the legend: the button stands beside it.
int PlotPanel::plotRoom(int width) const { return width - enlarge_->sizeHint().width(); }

void PlotPanel::draw() {
  catchUp();
  outdated_ = false;
  const PlotTheme theme = screenTheme(palette(), font());
  renderer_->draw(content_, theme, hidden_);
  if (!zoomed_) renderer_->fit();
  renderer_->legend().arrange(plotRoom(plot_->width()));
  plot_->replot(QCustomPlot::rpQueuedRefresh);
  hover_->setContent(content_, theme, hidden_);
}

QCustomPlot& PlotPanel::plot() {
  if (outdated_) draw();
  return *plot_;
}

void PlotPanel::setSeriesVisible(const QString& id, bool visible) {
  if (visible == isSeriesVisible(id)) return;
  if (visible) {
    hidden_.remove(id);
  } else {
    hidden_.insert(id);
  }
  plot();
  renderer_->setHidden(hidden_);
  hover_->setContent(content_, screenTheme(palette(), font()), hidden_);
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

PlotSnapshot PlotPanel::snapshot() {
  const QCustomPlot& drawn = plot();
  return {content_, hidden_, renderer_->range(drawn.xAxis), renderer_->range(drawn.yAxis),
          renderer_->range(drawn.yAxis2)};
}

QString PlotPanel::readout() const { return hover_->text(); }

void PlotPanel::fit() {
  zoomed_ = false;
  plot();
  renderer_->fit();
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void PlotPanel::zoom(double factor) {
  zoomed_ = true;
  for (QCPAxis* axis : {plot().xAxis, plot_->yAxis, plot_->yAxis2}) {
    axis->scaleRange(1 / factor);
  }
  hover_->hide();
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void PlotPanel::copyImage() {
  plot();
  hover_->hide();
  QGuiApplication::clipboard()->setImage(plot_->toPixmap(0, 0, devicePixelRatioF()).toImage());
}

void PlotPanel::copyData() {
  QGuiApplication::clipboard()->setText(plotTable(content(), hidden_, '\t'));
}

void PlotPanel::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  showNote();
}

void PlotPanel::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  const QEvent::Type type = event->type();
  if (type == QEvent::PaletteChange || type == QEvent::FontChange || type == QEvent::StyleChange) {
    drawLater();
  }
}

void PlotPanel::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  if (outdated_) drawLater();
}

bool PlotPanel::eventFilter(QObject* watched, QEvent* event) {
  if (watched == plot_ && event->type() == QEvent::Resize) {
    const int width = static_cast<QResizeEvent*>(event)->size().width();
    enlarge_->move(width - enlarge_->sizeHint().width(), 0);
    renderer_->legend().arrange(plotRoom(width));
    hover_->hide();
  }
  return QWidget::eventFilter(watched, event);
}

void PlotPanel::showMenu(const QPoint& global) {
  auto* menu = new QMenu(this);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addActions(actions());
  QMenu* series = menu->addMenu(tr("&Series"));
  series->setEnabled(!content_.isEmpty());
  for (const PlotSeries& one : content_.series) {
    if (one.legend.isEmpty()) continue;
    QAction* entry = series->addAction(QString(one.legend).replace('&', QLatin1String("&&")));
    entry->setCheckable(true);
    entry->setChecked(isSeriesVisible(one.id));
    connect(entry, &QAction::toggled, this,
            [this, id = one.id](bool visible) { setSeriesVisible(id, visible); });
  }
  menu->popup(global);
}

void PlotPanel::contextMenuEvent(QContextMenuEvent* event) {
  if (event->reason() != QContextMenuEvent::Mouse) showMenu(event->globalPos());
}

void PlotPanel::keyPressEvent(QKeyEvent* event) {
  plot();
  switch (event->key()) {
    case Qt::Key_Left:
      return hover_->step(-1, 0);
    case Qt::Key_Right:
      return hover_->step(1, 0);
    case Qt::Key_Up:
      return hover_->step(0, -1);
    case Qt::Key_Down:
      return hover_->step(0, 1);
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (hover_->current()) return pointer_->choose(*hover_->current());
      break;
    case Qt::Key_Escape:
      if (hover_->current()) return hover_->hide();
      break;
    default:
      break;
  }
  QWidget::keyPressEvent(event);
}

void PlotPanel::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  keyboard_focus_ = event->reason() == Qt::TabFocusReason ||
                    event->reason() == Qt::BacktabFocusReason ||
                    event->reason() == Qt::ShortcutFocusReason;
  update();
}

void PlotPanel::focusOutEvent(QFocusEvent* event) {
  QWidget::focusOutEvent(event);
  keyboard_focus_ = false;
  hover_->hide();
  update();
}

void PlotPanel::paintEvent(QPaintEvent* event) {
  QWidget::paintEvent(event);
  // Its dock came out from behind another's tab.
  if (outdated_) drawLater();
  if (!keyboard_focus_) return;
  QPainter painter(this);
  painter.setPen(QPen(palette().color(QPalette::Highlight), 2));
  painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

}  // namespace adamerge::ui
