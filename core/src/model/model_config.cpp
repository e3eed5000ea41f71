// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/model_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "adamerge/error.h"
#include "support/files.h"
#include "support/json.h"
#include "support/text.h"

namespace adamerge {

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
