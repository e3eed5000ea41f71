// SPDX-License-Identifier: GPL-3.0-or-later
// The test classes of this program, run one after the other.
#pragma once

#include <QObject>
#include <memory>

namespace adamerge::ui::test {

std::unique_ptr<QObject> makeCompareTest();
std::unique_ptr<QObject> makeEvaluationTest();
std::unique_ptr<QObject> makeInspectTest();
std::unique_ptr<QObject> makeOpeningTest();
std::unique_ptr<QObject> makeSessionTest();

}  // namespace adamerge::ui::test
