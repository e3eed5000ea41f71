// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "kernels/parallel.h"
#include "merging/entries.h"
#include "merging/settings.h"

namespace adamerge {
namespace {

/// A matrix of a few entries, of which `rows` and `columns` say where they lie.
at::Tensor sparse(const std::vector<std::int64_t>& rows, const std::vector<std::int64_t>& columns,
                  const std::vector<double>& values, std::int64_t height, std::int64_t width) {
  return at::sparse_coo_tensor(at::stack({at::tensor(rows), at::tensor(columns)}),
                               at::tensor(values), {height, width})
      .coalesce();
}

/// The same for every image.
MergePlan planOf(const SegmentedBlock& block, int prefix, int width) {
  MergePlan plan;
  plan.details.centres = block.centres;
  const auto count = static_cast<std::int64_t>(block.segments.size());
  const auto inside = static_cast<std::int64_t>(block.centres.size());
  if (inside == count) return plan;

  std::vector<std::int64_t> rows(static_cast<std::size_t>(prefix));
  std::iota(rows.begin(), rows.end(), 0);
  plan.order = rows;
  std::vector<std::int64_t> columns = rows;
  std::vector<double> weights(rows.size(), 1.0);
  std::vector<double> shares = weights;
  const at::Tensor rest = at::zeros({prefix + count}, at::kDouble);
  for (const int position : block.pruned) rest[prefix + position] = 1.0;
  for (const int centre : block.centres) plan.order.push_back(prefix + centre);
  for (std::int64_t j = 0; j < count; ++j) {
    const auto index = static_cast<std::size_t>(j);
    const int segment = block.segments[index];
    const std::int64_t centre = prefix + block.centres[static_cast<std::size_t>(segment)];
    if (block.weights[index] == 0) {
      plan.dropped.push_back({prefix + j, centre});
      continue;
    }
    rows.push_back(prefix + segment);
    columns.push_back(prefix + j);
    weights.push_back(block.weights[index]);
    shares.push_back(block.restoring[index]);
    if (prefix + j != centre) {
      plan.merges.push_back({prefix + j, centre, static_cast<float>(block.weights[index])});
    }
  }
  plan.restoration = std::make_shared<const Restoration>(
      Restoration{sparse(rows, columns, weights, prefix + inside, prefix + count),
                  sparse(columns, rows, shares, prefix + count, prefix + inside), rest});
  plan.macs = 2.0 * static_cast<double>(count) * width;
  return plan;
}

/// What is shown of dense matrices: each token where its column is largest.
MergePlan planOf(const TrainedMatrices& matrices, int prefix, int width) {
  const std::int64_t inside = matrices.merge.size(0);
  const std::int64_t tokens = matrices.merge.size(1);
  const at::Tensor sizes = matrices.merge.abs().contiguous();
  const auto size = [&](std::int64_t row, std::int64_t column) {
    return sizes.data_ptr<double>()[row * tokens + column];
  };
  std::vector<std::int64_t> owner(static_cast<std::size_t>(tokens), 0);
  for (std::int64_t j = prefix; j < tokens; ++j) {
    throwIfStopWithin();
    std::int64_t best = prefix;
    for (std::int64_t row = prefix + 1; row < inside; ++row) {
      if (size(row, j) > size(best, j)) best = row;
    }
    owner[static_cast<std::size_t>(j)] = best;
  }
  // Each row needs a token that stands for it: the largest of its own, else of any that is left.
  MergePlan plan;
  std::vector<bool> stands(static_cast<std::size_t>(tokens), false);
  std::vector<std::int64_t> representative(static_cast<std::size_t>(inside), -1);
  for (const bool own : {true, false}) {
    for (std::int64_t row = prefix; row < inside; ++row) {
      std::int64_t& chosen = representative[static_cast<std::size_t>(row)];
      if (chosen >= 0) continue;
      throwIfStopWithin();
      for (std::int64_t j = prefix; j < tokens; ++j) {
        if (stands[static_cast<std::size_t>(j)]) continue;
        if (own && owner[static_cast<std::size_t>(j)] != row) continue;
        if (chosen < 0 || size(row, j) > size(row, chosen)) chosen = j;
      }
      if (chosen >= 0) stands[static_cast<std::size_t>(chosen)] = true;
    }
  }
  for (std::int64_t i = 0; i < prefix; ++i) plan.order.push_back(i);
  for (std::int64_t row = prefix; row < inside; ++row) {
    plan.order.push_back(representative[static_cast<std::size_t>(row)]);
  }
  const auto* rest = matrices.rest.data_ptr<double>();
  for (std::int64_t j = prefix; j < tokens; ++j) {
    if (stands[static_cast<std::size_t>(j)]) continue;
    const std::int64_t row = owner[static_cast<std::size_t>(j)];
    const std::int64_t destination = representative[static_cast<std::size_t>(row)];
    if (rest[j] == 1.0) {
      plan.dropped.push_back({j, destination});
    } else {
      plan.merges.push_back({j, destination, static_cast<float>(size(row, j))});
    }
  }
  plan.restoration = std::make_shared<const Restoration>(
      Restoration{matrices.merge, matrices.recover, matrices.rest});
  plan.macs = 2.0 * static_cast<double>(inside * tokens) * width;
  return plan;
}

class PruneMerge final : public ImageMethod {
 public:
  /// `plans`: per block; nothing where the block runs whole.
  explicit PruneMerge(std::vector<std::optional<MergePlan>> plans, std::string warning = {})
      : plans_(std::move(plans)), warning_(std::move(warning)) {}
  Stage stage() const override { return Stage::kAroundBlock; }
  bool actsIn(int block) const override {
    return plans_[static_cast<std::size_t>(block)].has_value();
  }
  std::string warning() const override { return warning_; }
  MergePlan plan(const LayerTokens& layer) const override {
    return *plans_[static_cast<std::size_t>(layer.block)];
  }

