// SPDX-License-Identifier: GPL-3.0-or-later
// One function a method; registry.cpp lists them.
#pragma once

#include "merging/method.h"

namespace adamerge {

MethodEntry noneEntry();
MethodEntry adaMergeEntry();
MethodEntry adaMergePlusEntry();
MethodEntry toMeEntry();
MethodEntry piToMeEntry();
MethodEntry toFuEntry();
MethodEntry dsmEntry();
MethodEntry atcEntry();
MethodEntry pptEntry();
MethodEntry pruneSidEntry();
MethodEntry cubistMergeEntry();
MethodEntry structSamEntry();
MethodEntry pruneMergeEntry();
MethodEntry focusEntry();

}  // namespace adamerge
