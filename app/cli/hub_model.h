// SPDX-License-Identifier: GPL-3.0-or-later
// Models of the hub by name, with a bar at the terminal.
#pragma once

#include <filesystem>
#include <stop_token>

#include "adamerge/hub.h"
#include "terminal.h"

namespace adamerge::cli {

/// The model's folder in the cache. What the cache lacks is fetched, and said.
std::filesystem::path obtainModel(const hub::ModelName& name, Terminal& terminal,
                                  const std::stop_token& stop);

/// Asks the hub even where the cache has the model: a branch may have moved on, a file be damaged.
std::filesystem::path refreshModel(const hub::ModelName& name, Terminal& terminal,
                                   const std::stop_token& stop);

}  // namespace adamerge::cli