 private:
  std::vector<std::optional<MergePlan>> plans_;
  std::string warning_;
};

/// What the settings name, or what lies beside the model, checked against it; else, with a warning,
/// what is measured on synthetic images.
Importance importanceFor(const Settings& settings, const MethodContext& context,
                         std::string& warning) {
  const std::string& named = get<std::string>(settings, "importance_file");
  const std::filesystem::path file =
      named.empty() ? context.folder / kImportanceFile : std::filesystem::path(named);
  const std::string remedy = fmt::format(
      "make it by 'adamerge calibrate FOLDER --method prune-merge -o {}' (received attention) or "
      "by "
      "'adamerge-train DATA --importance MODEL -o {}' (gradients)",
      kImportanceFile, kImportanceFile);
  std::error_code ignored;
  const std::string& kind = get<std::string>(settings, "importance");
  if (named.empty() && !std::filesystem::exists(file, ignored)) {
    const std::string lacks = fmt::format("{} has no {} that says how much each patch matters",
                                          context.model, kImportanceFile);
    if (kind == "gradient" || !context.synthetic_importance) {
      throw Error(fmt::format("Prune and Merge: {}; {}, or name a file with --importance-file",
                              lacks, remedy));
    }
    warning = fmt::format("{}, so the attention received in synthetic images was taken; {}", lacks,
                          remedy);
    return *context.synthetic_importance();
  }
  Importance importance = readImportance(file);
  const auto refuse = [&](const std::string& problem) {
    throw Error(fmt::format("{}: {}; {}", file.string(), problem, remedy));
  };
  const VitConfig& vit = context.vit;
  const auto patches = static_cast<std::size_t>(vit.patchTokens());
  if (importance.depth != vit.depth) {
    refuse(fmt::format("this importance is of a model of {} blocks, {} has {}", importance.depth,
                       context.model, vit.depth));
  }
  if (importance.scores.front().size() != patches) {
    refuse(fmt::format("this importance is of {} patches, {} has {} at this input size",
                       importance.scores.front().size(), context.model, patches));
  }
  if (!named.empty() && !importance.model.empty() && importance.model != context.model) {
    refuse(fmt::format("this importance is of the model '{}', this is '{}'", importance.model,
                       context.model));
  }
  if (kind != "file" && kind != importance.kind) {
    refuse(fmt::format("--importance {} is asked for, and the file holds '{}'", kind,
                       importance.kind));
  }
  return importance;
}

std::unique_ptr<MergeMethod> makePruneMerge(const Settings& settings,
                                            const MethodContext& context) {
  const VitConfig& vit = context.vit;
  std::vector<std::optional<MergePlan>> plans(static_cast<std::size_t>(vit.depth));
  const int prefix = vit.prefixTokens();
  if (const std::string& file = get<std::string>(settings, "matrices"); !file.empty()) {
    for (const TrainedMatrices& matrices : readTrainedMatrices(file, vit)) {
      plans[static_cast<std::size_t>(matrices.block)] = planOf(matrices, prefix, vit.dim);
    }
    return std::make_unique<PruneMerge>(std::move(plans));
  }
  const int keep = getInt(settings, "keep");
  const int prune = getInt(settings, "prune");
  if (keep + prune > 100) {
    throw Error(fmt::format("--keep {} and --prune {} are {} % of the tokens together: at most 100",
                            keep, prune, keep + prune));
  }
  const std::vector<bool> chosen = chosenBlocks(settings, "blocks", vit.depth);
  std::vector<int> blocks;
  for (int block = 0; block < vit.depth; ++block) {
    if (chosen[static_cast<std::size_t>(block)]) blocks.push_back(block);
  }
  std::string warning;
  const Importance importance = importanceFor(settings, context, warning);
  for (const int block : blocks) {
    const auto& known = importance.blocks;
    if (std::find(known.begin(), known.end(), block) == known.end()) {
      throw Error(fmt::format("--blocks: the importance has no scores of block {}, only of {}",
                              block, fmt::join(known, ", ")));
    }
  }
  for (const SegmentedBlock& block :
       segmentBlocks(importance.scores, blocks, keep, prune, vit.gridWidth())) {
    throwIfStopWithin();
    plans[static_cast<std::size_t>(block.block)] = planOf(block, prefix, vit.dim);
  }
  return std::make_unique<PruneMerge>(std::move(plans), std::move(warning));
}

std::vector<SettingInfo> pruneMergeSettings() {
  SettingInfo keep = wholeSetting(
      "keep", "Keep (%)",
      "Tokens that each block runs on, a share of all blocks' together, so that blocks "
      "get different counts.",
      60, 5, 100);
  keep.active_when = {{"matrices", std::string()}};
  SettingInfo prune = keep;
  prune.key = "prune";
  prune.label = "Prune (%)";
  prune.help = "Tokens that skip the blocks they matter least in; with keep at most 100.";
  prune.fallback = std::int64_t{10};
  prune.minimum = 0;
  prune.maximum = 50;
  SettingInfo blocks = allBlocksSetting("Blocks (0-based) that run on fewer tokens.");
  blocks.active_when = keep.active_when;
  SettingInfo importance =
      choiceSetting("importance", "Importance",
                    "What is asked of the file that says how much each patch matters: gradient "
                    "(the paper's), received (attention), or file, whichever it is.",
                    {"file", "gradient", "received"});
  importance.active_when = keep.active_when;
  SettingInfo file =
      pathSetting("importance_file", "Importance file",
                  "Where it lies, if not as prune-merge.json in the model's folder.");
  file.active_when = keep.active_when;
  SettingInfo matrices =
      pathSetting("matrices", "Trained matrices",
                  "A state dict with the authors' matrices (blocks.N.attn.merge_matrix and so "
                  "on): they replace keep, prune and importance.");
  return {keep, prune, blocks, importance, file, matrices};
}

}  // namespace

MethodEntry pruneMergeEntry() {
  MethodEntry entry;
  entry.info.id = "prune-merge";
  entry.info.label = "Prune and Merge";
  entry.info.description =
      "Each block runs on segments of neighbouring tokens, laid out once for the model, and the "
      "full sequence is restored after it.";
  entry.info.reference =
      "Mao et al., Prune and Merge: Efficient Token Compression for Vision Transformer with "
      "Spatial "
      "Information Preserved, arXiv 2503.23455";
  CompressionKnob knob{"keep"};
  knob.keeps = true;
  knob.least = 5;
  knob.most = [](const Settings& settings, const VitConfig& /*vit*/) {
    return 100 - getInt(settings, "prune");
  };
  entry.info.compression = {knob};
  entry.info.settings = pruneMergeSettings();
  entry.make = makePruneMerge;
  return entry;
}

}  // namespace adamerge
