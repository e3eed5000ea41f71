// SPDX-License-Identifier: GPL-3.0-or-later
// Which methods and settings canvases have: at first, under another model, within what it takes.
#pragma once

#include <set>
#include <string>

#include "adamerge/methods.h"
#include "bench/data.h"

namespace adamerge::ui {

/// What canvas `index` shows when it first appears, as far as no other (`shown`) shows it. `model`:
/// nullptr where none is loaded, here and below.
MethodChoice firstChoice(int index, const std::set<std::string>& shown, const LoadedModel* model);

/// What the model takes: counts within its tokens, no statistics of another model.
MethodChoice fitted(const MethodChoice& choice, const LoadedModel* model);

/// Without what was only a default of the model before, so that the next one's own may take its
/// place.
MethodChoice withoutDefaults(MethodChoice choice, const LoadedModel* before);

}  // namespace adamerge::ui
