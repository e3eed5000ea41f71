// SPDX-License-Identifier: GPL-3.0-or-later
// Families of networks by the library that saved them. A new one costs a file in families/, a line
// in family.cpp and its test; core/README.md has the steps.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/file_tensors.h"
#include "model/model_config.h"

namespace adamerge {

struct Family {
  std::string_view label;  ///< "CLIP (transformers)"
  /// Whose config describes it; kNone: a weight file alone.
  ConfigFormat format;
  /// Hugging Face's model_type; empty for other formats.
  std::vector<std::string_view> model_types;
  /// The name of the patch embedding that it would read; empty: the tensors' names are of others.
  std::string (*recognises)(const FileTensors& tensors);
  /// Gives the tensors the names of model/network.h, drops what an image network has no use for,
  /// and says what no tensor shows. Throws Error naming field or tensor.
  ModelConfig (*open)(const ConfigFiles& configs, FileTensors& tensors);
};

/// All of them; the first that recognises a file without config takes it.
std::span<const Family> families();

/// The family that the config names, or whose names the tensors have. Throws Error: none, a config
/// of another family than the tensors, tensors of two networks, a network that cannot run here.
const Family& findFamily(const ConfigFiles& configs, const FileTensors& tensors);

// One file each.
Family timmFamily();
Family openClipFamily();
Family hfVitFamily();
Family hfBeitFamily();
Family hfDinov2Family();
Family hfDinov3Family();
Family hfSamFamily();
Family metaSamFamily();
Family hfClipFamily();
Family hfSiglipFamily();
Family hfIjepaFamily();
Family metaDinov2Family();
Family metaDinov3Family();
Family openAiClipFamily();
Family fairMaeFamily();
Family afnoFamily();

/// Whether a config in timm's form is that of an AFNO, which timm has not.
bool describesAfno(const ConfigFields& config);

/// Keys without bias beside queries with one, below that prefix: BEiT's mark in all its forms, and
/// all that tells a plain one from a ViT.
bool hasKeysWithoutBias(const FileTensors& tensors, const std::string& base);

/// `save_pretrained` writes a table of no registers too.
void dropNoRegisters(FileTensors& tensors);

/// Fields of Hugging Face's configs that do not touch what an image network computes.
std::span<const std::string_view> huggingFaceIgnored();
/// The fields that Hugging Face's vision configs share, read into `config`; `usual_heads` where the
/// file says nothing of them.
void readHuggingFaceFields(const ConfigFields& fields, ModelConfig& config, int usual_heads = 12);
/// Names of a ViT-like network in transformers 4 and 5, below the model's prefix.
std::span<const Renaming> huggingFaceVitNames();
/// The patch embedding of most networks in transformers, below the model's prefix.
inline constexpr std::string_view kHuggingFacePatches =
    "embeddings.patch_embeddings.projection.weight";
struct PrefixedTensor {
  std::string prefix;
  std::string name;  ///< with the prefix
};
/// The first of `prefixes` below which `name` is there.
std::optional<PrefixedTensor> firstBelow(const FileTensors& tensors,
                                         std::span<const std::string_view> prefixes,
                                         std::string_view name);
/// Takes off the first prefix below which `name` is there. Throws Error where none fits.
void removeModelPrefix(FileTensors& tensors, std::span<const std::string_view> prefixes,
                       std::string_view name);
/// CLIP keeps the class token as [d] and the positions as [N, d]; gives both a batch's form,
/// [1, 1, d] and [1, N, d]. Throws Error where they have other numbers of sizes.
void addBatchToClipTokens(FileTensors& tensors);

}  // namespace adamerge
