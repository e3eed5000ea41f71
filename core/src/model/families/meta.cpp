// SPDX-License-Identifier: GPL-3.0-or-later
// The files that Meta and FAIR publish, one each and no config: DINOv2, DINOv3, MAE.
#include <fmt/format.h>

#include <array>
#include <set>

#include "model/family.h"

namespace adamerge {
namespace meta {

constexpr const char* kPatches = "patch_embed.proj.weight";

bool hasBlocks(const FileTensors& tensors) {
  return tensors.has(kPatches) && tensors.has("blocks.0.norm1.weight");
}

bool isDinov3(const FileTensors& tensors) {
  return hasBlocks(tensors) && tensors.has("rope_embed.periods");
}

bool isDinov2(const FileTensors& tensors) {
  const at::Tensor mask = tensors.find("mask_token");
  return hasBlocks(tensors) && !isDinov3(tensors) &&
         (tensors.has("register_tokens") || (mask.defined() && mask.dim() == 2) ||
          !tensors.first("blocks.*.mlp.w12").empty());
}

bool isMae(const FileTensors& tensors) {
  return hasBlocks(tensors) &&
         (tensors.has("decoder_embed.weight") ||
          (tensors.has("fc_norm.weight") && !tensors.has("norm.weight") &&
           tensors.has("cls_token") && tensors.has("pos_embed") && !tensors.has("reg_token") &&
           tensors.first("blocks.*.gamma_1").empty() && tensors.first("blocks.*.ls1").empty()));
}

template <bool (*fits)(const FileTensors&)>
std::string patchesIf(const FileTensors& tensors) {
  return fits(tensors) ? kPatches : "";
}

ModelConfig published(double epsilon, Publisher publisher) {
  ModelConfig config;
  config.norm_epsilon.value = epsilon;
  config.preprocessing = publishedPreprocessing(publisher);
  return config;
}

ModelConfig openDinov2(const ConfigFiles& /*files*/, FileTensors& tensors) {
  constexpr std::array<Renaming, 3> kNames{{{"register_tokens", "reg_token"},
                                            {"blocks.*.mlp.w12", "blocks.*.mlp.fc1"},
                                            {"blocks.*.mlp.w3", "blocks.*.mlp.fc2"}}};
  tensors.rename(kNames);
  tensors.drop("mask_token");
  ModelConfig config = published(1e-6, Publisher::kMetaDinov2);
  config.architecture = "dinov2";
  config.base.resampling = Resampling::kBicubicOffset;
  if (tensors.has("reg_token")) {
    config.base.resampling = Resampling::kBicubicAntialiased;
    foldClassPosition(tensors);
  }
  config.pooling.value = Pooling::kToken;
  return config;
}

ModelConfig openDinov3(const ConfigFiles& /*files*/, FileTensors& tensors) {
  constexpr std::array<Renaming, 5> kNames{{{"storage_tokens", "reg_token"},
                                            {"rope_embed.periods", "rope.periods"},
                                            {"blocks.*.mlp.w1", "blocks.*.mlp.fc1_g"},
                                            {"blocks.*.mlp.w2", "blocks.*.mlp.fc1_x"},
                                            {"blocks.*.mlp.w3", "blocks.*.mlp.fc2"}}};
  tensors.rename(kNames);
  tensors.drop("mask_token");
  tensors.drop("local_cls_norm");
  // Keys have no bias, whatever their third of it holds: the mask is what says so.
  std::set<std::string> masks;
  for (std::string name; !(name = tensors.first("blocks.*.attn.qkv.bias_mask")).empty();) {
    const at::Tensor mask = tensors.take(name);
    const std::string bias_name = name.substr(0, name.size() - std::string_view("_mask").size());
    const at::Tensor bias = tensors.find(bias_name);
    if (!bias.defined() || bias.sizes() != mask.sizes()) {
      tensors.fail(fmt::format("tensor '{}' masks no '{}' of its size", name, bias_name));
    }
    tensors.set(bias_name, bias * mask, bias_name);
    masks.insert(bias_name);
  }
  for (const auto& [name, tensor] : tensors.all()) {
    if (name.ends_with(".attn.qkv.bias") && masks.erase(name) == 0) {
      tensors.fail(
          fmt::format("tensor '{0}_mask' is missing, which says that keys have no bias, "
                      "though '{0}' is there",
                      name));
    }
  }
  // The two series differ in mean and deviation, which only their files' names tell.
  const bool satellite = tensors.file().find("sat493m") != std::string::npos;
  ModelConfig config =
      published(1e-5, satellite ? Publisher::kMetaDinov3Satellite : Publisher::kMetaDinov3);
  config.architecture = "dinov3";
  config.qkv_bias = {};  // 7B has none
  config.base.rotary.form = Rotary::Form::kDinov3;
  config.base.rotary.halves = true;
  config.base.rotary.stored_periods = true;
  config.position_table.value = false;
  config.pooling.value = Pooling::kToken;
  const at::Tensor periods = tensors.find("rope.periods");
  const at::Tensor token = tensors.find("cls_token");
  if (periods.dim() != 1 || periods.size(0) == 0 || !token.defined() ||
      token.size(-1) % (4 * periods.size(0)) != 0) {
    tensors.fail("'rope_embed.periods' and 'cls_token' do not make whole attention heads");
  }
  config.heads.value = static_cast<int>(token.size(-1) / (4 * periods.size(0)));
  constexpr int kUsualSide = 224;
  config.input_size.value = InputSize{kUsualSide, kUsualSide};
  config.notes.emplace_back(
      "The file says no input size: 224 x 224 pixels are assumed (--input-size takes another).");
  return config;
}

ModelConfig openMae(const ConfigFiles& /*files*/, FileTensors& tensors) {
  for (const std::string_view unused : {"mask_token", "decoder_embed", "decoder_pos_embed",
                                        "decoder_blocks", "decoder_norm", "decoder_pred"}) {
    tensors.drop(unused);
  }
  ModelConfig config = published(1e-6, Publisher::kFairMae);
  config.architecture = "mae";
  config.pooling.value = tensors.has("fc_norm.weight") ? Pooling::kAverage : Pooling::kToken;
  return config;
}

}  // namespace meta

Family metaDinov2Family() {
  return {
      "DINOv2 (Meta)", ConfigFormat::kNone, {}, meta::patchesIf<meta::isDinov2>, meta::openDinov2};
}
Family metaDinov3Family() {
  return {
      "DINOv3 (Meta)", ConfigFormat::kNone, {}, meta::patchesIf<meta::isDinov3>, meta::openDinov3};
}
Family fairMaeFamily() {
  return {"MAE (FAIR)", ConfigFormat::kNone, {}, meta::patchesIf<meta::isMae>, meta::openMae};
}

}  // namespace adamerge
