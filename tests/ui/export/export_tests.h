// SPDX-License-Identifier: GPL-3.0-or-later
// The test classes of this program, run one after the other.
#pragma once

#include <QObject>
#include <memory>

namespace adamerge::ui::test {

std::unique_ptr<QObject> makeBatchDialogTest();
std::unique_ptr<QObject> makeBatchJobTest();
std::unique_ptr<QObject> makeBatchPlanTest();
std::unique_ptr<QObject> makeEmbeddedSettingsTest();
std::unique_ptr<QObject> makeExportDialogTest();
std::unique_ptr<QObject> makeExportPlanTest();
std::unique_ptr<QObject> makeExportSourcesTest();

}  // namespace adamerge::ui::test
