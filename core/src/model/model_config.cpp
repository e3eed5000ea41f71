// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/model_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "adamerge/error.h"
#include "support/files.h"
#include "support/json.h"
#include "support/text.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;

/// The one to take first.
constexpr std::array<std::string_view, 7> kUsualNames{
    "model.safetensors",        "model.safetensors.index.json", "open_clip_model.safetensors",
    "pytorch_model.bin",        "pytorch_model.bin.index.json", "open_clip_pytorch_model.bin",
    "pytorch_model.safetensors"};
constexpr std::array<std::string_view, 7> kEndings{
    ".safetensors", ".safetensors.index.json", ".pth", ".pt", ".bin", ".ckpt", ".pth.tar"};
/// What Hugging Face's Trainer leaves beside the weights under such endings.
constexpr std::array<std::string_view, 7> kNoWeights{
    "training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.bin",
    "scheduler.pt",      "scaler.pt",     "rng_state.pth"};
constexpr std::array<std::string_view, 2> kConfigs{"config.json", "open_clip_config.json"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

fs::path existing(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) ? path : fs::path();
}

/// The longest ending of weight files that the name has.
std::string_view endingOf(std::string_view name) {
  std::string_view longest;
  for (const std::string_view ending : kEndings) {
    if (name.ends_with(ending) && ending.size() > longest.size()) longest = ending;
  }
  return longest;
}

std::vector<std::string> filesIn(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    std::error_code ignored;
    // macOS leaves "._model.pth" and its like on other systems' discs.
    std::string name = entry->path().filename().string();
    if (!name.starts_with('.') && !entry->is_directory(ignored)) names.push_back(std::move(name));
  }
  if (code) {
    throw Error(
        fmt::format("{}: the folder cannot be listed: {}", folder.string(), code.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

[[noreturn]] void refuseFolder(const fs::path& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (const std::string_view what = foreignWeights(name); !what.empty()) {
      throw Error(fmt::format("{}: no weights that can be read in this folder; {} {}",
                              folder.string(), printable(name, 60), what));
    }
  }
  throw Error(
      fmt::format("{}: no weights in this folder; it holds {}; looked for {} and any "
                  "single *{} file",
                  folder.string(), names.empty() ? "no files" : someOf(names),
                  fmt::join(kUsualNames, ", "), fmt::join(kEndings, ", *")));
}

fs::path findWeights(const fs::path& folder, std::vector<std::string>& notes) {
  const std::vector<std::string> names = filesIn(folder);
  std::vector<std::string> candidates;
  for (const std::string_view name : kUsualNames) {
    if (contains(names, name)) candidates.emplace_back(name);
  }
  if (candidates.empty()) {
    for (const std::string& name : names) {
      std::error_code ignored;
      if (mayBeWeights(name) && fs::is_regular_file(folder / name, ignored)) {
        candidates.push_back(name);
      }
    }
    if (candidates.empty()) refuseFolder(folder, names);
    const auto stem = [](const std::string& name) {
      return name.substr(0, name.size() - endingOf(name).size());
    };
    const bool one_network = std::all_of(
        candidates.begin(), candidates.end(),
        [&](const std::string& name) { return stem(name) == stem(candidates.front()); });
    if (!one_network) {
      throw Error(fmt::format("{}: several weight files in this folder ({}); name the one to load",
                              folder.string(), someOf(candidates)));
    }
    // The same in several formats.
    std::stable_partition(candidates.begin(), candidates.end(), [](const std::string& name) {
      return endingOf(name).starts_with(".safetensors");
    });
  }
  if (candidates.size() > 1) {
    const std::vector<std::string> others(candidates.begin() + 1, candidates.end());
    notes.push_back(fmt::format("Of {} weight files in the folder, {} was taken, not {}.",
                                candidates.size(), printable(candidates.front(), 60),
                                someOf(others)));
  }
  return folder / candidates.front();
}

}  // namespace

ModelFiles findModelFiles(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::not_found) {
    throw Error(fmt::format("{}: there is no such model folder or weight file", path.string()));
  }
  if (code) throw Error(fmt::format("{}: {}", path.string(), code.message()));
  ModelFiles files;
  if (fs::is_directory(status)) {
    files.weights = findWeights(path, files.notes);
  } else {
    // A file dialog may well return the config: its folder is meant.
    const std::string name = path.filename().string();
    const bool is_config = contains(kConfigs, name) || name == "preprocessor_config.json";
    files.weights = is_config ? findWeights(path.parent_path(), files.notes) : path;
  }
  ModelFiles whole = filesBeside(std::move(files.weights));
  whole.notes = std::move(files.notes);
  return whole;
}

