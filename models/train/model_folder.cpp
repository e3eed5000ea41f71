// SPDX-License-Identifier: GPL-3.0-or-later
#include "model_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "adamerge/error.h"
#include "support/files.h"
#include "support/json.h"
#include "weights/safetensors.h"

namespace adamerge::training {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kWeightsFile = "model.safetensors";
constexpr const char* kConfigFile = "config.json";

Json configOf(const Recipe& recipe, const std::vector<std::string>& classes) {
  const Preprocessing preprocessing = preprocessingOf(recipe);
  Json arguments = {{"img_size", recipe.image_size}, {"patch_size", recipe.patch_size},
                    {"embed_dim", recipe.width},     {"depth", recipe.depth},
                    {"num_heads", recipe.heads},     {"mlp_ratio", recipe.mlp_ratio}};
  if (recipe.layer_scale) arguments["init_values"] = kFirstLayerScale;
  Json pretrained = {{"input_size", {3, recipe.image_size, recipe.image_size}},
                     {"fixed_input_size", true},
                     {"interpolation", "bicubic"},
                     {"crop_pct", 1.0},
                     {"crop_mode", "center"},
                     {"mean", preprocessing.mean},
                     {"std", preprocessing.std},
                     {"num_classes", classes.size()},
                     {"label_names", classes},
                     {"first_conv", "patch_embed.proj"},
                     {"classifier", "head"}};
  // timm makes a network of any shape from this name and the arguments.
  return {{"architecture", "vit_tiny_patch16_224"}, {"num_classes", classes.size()},
          {"num_features", recipe.width},           {"global_pool", "token"},
          {"model_args", std::move(arguments)},     {"pretrained_cfg", std::move(pretrained)}};
}

StateDict converted(const StateDict& weights, at::ScalarType dtype, const fs::path& folder) {
  StateDict result;
  for (const auto& [name, tensor] : weights) {
    const at::Tensor value = tensor.to(dtype);
    if (!value.isfinite().all().item<bool>()) {
      throw Error(fmt::format("{}: tensor '{}' holds values that are no numbers in {}{}",
                              folder.string(), name, dtype == at::kHalf ? "float16" : "float32",
                              dtype == at::kHalf ? "; --weights float32 may hold them" : ""));
    }
    result[name] = value;
  }
  return result;
}

/// Removed with what is in it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& beside)
      : path_(beside.parent_path() /
              fmt::format(".{}.{}.part", beside.filename().string(), ::getpid())) {}
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

void requireModelFolder(const fs::path& folder) {
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    const fs::path name = entry->path().filename();
    if (name == kWeightsFile || name == kConfigFile) continue;
    throw Error(fmt::format(
        "{}: there is {} beside the model that would be replaced; name a new or empty folder",
        folder.string(), name.string()));
  }
}

void writeModelFolder(const fs::path& folder, const Recipe& recipe,
                      const std::vector<std::string>& classes, const StateDict& weights,
                      at::ScalarType dtype) {
  const fs::path target = (fs::absolute(folder) / "").lexically_normal().parent_path();
  requireModelFolder(target);
  const TemporaryFolder temporary(target);
  writeFileAtomically(temporary.path() / kConfigFile, jsonText(configOf(recipe, classes)));
  writeSafetensors(temporary.path() / kWeightsFile, converted(weights, dtype, folder));
  std::error_code code;
  fs::create_directories(target, code);
  for (const char* file : {kConfigFile, kWeightsFile}) {
    if (!code) fs::rename(temporary.path() / file, target / file, code);
  }
  if (code) throw Error(fmt::format("{}: cannot be written: {}", folder.string(), code.message()));
}

}  // namespace adamerge::training
