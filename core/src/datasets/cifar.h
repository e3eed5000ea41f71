// SPDX-License-Identifier: GPL-3.0-or-later
// CIFAR-10's binary version: records of one label byte and 32 x 32 pixels as three planes
// (https://www.cs.toronto.edu/~kriz/cifar.html).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "adamerge/image.h"

namespace adamerge::cifar {

/// The files `path` stands for: itself where it is a .bin file; of a folder test_batch.bin or, for
/// `training`, all data_batch_*.bin, whichever there is. Empty: not this format.
std::vector<std::filesystem::path> batchFiles(const std::filesystem::path& path, bool training,
                                              std::vector<std::string>& notes);

/// One label per record. Throws Error: unreadable, of another size than whole records, labels
/// beyond 9.
std::vector<int> readLabels(const std::filesystem::path& file);

Image readImage(const std::filesystem::path& file, std::uint32_t record);

/// From batches.meta.txt beside the batches; without it the names CIFAR-10 has.
std::vector<std::string> classNames(const std::filesystem::path& folder,
                                    std::vector<std::string>& notes);

}  // namespace adamerge::cifar
