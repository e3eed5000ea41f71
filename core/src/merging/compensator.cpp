// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/compensator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "adamerge/error.h"
#include "kernels/parallel.h"
#include "weights/state_dict.h"

namespace adamerge {

Compensator::Compensator(const std::filesystem::path& path, const VitConfig& vit) {
  const LoadedWeights file = readWeights(path);
  const auto fail = [&](const std::string& problem) {
    throw Error(fmt::format("{}: not usable as a token compensator: {}", file.file, problem));
  };
  const auto take = [&](const std::string& name, int axis, std::int64_t& rank) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end()) fail(name + " is missing");
    const at::Tensor& tensor = found->second;
    const std::int64_t dim = vit.dim;
    if (tensor.dim() != 2 || tensor.size(1 - axis) != dim || tensor.size(axis) % kDegrees != 0 ||
        tensor.size(axis) == 0) {
      fail(fmt::format(
          "{} has the shape [{}]; for this model, {} wide, it must be [{}], the rank a "
          "multiple of {}",
          name, fmt::join(tensor.sizes(), ", "), dim,
          axis == 0 ? fmt::format("rank, {}", dim) : fmt::format("{}, rank", dim), kDegrees));
    }
    if (rank != 0 && tensor.size(axis) != rank) {
      fail(fmt::format("{} has the rank {}, others have {}", name, tensor.size(axis), rank));
    }
    rank = tensor.size(axis);
    const at::Tensor values = tensor.to(at::kDouble);
    if (!values.isfinite().all().item<bool>()) fail(name + " holds values that are not finite");
    return values;
  };
  const bool any = std::any_of(file.tensors.begin(), file.tensors.end(), [](const auto& entry) {
    return entry.first.find("_tocom.") != std::string::npos;
  });
  if (!any) fail("it has no blocks.N.attn.q_tocom.adapter_down.weight");
  std::int64_t rank = 0;
  for (int block = 0; block < vit.depth; ++block) {
    const auto map = [&](const char* part) {
      const std::string stem = fmt::format("blocks.{}.attn.{}_tocom.adapter_", block, part);
      return Map{take(stem + "down.weight", 0, rank), take(stem + "up.weight", 1, rank)};
    };
    blocks_.push_back({map("q"), map("v")});
  }
  for (const auto& [name, tensor] : file.tensors) {
    int block = 0;
    const bool numbered = std::sscanf(name.c_str(), "blocks.%9d.", &block) == 1;
    if (numbered && block >= vit.depth && name.find("_tocom.") != std::string::npos) {
      fail(fmt::format("it has {}, and this model only {} blocks", name, vit.depth));
    }
  }
}

std::vector<at::Tensor> Compensator::changes(int source, int target, double scale) const {
  std::vector<at::Tensor> changes;
  if (source == target) return changes;
  // Degree r has ones in the last r of 16 parts, so between two degrees lies one stretch of them.
  const std::int64_t rank = blocks_.front().q.down.size(0);
  const std::int64_t part = rank / kDegrees;
  const int low = std::min(source, target);
  const int high = std::max(source, target);
  const double sign = target > source ? 1.0 : -1.0;
  const auto change = [&](const Map& map) {
    const std::int64_t first = rank - part * high;
    const std::int64_t count = part * (high - low);
    return map.up.narrow(1, first, count).mm(map.down.narrow(0, first, count)) * (sign * scale);
  };
  for (const Block& block : blocks_) {
    throwIfStopWithin();
    const at::Tensor q = change(block.q);
    changes.push_back(at::cat({q, at::zeros_like(q), change(block.v)}));
  }
  return changes;
}

}  // namespace adamerge
