// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "adamerge/figures.h"
#include "lenses/parts.h"

namespace adamerge {
namespace {

/// The unmerged run's map, the classes of both and how far they agree.
void addClasses(LensPictures& pictures, const Recording& run, const Recording& unmerged) {
  LensQuery query;
  query.kind = LensKind::kClasses;
  pictures.unmerged = lensMap(unmerged, &unmerged, 0, query);
  pictures.classes = classEntries(run, unmerged);
  const MapAgreement agreement = compareMaps(*unmerged.classes(), *run.classes());
  pictures.subject = fmt::format("{:.1f} % of patches as unmerged, mIoU {:.3f}",
                                 100 * agreement.patch_agreement, agreement.patch_miou);
}

}  // namespace

void addLensBlock(LensPictures& pictures, const Recording& run, const Recording* other, int block,
                  const LensQuery& query, const std::stop_token& stop) {
  requireLens(run, query);
  pictures.subject = describe(query, run.gridWidth(), run.hasClassToken());
  pictures.blocks.resize(static_cast<std::size_t>(run.blocks()));
  LensMap& map = pictures.blocks[static_cast<std::size_t>(block)];
  if (query.kind == LensKind::kAttention) {
    pictures.heads.clear();
    if (attendsInWindows(run)) {
      WindowLooks looks = windowLooks(run, block, query.token.index, query.looked_at, stop);
      map = mapOf(looks, query.head);
      for (int head = 0; head < run.heads(); ++head) pictures.heads.push_back(mapOf(looks, head));
      pictures.entropy = std::move(looks.entropy);
    } else {
      const AttentionMaps maps = run.attention(block, stop);
      map = attentionMap(maps, query);
      LensQuery one = query;
      for (one.head = 0; one.head < maps.heads; ++one.head) {
        pictures.heads.push_back(attentionMap(maps, one));
      }
      pictures.entropy = entropy(maps);
    }
    pictures.heads_block = block;
    pictures.heads_subject =
        describe(query, run.gridWidth(), run.hasClassToken(), /*every_head=*/true);
  } else if (isOfAllBlocks(query.kind)) {
    const LensMap all = lensMap(run, other, block, query, stop);
    std::fill(pictures.blocks.begin(), pictures.blocks.end(), all);
    if (query.kind == LensKind::kClasses) addClasses(pictures, run, *other);
  } else {
    map = lensMap(run, other, block, query, stop);
  }
}

std::shared_ptr<const LensPictures> lensPictures(const Recording& run, const Recording* other,
                                                 int block, const LensQuery& query,
                                                 const std::stop_token& stop) {
  auto pictures = std::make_shared<LensPictures>();
  const bool all = block < 0 && !isOfAllBlocks(query.kind);
  for (int index = all ? 0 : std::max(block, 0); index < run.blocks(); ++index) {
    addLensBlock(*pictures, run, other, index, query, stop);
    if (!all) break;
  }
  return pictures;
}

std::shared_ptr<const LensPictures> recordedAttention(const ImageResult& result) {
  auto pictures = std::make_shared<LensPictures>();
  pictures->subject = "where the class token looks, as in the trace";
  bool any = false;
  for (const LayerTrace& layer : result.layers) {
    pictures->blocks.emplace_back().values = layer.attention;
    any = any || !layer.attention.empty();
  }
  return any ? pictures : nullptr;
}

}  // namespace adamerge
