// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/dock_title.h"

#include <QDockWidget>
#include <QHBoxLayout>
#include <QLabel>
#include <QMainWindow>
#include <QTimer>
#include <QToolButton>
#include <algorithm>

#include "controls/icons.h"

namespace adamerge::ui {
namespace {

constexpr int kIconSize = 14;

QToolButton* titleButton(const QString& icon_name, const QString& tip) {
  auto* button = new QToolButton;
  button->setIcon(icon(icon_name));
  button->setIconSize({kIconSize, kIconSize});
  button->setToolTip(tip);
  button->setAccessibleName(tip);
  button->setFocusPolicy(Qt::TabFocus);
  return button;
}

}  // namespace

DockTitle::DockTitle(QDockWidget& dock, QMainWindow& window)
    : QWidget(&dock), dock_(dock), window_(window), bar_(new QWidget) {
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  outer->addWidget(bar_);
  auto* row = new QHBoxLayout(bar_);
  row->setContentsMargins(12, 2, 4, 2);
  row->setSpacing(2);
  auto* undock = titleButton(QStringLiteral("undock"), tr("Out of the window, or back into it"));
  auto* close = titleButton(QStringLiteral("close"), tr("Close; View ▸ Panels opens it again"));
  row->addWidget(new QLabel(dock.windowTitle()), 1);
  row->addWidget(undock);
  row->addWidget(close);
  connect(undock, &QToolButton::clicked, this, [this] { dock_.setFloating(!dock_.isFloating()); });
  connect(close, &QToolButton::clicked, &dock_, &QDockWidget::close);
  dock.setTitleBarWidget(this);
  for (const QDockWidget* any : window.findChildren<QDockWidget*>()) {
    connect(any, &QDockWidget::dockLocationChanged, this, &DockTitle::refreshLater);
    connect(any, &QDockWidget::topLevelChanged, this, &DockTitle::refreshLater);
    connect(any, &QDockWidget::visibilityChanged, this, &DockTitle::refreshLater);
  }
  refreshLater();
}

void DockTitle::refreshLater() { QTimer::singleShot(0, this, &DockTitle::refresh); }

void DockTitle::refresh() {
  const QList<QDockWidget*> others = window_.tabifiedDockWidgets(&dock_);
  const bool tab = !dock_.isFloating() && std::any_of(others.begin(), others.end(), [](auto* dock) {
    return dock->toggleViewAction()->isChecked();
  });
  if (bar_->isHidden() == tab) return;
  bar_->setVisible(!tab);
  // The dock asks its title for its size only when told to.
  updateGeometry();
}

}  // namespace adamerge::ui
