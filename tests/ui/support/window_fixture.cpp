// SPDX-License-Identifier: GPL-3.0-or-later
#include "window_fixture.h"

#include <QApplication>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QMimeData>
#include <QUrl>
#include <QtTest>

#include "patience.h"
#include "window/stage.h"

namespace adamerge::ui::test {

namespace {

const MethodChoice kAdaMerge{"adamerge", {{"r_max", std::int64_t{28}}}, nullptr, false};

}  // namespace

StartOptions freshAdaMerge(std::optional<int> block) {
  StartOptions options;
  options.block = block;
  options.fresh = true;
  options.choice = kAdaMerge;
  return options;
}

QString sample(const QString& name) {
  return QStringLiteral(ADAMERGE_SAMPLES "/") + name + QStringLiteral(".png");
}

WindowFixture::WindowFixture(StartOptions options, const QString& settings_file)
    : settings_file_(settings_file.isEmpty() ? folder_.filePath("settings.ini") : settings_file),
      settings_(std::make_unique<QSettings>(settings_file_, QSettings::IniFormat)),
      workbench_(std::make_unique<Workbench>()),
      window_(std::make_unique<MainWindow>(*workbench_, *settings_)) {
  options.model = ADAMERGE_MODELS "/vit-tiny-cifar10";
  options.sample = sample("bird").toStdString();
  workbench_->sweeper().setEnabled(false);
  applyStartOptions(options, *workbench_, *window_);
  window_->show();
}

WindowFixture::~WindowFixture() {
  window_.reset();
  workbench_.reset();
  settings_.reset();
}

bool WindowFixture::settle() {
  return QTest::qWaitFor([this] { return workbench_->settled(); }, kPatience);
}

bool WindowFixture::startAgain() {
  workbench_->setPaneCount(1);
  workbench_->view().setOverlay({});
  workbench_->view().select(std::nullopt);
  workbench_->view().hover(std::nullopt);
  window_->stage().grid().viewPort().fit();
  workbench_->restoreChoice(0, kAdaMerge);
  return settle();
}

void WindowFixture::drop(const QMimeData& data) {
  const QPoint middle = window_->rect().center();
  QDragEnterEvent enter(middle, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(window_.get(), &enter);
  if (!enter.isAccepted()) qFatal("the window refuses what is dragged over it");
  QDropEvent event(middle, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(window_.get(), &event);
}

void WindowFixture::dropPath(const QString& path) {
  QMimeData data;
  data.setUrls({QUrl::fromLocalFile(path)});
  drop(data);
}

QString WindowFixture::message() { return window_->stage().messages().text(); }

}  // namespace adamerge::ui::test
