// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/workspace.h"

#include <algorithm>
#include <utility>

namespace adamerge {
namespace {

/// Below it malloc gives the same memory again without page faults.
constexpr std::int64_t kSmall = 1 << 24;

thread_local Workspace* workspace_of_caller = nullptr;

bool isUnused(const at::Tensor& piece) { return piece.storage().use_count() == 1; }

}  // namespace

Workspace::Workspace() : before_(std::exchange(workspace_of_caller, this)) {}

Workspace::~Workspace() { workspace_of_caller = before_; }

at::Tensor Workspace::take(std::int64_t bytes) {
  const at::Tensor* best = nullptr;
  for (const at::Tensor& piece : pieces_) {
    if (!isUnused(piece) || piece.numel() < bytes) continue;
    if (best == nullptr || piece.numel() < best->numel()) best = &piece;
  }
  if (best != nullptr) return *best;
  // A larger one takes the place of those that are too small.
  pieces_.erase(std::remove_if(pieces_.begin(), pieces_.end(), isUnused), pieces_.end());
  pieces_.push_back(at::empty({bytes}, at::kByte));
  return pieces_.back();
}

at::Tensor emptyResult(at::IntArrayRef sizes, const at::TensorOptions& options) {
  auto bytes = static_cast<std::int64_t>(options.dtype().itemsize());
  for (const std::int64_t size : sizes) bytes *= size;
  if (workspace_of_caller == nullptr || !options.device().is_cpu() || bytes < kSmall) {
    return at::empty(sizes, options);
  }
  std::vector<std::int64_t> strides(sizes.size(), 1);
  for (std::size_t i = sizes.size(); i-- > 1;) strides[i - 1] = strides[i] * sizes[i];
  return at::empty({0}, options)
      .set_(workspace_of_caller->take(bytes).storage(), 0, sizes, strides);
}

}  // namespace adamerge
