// SPDX-License-Identifier: GPL-3.0-or-later
// What a model is: architecture, preprocessing, classes. Plain data, no tensors.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/model_info.h"

namespace adamerge {

/// In pixels.
struct InputSize {
  int height = 0;
  int width = 0;

  bool operator==(const InputSize&) const = default;
};

/// How the final tokens become one vector. Means weigh each token by the patches it stands for.
enum class Pooling {
  kToken,              ///< the class token (with a distillation token: both, averaged)
  kAverage,            ///< mean over patches
  kMaximum,            ///< largest over patch tokens
  kAverageAndMaximum,  ///< half of (mean + largest) (timm's `avgmax`)
  kTokenAndAverage,    ///< class token and mean over patches, concatenated (DINOv2's classifier)
  kAttention,          ///< a learnt query looks at the tokens (SigLIP, CoCa, timm's `map`)
  kSelfAttention       ///< attention without weights, then class token or mean (timm's `prr`)
};
enum class Activation { kGelu, kGeluTanh, kQuickGelu, kSilu, kRelu };
enum class Interpolation { kNearest, kBilinear, kBicubic, kLanczos };

/// The order of norms, branches and additions in a block; merging-in-families' section 2.
enum class BlockForm {
  kPreNorm,   ///< x += attention(norm x); x += mlp(norm x); with several branches, sums over them
  kPostNorm,  ///< x += norm(attention x); x += norm(mlp x)
  kParallel   ///< x += attention(norm x) + mlp(norm x), one norm
};

/// Rotary positions: queries and keys of patches turn by angles that are linear in row and column.
struct Rotary {
  enum class Form {
    kNone,
    kAxial,   ///< timm's `cat`: coordinate (index + offset) * reference / grid, T^(-4k/d_h)
    kDinov3,  ///< coordinate 2 (index + 1/2) / grid - 1, 2 pi T^(-4k/d_h)
    kMixed    ///< learnt frequencies per block and head, coordinate = index
  };
  Form form = Form::kNone;
  double temperature = 10000;
  double offset = 0;
  int reference_height = 0;  ///< patches; 0: coordinates are not scaled
  int reference_width = 0;
  bool columns_first = false;   ///< timm's `xy` indexing
  bool halves = false;          ///< turns (k, k + d_h/2) together instead of neighbours
  bool stored_periods = false;  ///< kDinov3: T^(4k/d_h) as the file has them, not computed
};

/// Relative position bias on the attention's logits (BEiT), a table per head.
struct RelativeBias {
  bool per_block = false;
  bool shared = false;    ///< one table for all blocks; added to a block's own where both are
  int window_height = 0;  ///< patches, of the grid the tables were trained on
  int window_width = 0;
  bool geometric = true;  ///< resized as timm does; false: bilinearly, as transformers does
};

/// Attention inside windows of the grid, with decomposed relative positions (Segment Anything).
struct WindowedAttention {
  /// Per block the windows' side in patches, 0: one window, the grid. Empty: attention is not
  /// windowed.
  std::vector<int> sides;
  bool relative = false;  ///< each block has tables of relative rows and columns
  int table_height = 0;   ///< patches, of the grid that the tables of blocks of side 0 are for
  int table_width = 0;
};

/// The attention that pools (Pooling::kAttention).
struct AttentionPool {
  int queries = 1;  ///< learnt; the first one's result is used
  int heads = 12;
  int width = 768;     ///< of its queries, keys and values
  int mlp_hidden = 0;  ///< 0: no MLP, and no residual
  Activation activation = Activation::kGelu;
  bool norms = false;   ///< norms of queries and of tokens before it (CoCa)
  bool prefix = false;  ///< looks at prefix tokens too
};

/// AFNO's mixer in the attention's place (Guibas et al., "Adaptive Fourier Neural Operators", ICLR
/// 2022): the grid's Fourier modes through a small MLP, each of `groups` blocks of channels alone.
struct FourierFilter {
  int groups = 0;           ///< blocks of channels; 0: the network attends
  int hidden_factor = 1;    ///< hidden width of a block in block widths
  double threshold = 0.01;  ///< of the soft shrinkage
  double fraction = 1;      ///< of modes that are kept; the others become 0
  /// Rows around the middle one as stored, and columns below the count of rows (FourCastNet); else
  /// columns alone (AFNO-transformer).
  bool rows_and_columns = true;
  bool double_skip = true;  ///< the filter has a residual of its own

