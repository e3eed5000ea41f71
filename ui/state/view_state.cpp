// SPDX-License-Identifier: GPL-3.0-or-later
#include "state/view_state.h"

#include <algorithm>

namespace adamerge::ui {

void ViewState::setOverlay(const OverlayStyle& overlay) {
  if (overlay == overlay_) return;
  overlay_ = overlay;
  emit overlayChanged();
}

void ViewState::setBlock(int block) {
  const int bounded = std::clamp(block, 0, std::max(0, depth_ - 1));
  if (bounded == block_) return;
  block_ = bounded;
  emit blockChanged(block_);
}

void ViewState::setDepth(int depth) {
  if (depth == depth_) return;
  depth_ = depth;
  emit depthChanged(depth_);
  setBlock(block_);
}

void ViewState::select(std::optional<int> patch) {
  if (patch == selected_) return;
  selected_ = patch;
  emit selectionChanged();
}

void ViewState::hover(std::optional<int> patch) {
  if (patch == hovered_) return;
  hovered_ = patch;
  emit hoverChanged();
}

}  // namespace adamerge::ui
