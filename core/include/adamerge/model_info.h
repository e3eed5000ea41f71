// SPDX-License-Identifier: GPL-3.0-or-later
// What a model is: architecture, preprocessing, classes. Plain data, no tensors.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace adamerge {

/// In pixels.
struct InputSize {
  int height = 0;
  int width = 0;
};

enum class Pooling {
  kToken,           ///< the class token (with a distillation token: both heads, averaged)
  kAverage,         ///< mean over patch tokens
  kTokenAndAverage  ///< class token and mean over patch tokens, concatenated (DINOv2's classifier)
};
enum class Activation { kGelu, kGeluTanh, kQuickGelu };
enum class Interpolation { kNearest, kBilinear, kBicubic, kLanczos };

/// Architecture of a plain Vision Transformer (timm's `VisionTransformer`). Sizes in pixels or
/// tokens.
struct VitConfig {
  int input_height = 224;
  int input_width = 224;
  int patch_size = 16;
  int channels = 3;
  int dim = 768;   ///< embedding dimension d
  int depth = 12;  ///< number of blocks L
  int heads = 12;
  int mlp_hidden = 3072;
  bool class_token = true;
  bool distillation_token = false;
  int register_tokens = 0;
  bool position_covers_prefix = true;  ///< false: timm's `no_embed_class`
  int position_grid_height = 14;       ///< grid the position embedding was trained on
  int position_grid_width = 14;
  bool patch_bias = true;
  bool pre_norm = false;
  bool qkv_bias = true;
  bool qk_norm = false;
  bool layer_scale = false;
  bool final_norm = true;  ///< `norm` on all tokens
  bool fc_norm = false;    ///< norm after pooling
  double norm_epsilon = 1e-6;
  Activation activation = Activation::kGelu;
  Pooling pooling = Pooling::kToken;
  int classes = 1000;  ///< 0: no classifier; the output is the pooled feature

  int gridHeight() const { return input_height / patch_size; }
  int gridWidth() const { return input_width / patch_size; }
  int patchTokens() const { return gridHeight() * gridWidth(); }
  int prefixTokens() const {
    return (class_token ? 1 : 0) + (distillation_token ? 1 : 0) + register_tokens;
  }
  int headDim() const { return dim / heads; }
};

/// How an image becomes the network's input: resize, crop (or pad with `fill`), normalise.
struct Preprocessing {
  enum class Resize {
    kShorterSide,  ///< shorter side to min(resize_height, resize_width), aspect kept
    kLongerSide,   ///< fits within resize_height x resize_width, aspect kept (timm's "border")
    kExact         ///< to resize_height x resize_width, aspect lost (timm's "squash")
  };
  Resize resize = Resize::kShorterSide;
  int resize_height = 248;
  int resize_width = 248;
  /// Equals VitConfig::input_height and input_width, which need not be multiples of the patch.
  int crop_height = 224;
  int crop_width = 224;
  /// Where a centre crop leaves an odd number of pixels over, it begins at their half rounded down
  /// (Hugging Face), else rounded to even (torchvision, timm).
  bool crop_rounds_down = false;
  Interpolation interpolation = Interpolation::kBicubic;
  bool floating_point = false;  ///< resized without rounding to 8 bits (DINOv3's processor)
  std::array<float, 3> mean{0.5F, 0.5F, 0.5F};  ///< RGB, of values in 0...1
  std::array<float, 3> std{0.5F, 0.5F, 0.5F};
  std::array<std::uint8_t, 3> fill{0, 0, 0};  ///< RGB beyond the image's edge
};

struct ModelInfo {
  std::string name;          ///< for people: folder's or file's name
  std::string architecture;  ///< as the config says; may be empty
  std::filesystem::path source;
  VitConfig vit;
  Preprocessing preprocessing;
  std::vector<std::string> labels;  ///< one per class; "class 17" where the config names none
  std::int64_t parameters = 0;
  std::vector<std::string> notes;  ///< what was assumed or ignored, in sentences
};

}  // namespace adamerge
