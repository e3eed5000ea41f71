// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/tensor_names.h"

#include <fmt/format.h>

#include <utility>

#include "adamerge/error.h"

namespace adamerge {
namespace {

void dropUnused(StateDict& tensors, std::vector<std::string>& notes) {
  std::string dropped;
  for (auto item = tensors.begin(); item != tensors.end();) {
    const std::string& name = item->first;
    if (name == "mask_token" || name.starts_with("pooler.")) {
      dropped += fmt::format("{}{}", dropped.empty() ? "" : ", ", name);
      item = tensors.erase(item);
    } else {
      ++item;
    }
  }
  if (!dropped.empty()) notes.push_back(fmt::format("Not needed and ignored: {}.", dropped));
}

void rename(StateDict& tensors, const std::string& from, const std::string& to) {
  auto node = tensors.extract(from);
  if (node.empty()) return;
  node.key() = to;
  tensors.insert(std::move(node));
}

/// DINOv2's position embedding covers class token and patches, not the registers between them. timm
/// knows all or nothing, so the class token's share is added to it.
void foldClassPosition(StateDict& tensors, const std::string& file) {
  const auto position = tensors.find("pos_embed");
  const auto token = tensors.find("cls_token");
  if (position == tensors.end() || token == tensors.end()) return;
  const at::Tensor& rows = position->second;
  if (rows.dim() != 3 || token->second.dim() != 3 || rows.size(1) < 2 || rows.size(0) != 1 ||
      token->second.numel() != rows.size(2) || !rows.is_floating_point() ||
      token->second.scalar_type() != rows.scalar_type()) {
    throw Error(fmt::format("{}: shapes of cls_token and pos_embed do not fit each other", file));
  }
  token->second = token->second + rows.narrow(1, 0, 1);
  position->second = rows.narrow(1, 1, rows.size(1) - 1);
}

}  // namespace

StateDict withTimmNames(StateDict tensors, const std::string& file,
                        std::vector<std::string>& notes) {
  if (hasHuggingFaceNames(tensors)) tensors = renameHuggingFace(std::move(tensors), file);
  dropUnused(tensors, notes);
  if (tensors.contains("register_tokens")) {
    rename(tensors, "register_tokens", "reg_token");
    foldClassPosition(tensors, file);
  }
  // DeiT III's layer scale.
  for (int block = 0; tensors.contains(fmt::format("blocks.{}.gamma_1", block)); ++block) {
    const std::string base = fmt::format("blocks.{}.", block);
    rename(tensors, base + "gamma_1", base + "ls1.gamma");
    rename(tensors, base + "gamma_2", base + "ls2.gamma");
  }
  return tensors;
}

}  // namespace adamerge
