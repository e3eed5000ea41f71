// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/packed_plans.h"

#include <algorithm>

#include "kernels/padded/padding.h"
#include "merging/apply.h"
#include "merging/method.h"

namespace adamerge {
namespace {

/// LibTorch multiplies sparse matrices in every type on the CPU alone.
at::Tensor matrixFor(const at::Tensor& matrix, const at::Tensor& tokens) {
  const at::Tensor own = tokens.is_cpu() ? matrix : matrix.to_dense();
  return own.to(tokens.options().layout(own.layout()));
}

}  // namespace

at::Tensor applied(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                   const at::Tensor& tokens) {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int64_t> new_offsets{0};
  for (std::size_t i = 0; i < plans.size(); ++i) {
    offsets.push_back(offsets.back() + counts[i]);
    new_offsets.push_back(new_offsets.back() + remainingTokens(plans[i], counts[i]));
  }
  const at::Tensor merged = at::empty({new_offsets.back(), tokens.size(1)}, tokens.options());
  if (tokens.is_cpu()) {
    forEachImage(plans.size(), [&](std::size_t i) {
      applyToTokens(plans[i], tokens.narrow(0, offsets[i], counts[i]),
                    merged.narrow(0, new_offsets[i], new_offsets[i + 1] - new_offsets[i]));
    });
  } else {
    applyToAllTokens(plans, counts, tokens, merged);
  }
  return merged;
}

at::Tensor rowsBack(std::span<const MergePlan> plans, std::span<const std::int64_t> counts) {
  std::vector<std::int64_t> rows;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const bool changes = plans[i].changes();
    std::vector<int> positions;
    if (changes) positions = newPositions(plans[i], static_cast<std::size_t>(counts[i]));
    for (std::int64_t k = 0; k < counts[i]; ++k) {
      rows.push_back(offset + (changes ? std::max(positions[static_cast<std::size_t>(k)], 0) : k));
    }
    offset += remainingTokens(plans[i], counts[i]);
  }
  return at::tensor(rows, at::kLong);
}

at::Tensor entered(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                   const at::Tensor& tokens) {
  const bool matrices = std::any_of(plans.begin(), plans.end(), [](const MergePlan& plan) {
    return plan.restoration != nullptr;
  });
  if (!matrices) return applied(plans, counts, tokens);
  std::vector<at::Tensor> inside;
  const Restoration* sent = nullptr;  // images may share one
  at::Tensor merge;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const at::Tensor own = tokens.narrow(0, offset, counts[i]);
    offset += counts[i];
    if (plans[i].restoration == nullptr) {
      inside.push_back(applied(plans.subspan(i, 1), counts.subspan(i, 1), own));
      continue;
    }
    if (sent != plans[i].restoration.get()) {
      sent = plans[i].restoration.get();
      merge = matrixFor(sent->merge, own);
    }
    inside.push_back(merge.mm(own));
  }
  return at::cat(inside);
}

at::Tensor restored(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                    const at::Tensor& tokens, const at::Tensor& inside) {
  std::vector<at::Tensor> all;
  const Restoration* sent = nullptr;
  at::Tensor recover;
  at::Tensor rest;
  std::int64_t offset = 0;
  std::int64_t inner_offset = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const at::Tensor old = tokens.narrow(0, offset, counts[i]);
    const at::Tensor own = inside.narrow(0, inner_offset, remainingTokens(plans[i], counts[i]));
    offset += counts[i];
    inner_offset += own.size(0);
    // Matrices may change tokens though all of them are inside.
    if (const auto& restoration = plans[i].restoration; restoration != nullptr) {
      if (sent != restoration.get()) {
        sent = restoration.get();
        recover = matrixFor(sent->recover, own);
        rest = sent->rest.to(own.options()).unsqueeze(1);
      }
      all.push_back(recover.mm(own) + old * rest);
    } else if (!plans[i].changes()) {
      all.push_back(own);
    } else {
      at::Tensor rows = own.index_select(
          0, sentTo(own.device(), rowsBack(plans.subspan(i, 1), counts.subspan(i, 1))));
      for (const PlannedDrop& drop : plans[i].dropped) {
        rows.select(0, drop.position).copy_(old.select(0, drop.position));
      }
      all.push_back(rows);
    }
  }
  return at::cat(all);
}

}  // namespace adamerge
