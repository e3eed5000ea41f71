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
  if (*name == "gelu") {
    field.value = Activation::kGelu;
  } else if (*name == "gelu_tanh" || *name == "gelu_pytorch_tanh" || *name == "gelu_new") {
    field.value = Activation::kGeluTanh;
  } else if (*name == "quick_gelu" || *name == "quickgelu") {
    field.value = Activation::kQuickGelu;
  } else {
    fields.fail(key, fmt::format("is '{}'; gelu, gelu_tanh and quick_gelu can run here",
                                 printable(*name, 40)));
  }
  return field;
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

ModelConfig readModelConfig(const std::filesystem::path& config,
                            const std::filesystem::path& preprocessor) {
  if (config.empty()) return {};
  const auto load = [](const std::filesystem::path& path) {
    return parseJsonObject(readTextFile(path), path.string());
  };
  const nlohmann::json json = load(config);
  const ConfigFields fields(&json, config.string());
  if (fields.has("architecture")) return readTimmConfig(fields);
  if (fields.has("model_type")) {
    const nlohmann::json preprocessor_json =
        preprocessor.empty() ? nlohmann::json::object() : load(preprocessor);
    return readHuggingFaceConfig(fields, ConfigFields(&preprocessor_json, preprocessor.string()));
  }
  throw Error(fmt::format(
      "{}: has neither timm's 'architecture' nor Hugging Face's 'model_type', so it describes no "
      "model that is known here",
      config.string()));
}

}  // namespace adamerge
