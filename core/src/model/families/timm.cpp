// SPDX-License-Identifier: GPL-3.0-or-later
// timm's VisionTransformer, Eva and Beit, in its hub format (https://huggingface.co/docs/timm).
#include "model/families/timm.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "adamerge/error.h"
#include "support/text.h"

namespace adamerge {
namespace {

constexpr std::array<Renaming, 14> kNames{{
    {"blocks.*.gamma_1", "blocks.*.ls1.gamma"},
    {"blocks.*.gamma_2", "blocks.*.ls2.gamma"},
    // ParallelScalingBlock
    {"blocks.*.in_norm", "blocks.*.norm1"},
    {"blocks.*.q_norm", "blocks.*.attn.q_norm"},
    {"blocks.*.k_norm", "blocks.*.attn.k_norm"},
    {"blocks.*.attn_out_proj", "blocks.*.attn.proj"},
    {"blocks.*.mlp_out_proj", "blocks.*.mlp.fc2"},
    {"blocks.*.ls", "blocks.*.ls1"},
    {"blocks.*.attn.relative_position_index", "unused.*"},
    {"rel_pos_bias.relative_position_index", "unused"},
    {"relative_position_index", "unused"},
    {"rope.periods", "unused"},  // a buffer that timm computes anew
    {"mask_token", "unused.mask"},
    {"pos_drop", "unused.drop"},
}};

/// in_proj of a parallel block is [MLP | queries | keys | values]; both branches share one scale.
void splitParallelBlocks(FileTensors& tensors) {
  for (std::string name; !(name = tensors.first("blocks.*.in_proj.weight")).empty();) {
    const std::string base = name.substr(0, name.find("in_proj"));
    const at::Tensor out = tensors.find(base + "mlp.fc2.weight");
    const at::Tensor in = tensors.find(name);
    if (!out.defined() || out.dim() != 2 || in.dim() != 2 || in.size(0) <= out.size(1)) {
      tensors.fail(fmt::format("'{}' and '{}' do not fit each other", tensors.inFile(name),
                               tensors.inFile(base + "mlp.fc2.weight")));
    }
    const std::int64_t hidden = out.size(1);
    for (const std::string end : {"weight", "bias"}) {
      const std::string joined = base + "in_proj." + end;
      const std::string original = tensors.inFile(joined);
      const at::Tensor all = tensors.take(joined);
      if (!all.defined()) continue;
      if (all.size(0) != in.size(0))
        tensors.fail(fmt::format("'{}' has another length than its weight", original));
      tensors.set(base + "mlp.fc1." + end, all.narrow(0, 0, hidden), original);
      tensors.set(base + "attn.qkv." + end, all.narrow(0, hidden, all.size(0) - hidden), original);
    }
    if (const std::string bias = base + "mlp_bias"; tensors.has(bias)) {
      if (tensors.has(base + "mlp.fc1.bias"))
        tensors.fail(fmt::format("'{}' is there beside a bias of in_proj", bias));
      const at::Tensor own = tensors.take(bias);
      tensors.set(base + "mlp.fc1.bias", own, bias);
    }
    if (const std::string scale = base + "ls1.gamma"; tensors.has(scale)) {
      tensors.set(base + "ls2.gamma", tensors.find(scale), tensors.inFile(scale));
    }
  }
  if (const std::string bias = tensors.first("blocks.*.mlp_bias"); !bias.empty()) {
    tensors.fail(fmt::format("tensor '{}in_proj.weight' is missing, though '{}' is there",
                             bias.substr(0, bias.find("mlp_bias")), bias));
  }
}

constexpr const char* kPatches = "patch_embed.proj.weight";

std::string recognises(const FileTensors& tensors) {
  const bool blocks = tensors.has("blocks.0.norm1.weight") ||
                      tensors.has("blocks.0.in_norm.weight") ||
                      tensors.has("blocks.0.attns.0.norm.weight");
  return tensors.has(kPatches) && blocks ? kPatches : "";
}

Field<InputSize> inputSize(const ConfigFields& fields) {
  Field<InputSize> field{std::nullopt, fields.name("input_size")};
  const nlohmann::json* value = fields.find("input_size");
  if (value == nullptr) return field;
  const auto usable = [](const nlohmann::json& number) {
    return number.is_number_integer() && number >= 1 && number <= 65536;
  };
  if (!value->is_array() || value->size() != 3 ||
      !std::all_of(value->begin(), value->end(), usable)) {
    fields.fail("input_size", "is not [channels, height, width]");
  }
  if ((*value)[0] != 3) {
    fields.fail("input_size",
                fmt::format("has {} channels, only 3 (RGB) can run here", (*value)[0].get<int>()));
  }
  field.value = InputSize{(*value)[1].get<int>(), (*value)[2].get<int>()};
  return field;
}

/// `label_names` by number or in order; where `label_descriptions` explains one, "what it says
/// (name)".
std::vector<std::string> labels(const ConfigFields& fields) {
  const nlohmann::json* value = fields.find("label_names");
  if (value == nullptr) return {};
  if (value->is_object()) return numberedLabels(fields.below("label_names"));
  std::vector<std::string> names = *fields.texts("label_names");
  const nlohmann::json* descriptions = fields.find("label_descriptions");
  if (descriptions == nullptr || !descriptions->is_object()) return names;
  for (std::string& name : names) {
    const auto found = descriptions->find(name);
    if (found == descriptions->end() || !found->is_string() || *found == name) continue;
    name = fmt::format("{} ({})", found->get_ref<const std::string&>(), name);
  }
  return names;
}

/// A weight file without config: a plain ViT or DeiT, for which timm's usual values are assumed.
ModelConfig openAlone(FileTensors& tensors) {
  for (const char* pattern :
       {"blocks.*.attn.rel_pos_h", "blocks.*.attn.q_bias", "blocks.*.attn.q_proj",
        "blocks.*.mlp.fc1_g", "blocks.*.in_proj", "blocks.*.attns", "rope.freqs"}) {
    if (const std::string name = tensors.first(pattern); !name.empty()) {
      tensors.fail(
          fmt::format("needs its config.json: it has '{}', and no tensor says which "
                      "positions, epsilon and pooling go with that",
                      name));
    }
  }
  takeTimmNames(tensors);
  ModelConfig config;
  config.class_token = {};  // the tensors show both
  config.qkv_bias = {};
  config.activation.value = Activation::kGelu;
  config.base.resampling_rounds = true;
  return config;
}

ModelConfig open(const ConfigFiles& files, FileTensors& tensors) {
  const ConfigFields fields = files.fields();
  if (files.config_file.empty()) return openAlone(tensors);
  const ConfigFields args = fields.below("model_args");
  // Older files have these at the top.
  const ConfigFields pretrained =
      fields.has("pretrained_cfg") ? fields.below("pretrained_cfg") : fields;
  Field<Pooling> informative = timmPooling(pretrained);
  if (!informative) informative = timmPooling(fields);
  ModelConfig config = readTimmArguments(*fields.text("architecture"), args, informative, tensors);

  readTimmRoot(fields, config);
  const at::Tensor patches = tensors.find(kPatches);
  // Of Segment Anything's encoder the neck's.
  const bool neck = config.neck_channels.value.value_or(0) > 0;
  if (const Field<int> width = fields.count("num_features");
      width && !neck && patches.defined() && patches.dim() == 4 && *width != patches.size(0)) {
    fields.fail("num_features", fmt::format("is {}, but the tensors in {} say {}", *width,
                                            tensors.file(), patches.size(0)));
  }
  // A network of fixed size is built for model_args.img_size, else for the input size.
  const bool fixed = pretrained.flag("fixed_input_size").value.value_or(false);
  const bool sized = args.has("img_size");
  config.input_size = inputSize(pretrained);
  if (fixed && sized) config.input_size = config.trained_size;
  if (fixed && !sized && config.input_size) config.trained_size = config.input_size;
  if (!sized && !fixed) config.trained_size = {};
  if (config.trained_size && !fixed && config.input_size && !*config.position_table &&
      *config.trained_size != *config.input_size) {
    config.notes.push_back(
        fmt::format("{} is {} x {}: without a position table it changes nothing, and {} counts.",
                    config.trained_size.key, (*config.trained_size).height,
                    (*config.trained_size).width, config.input_size.key));
  }
  config.labels = labels(pretrained);
  if (config.labels.empty()) config.labels = labels(fields);

  const bool describes_images =
      pretrained.has("mean") || pretrained.has("input_size") || pretrained.has("crop_pct");
  if (describes_images) {
    config.preprocessing = readTimmPreprocessing(pretrained);
  } else {
    config.notes.push_back(
        "The config describes no preprocessing: timm's default for ViTs is used.");
  }
  return config;
}

}  // namespace

void readTimmRoot(const ConfigFields& fields, ModelConfig& config) {
  const ConfigFields args = fields.below("model_args");
  // Older files have these at the top.
  const bool nested = fields.has("pretrained_cfg");
  const ConfigFields pretrained = nested ? fields.below("pretrained_cfg") : fields;
  config.classes = args.count("num_classes");
  // The root's count, where it is there, replaces that of pretrained_cfg.
  Field<int> stored = fields.count("num_classes");
  if (!stored) stored = pretrained.count("num_classes");
  if (config.classes && stored && *config.classes != *stored) {
    throw Error(fmt::format("{}: {} is {}, but {} is {}", fields.file(), stored.key, *stored,
                            config.classes.key, *config.classes));
  }
  if (!config.classes) config.classes = stored;
  const std::vector<std::string_view> known{
      // Where the weights are from.
      "url", "file", "hf_hub_id", "hf_hub_filename", "source", "tag", "custom_load", "license",
      "description", "origin_url", "paper_name", "paper_ids", "notes", "state_dict",
      // How they see images, and of what.
      "architecture", "num_classes", "num_features", "global_pool", "model_args", "pretrained_cfg",
      "input_size", "test_input_size", "min_input_size", "fixed_input_size", "interpolation",
      "crop_pct", "test_crop_pct", "crop_mode", "mean", "std", "label_offset", "label_names",
      "label_descriptions", "pool_size", "test_pool_size", "first_conv", "classifier"};
  noteUnknownFields(fields, known, config.notes);
  if (nested) noteUnknownFields(pretrained, known, config.notes);
}

void takeTimmNames(FileTensors& tensors) {
  tensors.rename(kNames);
  tensors.drop("unused");
  splitParallelBlocks(tensors);
}

void repeatTimmKeys(const TimmArguments& args, FileTensors& tensors, ModelConfig& config) {
  constexpr const char* kKey = "num_kv_heads";
  if (!args.has(kKey) || !config.heads) return;
  const nlohmann::json& given = *args.at(kKey).find(kKey);
  const int heads = *config.heads;
  const auto usable = [heads](const nlohmann::json& count) {
    return count.is_null() || (count.is_number_integer() && count > 0 && count <= heads &&
                               heads % count.get<int>() == 0);
  };
  const bool usable_list =
      given.is_array() && std::all_of(given.begin(), given.end(), usable) &&
      (!config.depth || given.size() == static_cast<std::size_t>(*config.depth));
  if (!usable_list && (given.is_array() || !usable(given))) {
    args.fail(kKey,
              fmt::format("is {}; a divisor of {}, {}, is expected, or a list of one for each "
                          "block, as {} counts them",
                          printable(given.dump(), 60), args.name("num_heads"), heads,
                          args.name("depth")));
  }
  const auto ofBlock = [](std::size_t block, std::string_view part) {
    return fmt::format("blocks.{}.attn.{}", block, part);
  };
  std::size_t repeated = 0;
  for (std::size_t i = 0; tensors.has(ofBlock(i, "k_proj.weight")); ++i) {
    if (given.is_array() && i == given.size()) break;
    const nlohmann::json& count = given.is_array() ? given[i] : given;
    if (count.is_null()) continue;
    const auto key_heads = count.get<std::int64_t>();
    const at::Tensor queries = tensors.find(ofBlock(i, "q_proj.weight"));
    // What the other checks name.
    if (!queries.defined() || queries.dim() != 2 || queries.size(0) % heads != 0) return;
    const std::int64_t rows = key_heads * (queries.size(0) / heads);
    for (const char* part : {"k_proj.weight", "k_proj.bias", "v_proj.weight", "v_proj.bias"}) {
      const std::string name = ofBlock(i, part);
      const at::Tensor own = tensors.find(name);
      if (!own.defined()) continue;
      if (own.dim() == 0 || own.size(0) != rows) {
        args.fail(kKey, fmt::format("gives block {} {} key heads, {} rows, but '{}' in {} is [{}]",
                                    i, key_heads, rows, tensors.inFile(name), tensors.file(),
                                    fmt::join(own.sizes(), ", ")));
      }
      if (key_heads == heads) continue;
      std::vector<std::int64_t> by_head = own.sizes().vec();
      by_head.front() = rows / key_heads;
      by_head.insert(by_head.begin(), key_heads);
      tensors.set(name, own.reshape(by_head).repeat_interleave(heads / key_heads, 0).flatten(0, 1),
                  tensors.inFile(name));
    }
    if (key_heads < heads) ++repeated;
  }
  if (repeated > 0) {
    config.notes.push_back(
        fmt::format("In {} of the blocks keys have fewer heads than queries: keys and values are "
                    "repeated for each query head, and parameters and FLOPs are counted so.",
                    repeated));
  }
}

Field<Pooling> timmPooling(const ConfigFields& fields) {
  const Field<std::string> name = fields.text("global_pool");
  Field<Pooling> field{std::nullopt, name.key};
  if (!name) return field;
  constexpr std::array<std::pair<std::string_view, Pooling>, 6> kPoolings{
      {{"token", Pooling::kToken},
       {"avg", Pooling::kAverage},
       {"max", Pooling::kMaximum},
       {"avgmax", Pooling::kAverageAndMaximum},
       {"map", Pooling::kAttention},
       {"prr", Pooling::kSelfAttention}}};
  for (const auto& [word, value] : kPoolings) {
    if (*name == word) field.value = value;
  }
  if (!field) {
    fields.fail("global_pool",
                (*name).empty() ? std::string("is empty: without pooling there is no embedding; "
                                              "token, avg, max, avgmax, map and prr can run here")
                                : fmt::format("is '{}'; token, avg, max, avgmax, map and prr can "
                                              "run here",
                                              printable(*name, 40)));
  }
  return field;
}

Family timmFamily() {
  return {"timm's VisionTransformer, Eva or Beit", ConfigFormat::kTimm, {}, recognises, open};
}

}  // namespace adamerge
