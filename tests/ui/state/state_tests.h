// SPDX-License-Identifier: GPL-3.0-or-later
// The test classes of this program.
#pragma once

#include <QObject>
#include <memory>

namespace adamerge::ui::test {

std::unique_ptr<QObject> workerTest();
std::unique_ptr<QObject> loadersTest();
std::unique_ptr<QObject> workbenchTest();
std::unique_ptr<QObject> resourcesTest();
std::unique_ptr<QObject> flopsTest();
std::unique_ptr<QObject> sessionTest();

}  // namespace adamerge::ui::test
