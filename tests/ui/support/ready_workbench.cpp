// SPDX-License-Identifier: GPL-3.0-or-later
#include "ready_workbench.h"

#include <QtTest>

#include "patience.h"
#include "sample_inspection.h"

namespace adamerge::ui::test {

bool settle(Workbench& workbench) {
  return QTest::qWaitFor(
      [&] {
        const Pane& pane = workbench.activePane();
        return pane.inspection() != nullptr && !pane.busy() &&
               pane.inspection()->choice.method == pane.choice().method &&
               pane.inspection()->choice.settings == pane.choice().settings;
      },
      kPatience);
}

bool loadModel(Workbench& workbench) {
  workbench.models().load(std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10",
                          {.dtype = "float32"});
  return QTest::qWaitFor([&] { return workbench.model() != nullptr; }, kPatience);
}

bool makeReady(Workbench& workbench, const std::string& sample) {
  if (!loadModel(workbench)) return false;
  workbench.showPicture(samplePicture(sample));
  return settle(workbench);
}

}  // namespace adamerge::ui::test
