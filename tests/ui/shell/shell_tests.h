// SPDX-License-Identifier: GPL-3.0-or-later
// The test classes of this program, run one after the other.
#pragma once

#include <QObject>
#include <memory>

namespace adamerge::ui::test {

std::unique_ptr<QObject> makeAboutTest();
std::unique_ptr<QObject> makeDroppedContentTest();
std::unique_ptr<QObject> makeMessageBarTest();
std::unique_ptr<QObject> makeRecentListTest();
std::unique_ptr<QObject> makeShortcutSheetTest();
std::unique_ptr<QObject> makeStatusStripTest();
std::unique_ptr<QObject> makeThumbnailListTest();
std::unique_ptr<QObject> makeVideoTest();

}  // namespace adamerge::ui::test
