// SPDX-License-Identifier: GPL-3.0-or-later
// Memory that the blocks of one forward pass hand on to each other.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace adamerge {

/// While it lives, emptyResult() gives the calling thread memory that its earlier results no longer
/// need. Large pieces that each block asks of the system anew cost a page fault for every 4 KiB: at
/// 1,024 pixels a tenth of the pass.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  /// Memory of at least so many bytes that nobody uses, in a tensor that shares it.
  at::Tensor take(std::int64_t bytes);

 private:
  std::vector<at::Tensor> pieces_;
  Workspace* before_;
};

/// at::empty(), of the workspace's memory where there is one and it is worth it: on the CPU, for
/// large results.
at::Tensor emptyResult(at::IntArrayRef sizes, const at::TensorOptions& options);

}  // namespace adamerge
