// SPDX-License-Identifier: GPL-3.0-or-later
// The test classes of this program, run one after the other.
#pragma once

#include <QObject>
#include <memory>

namespace adamerge::ui::test {

std::unique_ptr<QObject> makeLookTest();
std::unique_ptr<QObject> makeLabelsTest();
std::unique_ptr<QObject> makeOverlayFormTest();
std::unique_ptr<QObject> makeMethodFormTest();
std::unique_ptr<QObject> makeSettingEditTest();
std::unique_ptr<QObject> makeCompressionTest();
std::unique_ptr<QObject> makeCalibrationDialogTest();

}  // namespace adamerge::ui::test
