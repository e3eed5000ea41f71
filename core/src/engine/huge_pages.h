// SPDX-License-Identifier: GPL-3.0-or-later
// Large tensors of the CPU in pages of 2 MiB.
#pragma once

namespace adamerge {

/// From here on LibTorch's large tensors on the CPU ask the system for huge pages, where it leaves
/// that to programs. One page fault then brings 512 times as much, and memory goes back as much
/// faster: a stop among 65,536 tokens waits for some GB of it. Call it before the first tensor;
/// returns true.
bool useHugePages();

}  // namespace adamerge
