// SPDX-License-Identifier: GPL-3.0-or-later
#include "hub_model.h"

#include <fmt/format.h>

namespace adamerge::cli {
namespace {

std::filesystem::path fetch(const hub::ModelName& name, const hub::Settings& settings,
                            Terminal& terminal, const std::stop_token& stop) {
  const hub::Plan plan = hub::plan(name, settings, stop);
  if (plan.missing > 0) {
    terminal.note(fmt::format("fetching {} ({:.1f} MB) from {} into {}", name.text(),
                              static_cast<double>(plan.missing) / 1e6, settings.endpoint,
                              settings.cache.string()));
  }
  return hub::fetch(plan, settings, terminal.callback(), stop);
}

}  // namespace

std::filesystem::path obtainModel(const hub::ModelName& name, Terminal& terminal,
                                  const std::stop_token& stop) {
  const hub::Settings settings = hub::settingsFromEnvironment();
  const hub::Cached cached = hub::findInCache(name, settings);
  return cached.missing.empty() ? cached.folder : fetch(name, settings, terminal, stop);
}

std::filesystem::path refreshModel(const hub::ModelName& name, Terminal& terminal,
                                   const std::stop_token& stop) {
  return fetch(name, hub::settingsFromEnvironment(), terminal, stop);
}

}  // namespace adamerge::cli