ModelFiles filesBeside(fs::path weights) {
  ModelFiles files;
  const fs::path folder = weights.parent_path();
  const bool open_clip = weights.filename().string().starts_with("open_clip_");
  for (const std::string_view name : {kConfigs[open_clip ? 1 : 0], kConfigs[open_clip ? 0 : 1]}) {
    if (files.config.empty()) files.config = existing(folder / name);
  }
  files.preprocessor = existing(folder / "preprocessor_config.json");
  files.weights = std::move(weights);
  return files;
}

bool mayBeWeights(std::string_view file_name) {
  return !endingOf(file_name).empty() && !contains(kNoWeights, file_name);
}

bool isUsualWeightName(const std::string& file_name) { return contains(kUsualNames, file_name); }

std::span<const std::string_view> weightFileNames() { return kUsualNames; }

Field<Activation> activationField(const ConfigFields& fields, std::string_view key) {
  const Field<std::string> name = fields.text(key);
  Field<Activation> field{std::nullopt, name.key};
  if (!name) return field;
  if (*name == "gelu" || *name == "gelu_python") {
    field.value = Activation::kGelu;
  } else if (*name == "gelu_tanh" || *name == "gelu_pytorch_tanh" || *name == "gelu_new" ||
             *name == "gelu_fast" || *name == "gelu_accurate") {
    field.value = Activation::kGeluTanh;
  } else if (*name == "quick_gelu" || *name == "quickgelu") {
    field.value = Activation::kQuickGelu;
  } else if (*name == "silu" || *name == "swish") {
    field.value = Activation::kSilu;
  } else if (*name == "relu") {
    field.value = Activation::kRelu;
  } else {
    fields.fail(key, fmt::format("is '{}'; gelu, gelu_tanh, quick_gelu, silu and relu can run here",
                                 printable(*name, 40)));
  }
  return field;
}

Field<int> patchSizeField(const ConfigFields& fields) {
  constexpr const char* kKey = "patch_size";
  const nlohmann::json* value = fields.find(kKey);
  if (value == nullptr || !value->is_array()) return fields.count(kKey);
  const Field<InputSize> pair = fields.size(kKey);
  if ((*pair).height != (*pair).width) {
    fields.fail(kKey, fmt::format("is {} x {}, only square patches can run here", (*pair).height,
                                  (*pair).width));
  }
  return {(*pair).height, pair.key};
}

std::vector<std::string> numberedLabels(const ConfigFields& table) {
  std::vector<std::string> names(table.object().size());
  std::vector<bool> named(names.size());
  for (const auto& [key, value] : table.object().items()) {
    std::size_t index = names.size();
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    if (error != std::errc() || end != key.data() + key.size() || index >= names.size() ||
        !value.is_string()) {
      return {};
    }
    names[index] = value.get<std::string>();
    named[index] = true;
  }
  if (std::find(named.begin(), named.end(), false) != named.end()) return {};
  return names;
}

ConfigFormat ConfigFiles::format() const {
  if (!open_clip_file.empty()) return ConfigFormat::kOpenClip;
  if (config.contains("architecture")) return ConfigFormat::kTimm;
  return config_file.empty() ? ConfigFormat::kNone : ConfigFormat::kHuggingFace;
}

ConfigFiles readConfigFiles(const std::filesystem::path& config,
                            const std::filesystem::path& preprocessor) {
  ConfigFiles files;
  const auto read = [](const std::filesystem::path& path, nlohmann::json& json, std::string& name) {
    if (path.empty()) return;
    name = path.string();
    json = parseJsonObject(readTextFile(path), name);
  };
  if (config.filename() == "open_clip_config.json") {
    read(config, files.open_clip, files.open_clip_file);
  } else {
    read(config, files.config, files.config_file);
  }
  read(preprocessor, files.preprocessor, files.preprocessor_file);
  const bool ours = files.config_file.empty() || files.fields().has("architecture") ||
                    files.fields().has("model_type");
  if (!ours && files.open_clip_file.empty()) {
    throw Error(fmt::format(
        "{}: has neither timm's 'architecture' nor Hugging Face's 'model_type', so it describes no "
        "model that is known here",
        files.config_file));
  }
  if (!files.open_clip_file.empty() && !files.openClipFields().has("model_cfg")) {
    throw Error(fmt::format("{}: has no 'model_cfg', so it describes no open_clip model",
                            files.open_clip_file));
  }
  return files;
}

}  // namespace adamerge