  bool operator==(const FourierFilter&) const = default;
};

/// A linear classifier of patches, that of --dense-head.
struct DenseHead {
  int classes = 0;                 ///< 0: none
  int blocks = 1;                  ///< it reads the last ones' features, the earlier first
  std::vector<std::string> names;  ///< of the classes; empty: the file names none
};

/// How a position table becomes that of another grid.
enum class Resampling {
  kBicubicAntialiased,  ///< timm, open_clip, transformers' DINOv2 with registers
  kBicubic,             ///< transformers
  kBicubicOffset,       ///< Meta's DINOv2: by the factor (n + 0.1) / trained
  kBilinear             ///< FlexiViT, RADIO
};
/// What the command line and sessions call them, in the enum's order.
inline constexpr std::array<std::string_view, 4> kResamplingNames{"timm", "bicubic", "offset",
                                                                  "bilinear"};

/// Architecture of a Vision Transformer, whichever library it comes from. Sizes in pixels or
/// tokens.
struct VitConfig {
  int input_height = 224;  ///< pixels beyond the last whole patch are never seen
  int input_width = 224;
  int patch_size = 16;
  int channels = 3;
  int dim = 768;   ///< embedding dimension d
  int depth = 12;  ///< number of blocks L
  int heads = 12;
  int mlp_hidden = 3072;  ///< with a gate: after it
  bool class_token = true;
  bool distillation_token = false;
  int register_tokens = 0;
  bool position_table = true;
  bool position_covers_prefix = true;  ///< false: timm's `no_embed_class`
  int position_grid_height = 14;       ///< grid the position table was trained on
  int position_grid_width = 14;
  Resampling resampling = Resampling::kBicubicAntialiased;
  bool resampling_rounds = false;  ///< the resampled table has the file's type (timm, on load)
  Rotary rotary;
  RelativeBias relative_bias;
  WindowedAttention windows;
  bool patch_bias = true;
  bool patch_norm = false;  ///< a norm of the patches before positions are added
  bool pre_norm = false;    ///< a norm before the first block
  BlockForm form = BlockForm::kPreNorm;
  int branches = 1;       ///< attentions, and MLPs, side by side in a block
  bool rms_norm = false;  ///< norms divide by the root mean square and shift nothing
  bool qkv_bias = true;
  bool qk_norm = false;
  bool rms_qk_norm = false;
  bool attention_norm = false;  ///< of heads' outputs, before their projection
  bool proj_bias = true;
  bool layer_scale = false;
  bool attention_scale_only = false;  ///< MLPs have no layer scale beside attentions with one
  bool gated_mlp = false;             ///< activation(gate) * up instead of activation(hidden)
  bool mlp_norm = false;              ///< between activation and second layer
  bool mlp_bias = true;
  bool final_norm = true;  ///< `norm` on all tokens
  bool fc_norm = false;    ///< norm after pooling
  double norm_epsilon = 1e-6;
  Activation activation = Activation::kGelu;
  Pooling pooling = Pooling::kToken;
  bool pool_prefix = false;  ///< means and maxima over prefix tokens too
  AttentionPool attention_pool;
  FourierFilter filter;
  int field_channels = 0;  ///< the head makes such a field of pixels (FourCastNet); 0: none
  DenseHead dense;
  int neck_channels = 0;      ///< of the convolutions after the blocks (SAM); 0: none
  bool neck_norm = false;     ///< there is only a norm in their place
  int projection = 0;         ///< width of a projection after pooling (CLIP); 0: none
  int projection_hidden = 0;  ///< it is an MLP with this hidden width; 0: one matrix
  bool projection_bias = false;
  bool projection_tanh = false;  ///< transformers' pooler
  int classes = 1000;            ///< 0: no classifier, the output is the embedding
  /// The head of --head compares directions: embeddings are normalised before it.
  bool normalised_head = false;
  bool two_heads = false;       ///< the distillation token has a classifier of its own
  bool mean_of_tokens = false;  ///< the embedding is the mean of class and distillation token

  int gridHeight() const { return input_height / patch_size; }
  int gridWidth() const { return input_width / patch_size; }
  int patchTokens() const { return gridHeight() * gridWidth(); }
  int prefixTokens() const {
    return (class_token ? 1 : 0) + (distillation_token ? 1 : 0) + register_tokens;
  }
  int headDim() const { return dim / heads; }
  bool mixesByFourier() const { return filter.groups > 0; }
  bool isRotary() const { return rotary.form != Rotary::Form::kNone; }
  bool hasRelativeBias() const { return relative_bias.per_block || relative_bias.shared; }
  bool isWindowed() const { return !windows.sides.empty(); }
  /// Every block starts from the full grid, so tokens merge only inside its parts (dense, section
  /// 2).
  bool restores() const { return isWindowed() || mixesByFourier(); }
  /// A merged token has a place that its attention asks for.
  bool placesTokens() const { return isRotary() || isWindowed(); }
  /// Of the features that pooling reads.
  int featureWidth() const { return neck_channels > 0 ? neck_channels : dim; }
  /// Of what pooling gives.
  int pooledWidth() const {
    if (pooling == Pooling::kAttention) return attention_pool.width;
    return pooling == Pooling::kTokenAndAverage ? 2 * dim : featureWidth();
  }
  /// Of the embedding, which is what a classifier reads.
  int embeddingWidth() const { return projection > 0 ? projection : pooledWidth(); }
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
  /// Not centred: in the upper left corner of the input, with zeros, after normalisation, at the
  /// right and below (Segment Anything).
  bool in_corner = false;
  Interpolation interpolation = Interpolation::kBicubic;
  bool floating_point = false;  ///< resized without rounding to 8 bits (DINOv3's processor)
  std::array<float, 3> mean{0.5F, 0.5F, 0.5F};  ///< RGB, of values in 0...1
  std::array<float, 3> std{0.5F, 0.5F, 0.5F};
  std::array<std::uint8_t, 3> fill{0, 0, 0};  ///< RGB beyond the image's edge
};

struct ModelInfo {
  std::string name;          ///< for people: folder's or file's name
  std::string architecture;  ///< as the config says; may be empty
  std::string family;        ///< "CLIP (transformers)": whose names and config were read
  std::filesystem::path source;
  std::filesystem::path head;        ///< of --head; empty: the classifier is the model's own
  std::filesystem::path dense_head;  ///< of --dense-head; empty: none
  std::string weight_set;            ///< of --weight-set; empty: the file's only or first one
  VitConfig vit;
  Preprocessing preprocessing;
  std::vector<std::string> labels;  ///< one per class; "class 17" where the config names none
  std::int64_t parameters = 0;
  std::vector<std::string> notes;  ///< what was assumed or ignored, in sentences
};

/// What loadModel() would load, from the configs and the tensors' shapes alone. Throws Error as it
/// does, but for NaN and infinity.
ModelInfo describeModel(const std::filesystem::path& path);

}  // namespace adamerge
