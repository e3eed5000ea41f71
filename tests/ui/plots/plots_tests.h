// SPDX-License-Identifier: GPL-3.0-or-later
// The test objects of plots_test.
#pragma once

#include <QObject>
#include <memory>

namespace adamerge::ui::test {

std::unique_ptr<QObject> makeContentTest();
std::unique_ptr<QObject> makeSweepTest();
std::unique_ptr<QObject> makeAccuracyTest();
std::unique_ptr<QObject> makePanelTest();
std::unique_ptr<QObject> makeZoomTest();
std::unique_ptr<QObject> makePlotExportTest();
std::unique_ptr<QObject> makePlotBindingsTest();

}  // namespace adamerge::ui::test
