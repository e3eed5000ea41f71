// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <stop_token>

#include "adamerge/dataset.h"
#include "adamerge/engine.h"
#include "terminal.h"

namespace adamerge::cli {

/// Unlabelled images for `engine`: an image, a folder of images at any depth, or CIFAR-10's binary
/// files (of both batches the training one); at most `limit` of them (0: all), drawn at random by
/// `seed`. Those that cannot be read, or only in part, are named on `terminal`, which must outlive
/// the result. Throws Error, Cancelled.
ImageSource openImages(const std::filesystem::path& path, std::size_t limit, unsigned seed,
                       const Engine& engine, Terminal& terminal, const std::stop_token& stop);

}  // namespace adamerge::cli
