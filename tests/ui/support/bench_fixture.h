// SPDX-License-Identifier: GPL-3.0-or-later
// A workbench with the bundled model and a sample picture, and ways to wait for it.
#pragma once

#include <QtTest>
#include <functional>

#include "bench/workbench.h"
#include "sample_inspection.h"

namespace adamerge::ui::test {

/// Turns the event loop until `condition` holds or 30 s have passed.
bool waitUntil(const std::function<bool()>& condition);

std::filesystem::path bundledModelPath();
/// Loads the bundled model in float32, as directRun() does, and a sample; no sweeps unless
/// `sweeps`.
bool start(Workbench& bench, bool sweeps = false, const std::string& sample = "bird");

MethodChoice choiceOf(const std::string& method, Settings settings = {});
/// Engine::run on a sample with the bundled model.
ImageResult directRun(const MethodChoice& choice, const std::string& sample = "bird",
                      const std::string& dtype = "float32");
/// Logits, FLOPs, groups, salience and merges of every block are the same to the last bit.
bool sameResult(const ImageResult& a, const ImageResult& b);

}  // namespace adamerge::ui::test
