// SPDX-License-Identifier: GPL-3.0-or-later
// What a run tells: plain data, no tensors. N counts all tokens, prefix included; per-patch vectors
// are in raster order over the patch grid.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace adamerge {

class Recording;  // lenses.h

/// In pixels, may be fractional; may reach beyond the image where preprocessing padded it.
struct Rectangle {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

/// Where a picture lies in a network's input: input = offset + scale * picture, in pixels.
struct PicturePlace {
  double scale_x = 1;
  double scale_y = 1;
  double offset_x = 0;
  double offset_y = 0;
  int height = 0;  ///< of the original picture; 0: the input is the picture
  int width = 0;

  bool operator==(const PicturePlace&) const = default;
};

/// One normalised image: [3, height, width], fp32, contiguous.
struct InputTensor {
  int height = 0;
  int width = 0;
  std::vector<float> values;
  PicturePlace picture = {};
};

/// One merge: source group into destination group, both numbered as in the map on entry to the
/// block (the previous block's `groups`; for block 0 the patches themselves).
struct GroupMerge {
  int source = 0;
  int destination = 0;
  float similarity = 0;  ///< the method's own score of the pair
};

/// Two clusters joined: each is named by its lowest patch token, counted from 0 on entry.
struct ClusterJoin {
  int first = 0;
  int second = 0;
  double distance = 0;
};

/// What only some methods tell of a block, under JSON's names; empty where one does not, or did not
/// act. Tokens are patch tokens on entry, counted from 0.
struct MethodDetails {
  std::vector<float> score;    ///< per patch, the method's own number of its token
  std::vector<int> component;  ///< per patch, the group that its token was in (PruneSID)
  std::vector<int> taken;      ///< per such group: tokens taken before suppression ended
  std::vector<int> quota;      ///< per such group: tokens kept
  std::optional<double> threshold;
  std::optional<double> variance;  ///< of the scores (PPT)
  std::string action;              ///< "pool" or "prune" (PPT)
  std::vector<int> prompted;       ///< patches of cells with a prompt, ascending (StructSAM)
  std::vector<int> grid;           ///< rows and columns after merging (CubistMerge)
  /// Keys that each query sees, prefix included: one number, or one a head (Focus).
  std::vector<int> keys;
  /// Patch positions whose key went out before this block: one list, or one a head.
  std::vector<std::vector<int>> pruned_keys;
  std::vector<double> quartiles;  ///< of the scores
  std::vector<int> seeds;         ///< tokens that the others were combined into (Focus)
  std::vector<int> centres;       ///< tokens that segments were merged into (Prune and Merge)
  /// The clusters' tree, lowest joins first; with tracing on up to the root (ATC).
  std::vector<ClusterJoin> joins;
  std::string note;  ///< a sentence for people
};

/// One block. salience, attention, groups, merges, drops, dropped and `details` are filled only
/// where tracing was on.
struct LayerTrace {
  int index = 0;
  int tokens_in = 0;  ///< N on entry to the block, before its merge (FLOPs `paper` counts these)
  int tokens_out = 0;
  int merged = 0;  ///< tokens fewer, by merging or dropping; where restored, fewer inside
  /// The block, or its attention, ran on `tokens_inside` tokens and all were restored after it:
  /// `groups`, `merges` and `dropped` then hold for this block alone.
  bool restored = false;
  int tokens_inside = 0;
  /// Rows and columns of the windows that a part of the block ran in; empty: it had none.
  std::vector<int> window;
  int padding = 0;                   ///< tokens that fill windows up, in all of them
  std::optional<double> redundancy;  ///< what the method measures of it
  std::optional<double> mu;
  std::optional<double> sigma;
  std::optional<double> z;
  std::vector<float>
      salience;  ///< per patch, 0...1, of its token on entry to the matching; empty: none
  /// Per patch: the class token's attention (softmax, mean over heads) to the token the patch
  /// belongs to when the block attends; empty for models without a class token.
  std::vector<float> attention;
  std::vector<int> groups;  ///< per patch, dense, numbered by first appearance, after the merge
  std::vector<GroupMerge> merges;
  /// Groups whose token was dropped (source), and those that stand for them since (destination).
  std::vector<GroupMerge> drops;
  std::vector<int> dropped;  ///< patches whose token was dropped in this block, ascending
  MethodDetails details;
};

/// Multiply-accumulates in G, see flops.h.
struct Flops {
  double paper = 0;
  double total = 0;
};

/// What a dense head says: a class a patch, and a class a pixel of the input, from scores that are
/// interpolated bilinearly; of equal ones the lowest.
struct ClassMap {
  std::vector<int> patches;           ///< raster order
  std::vector<std::uint16_t> pixels;  ///< [height, width] of the input
  /// Per patch and per pixel whether it shows the picture and not what pads it; empty: all do.
  std::vector<bool> patches_in_picture = {};
  std::vector<bool> pixels_in_picture = {};
};

/// Of the picture's places alone: shares 0...1 of equal ones, and the mean over the classes that
/// either map has of |both| / |either|.
struct MapAgreement {
  double patch_agreement = 0;
  double patch_miou = 0;
  double pixel_agreement = 0;
  double pixel_miou = 0;
};
/// Maps of one size.
MapAgreement compareMaps(const ClassMap& unmerged, const ClassMap& merged);
/// Per patch of the picture, whether the maps differ there.
std::vector<bool> changedPatches(const ClassMap& unmerged, const ClassMap& merged);

struct ImageResult {
  std::vector<float> logits;     ///< [classes]; empty without a classifier
  std::vector<float> embedding;  ///< what the classifier reads, or would read
  /// Final tokens as pooling receives them, [tokens, d], and the token of each patch; only where
  /// RunOptions::features asked for them.
  std::vector<float> features;
  std::vector<int> patch_tokens;
  /// Per patch: whether it shows the picture and not what pads it; empty: all do. Likewise.
  std::vector<bool> in_picture;
  /// Of models with a dense head, where RunOptions::features or record asked for it.
  std::shared_ptr<const ClassMap> classes;
  /// [VitConfig::field_channels, height, width], where RunOptions::features asked for it.
  std::vector<float> field;
  /// What the lenses look into; only where RunOptions::record asked for it.
  std::shared_ptr<const Recording> recording;
  Flops flops;
  std::vector<LayerTrace> layers;     ///< one per block
  bool calibrated = true;             ///< false: the method wanted statistics and had none that fit
  std::vector<std::string> warnings;  ///< sentences, e.g. why statistics were not used
};

struct Prediction {
  int index = 0;
  std::string label;
  double probability = 0;  ///< softmax over all classes
};

/// The `count` most probable classes, of equal ones the lower index first.
std::vector<Prediction> topPredictions(const std::vector<float>& logits,
                                       const std::vector<std::string>& labels, int count = 5);

/// How close the logits of a merged run stay to the unmerged one's.
struct Fidelity {
  bool top1_agrees = false;
  double logit_cosine = 0;
  double kl_divergence = 0;  ///< KL(unmerged || merged) of the softmax, in nats
};
/// `baseline` and `merged` of one length, at least 1.
Fidelity compareLogits(const std::vector<float>& baseline, const std::vector<float>& merged);

/// Cosine of the embeddings; 0 where one has no length.
double embeddingCosine(const ImageResult& baseline, const ImageResult& merged);
/// Mean over patches of the cosine between the final tokens that stand for a patch in both runs; a
/// pair with a token of no length counts 0. Both results need RunOptions::features.
double patchCosine(const ImageResult& baseline, const ImageResult& merged);

/// How far merging moved the field that a network makes (FourCastNet).
struct FieldError {
  double relative = 0;       ///< length of the difference over that of the unmerged field
  std::vector<double> rmse;  ///< of each channel, in the field's own units
};
/// Both results have fields of one size.
FieldError fieldError(const ImageResult& baseline, const ImageResult& merged, int channels);

/// Per patch: the patch whose token stands for its group after block `layer`, that is, the one that
/// was always on the destination's side of the merges and drops in blocks 0...layer; of blocks that
/// are restored only `layer` itself counts.
/// Throws Error: layer out of range, merges that name no group.
std::vector<int> survivingPatches(const std::vector<LayerTrace>& layers, int layer);

/// Per patch: whether its token was dropped in blocks 0...layer; of restored blocks only `layer`.
std::vector<bool> droppedPatches(const std::vector<LayerTrace>& layers, int layer);

enum class PatchFate {
  kUntouched,  ///< a token of its own
  kAbsorbed,   ///< its token took in others
  kMerged      ///< its token went into another patch's
};
/// Per patch, from survivingPatches().
std::vector<PatchFate> patchFates(const std::vector<int>& survivors);

/// Per patch: whether its group consists of other patches in `b` than in `a`. Throws Error for
/// groups of different grids.
std::vector<bool> groupDifference(const std::vector<int>& a, const std::vector<int>& b);
/// How many patches those are.
std::int64_t groupedOtherwise(const std::vector<int>& a, const std::vector<int>& b);

}  // namespace adamerge
