// SPDX-License-Identifier: GPL-3.0-or-later
// A real result to test widgets with: a bundled sample under the bundled model, computed in place.
#pragma once

#include <filesystem>
#include <memory>

#include "adamerge/engine.h"
#include "bench/data.h"

namespace adamerge::ui::test {

/// Loaded once per program.
std::shared_ptr<Engine> bundledEngine();
LoadedModelPtr bundledModel();
/// resources/samples/<name>.png
std::filesystem::path samplePath(const std::string& name);
PicturePtr samplePicture(const std::string& name = "bird");
InspectionPtr inspectSample(
    const MethodChoice& choice = {"adamerge", {{"r_max", std::int64_t{16}}}, nullptr, false},
    const std::string& sample = "bird");

}  // namespace adamerge::ui::test
