// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/resources.h"

#include <QtGlobal>
#include <mutex>

// Q_INIT_RESOURCE declares a function, which has to be outside of any namespace.
static void registerControls() { Q_INIT_RESOURCE(controls); }

namespace adamerge::ui {

void loadResources() {
  static std::once_flag once;
  std::call_once(once, registerControls);
}

}  // namespace adamerge::ui
