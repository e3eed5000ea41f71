// SPDX-License-Identifier: GPL-3.0-or-later
// The real window on the bundled model and a sample, with settings of its own.
#pragma once

#include <QObject>
#include <QSettings>
#include <QTemporaryDir>
#include <memory>
#include <optional>

#include "bench/workbench.h"
#include "window/main_window.h"
#include "window/start.h"

namespace adamerge::ui::test {

class WindowFixture {
 public:
  /// Opened on resources/samples/bird.png, or on `options.open`. No sweeps, which run the model at
  /// every value of the slider, until the test enables them.
  explicit WindowFixture(StartOptions options = {}, const QString& settings_file = {});
  ~WindowFixture();

  MainWindow& window() { return *window_; }
  Workbench& workbench() { return *workbench_; }
  Pane& pane(int index = 0) { return workbench_->pane(index); }
  const QTemporaryDir& folder() const { return folder_; }
  QString settingsFile() const { return settings_file_; }

  /// Until every pane shows the result of its present choice; false after 20 s.
  bool settle();
  /// Back to one canvas of AdaMerge, r_max 28, the picture fitted, no overlay's settings changed
  /// and no patch pointed at or chosen; then as settle().
  bool startAgain();
  /// A drop on the window's middle, as from a file manager.
  void drop(const QMimeData& data);
  void dropPath(const QString& path);
  QString message();
  /// The widget of that name in the window. Fails the test where there is none.
  template <typename Widget>
  Widget& find(const QString& name) {
    auto* found = window_->findChild<Widget*>(name);
    if (found == nullptr) qFatal("no widget is called %s", qPrintable(name));
    return *found;
  }

 private:
  QTemporaryDir folder_;
  QString settings_file_;
  std::unique_ptr<QSettings> settings_;
  std::unique_ptr<Workbench> workbench_;
  std::unique_ptr<MainWindow> window_;
};

/// Without a session; AdaMerge, r_max 28. `block`: the one shown, from 1 on.
StartOptions freshAdaMerge(std::optional<int> block = {});
QString sample(const QString& name);  ///< path of resources/samples/<name>.png

}  // namespace adamerge::ui::test
