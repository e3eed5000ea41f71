// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "adamerge/error.h"
#include "model/load_model.h"
#include "support/text.h"
#include "weights/mapped_file.h"
#include "weights/safetensors.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

constexpr double kLeastLength = 1e-12;
/// Trainings start at 10 or 14.3; CLIP and SigLIP store the logarithm, 4.6 for a hundred.
constexpr double kLeastUsualScale = 7;

class HeadFile {
 public:
  explicit HeadFile(const std::filesystem::path& path) : file_(path.string()) {
    const auto mapped = std::make_shared<const MappedFile>(path);
    if (!looksLikeSafetensors(*mapped)) fail("is no safetensors file, which --head takes");
    metadata_ = readSafetensorsMetadata(*mapped);
    const TensorFile content = openSafetensors(mapped);
    for (std::size_t i = 0; i < content.tensors.size(); ++i) {
      const std::string& name = content.tensors[i].name;
      if (name != "weight" && name != "bias" && name != "logit_scale") {
        fail(fmt::format("holds a tensor '{}'; weight, bias and logit_scale are what --head takes",
                         printable(name, 60)));
      }
      tensors_[name] = content.read(i);
    }
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(fmt::format("{}: {}", file_, problem));
  }

  /// fp32; undefined where there is none.
  at::Tensor find(const std::string& name) const {
    return finiteTensor(tensors_, name, at::kFloat, file_);
  }

  at::Tensor weight(int width) const {
    const at::Tensor weight = find("weight");
    if (!weight.defined()) fail("has no tensor 'weight' [classes, width of the embedding]");
    if (weight.dim() != 2 || weight.size(0) < 1 || weight.size(1) != width) {
      fail(
          fmt::format("'weight' has shape [{}]; this model's embedding is {} wide, so [classes, "
                      "{}] is expected",
                      fmt::join(weight.sizes(), ", "), width, width));
    }
    return weight;
  }

  at::Tensor bias(std::int64_t classes) const {
    const at::Tensor bias = find("bias");
    if (!bias.defined()) return at::zeros({classes}, at::kFloat);
    if (bias.numel() == 1 && bias.dim() <= 1)
      return bias.reshape({1}).expand({classes}).contiguous();
    if (bias.dim() != 1 || bias.size(0) != classes) {
      fail(fmt::format(
          "'bias' has shape [{}]; one number, or [{}] as 'weight' has rows, is expected",
          fmt::join(bias.sizes(), ", "), classes));
    }
    return bias;
  }

  /// 0: none, so that directions are not compared.
  double logitScale() const {
    const at::Tensor scale = find("logit_scale");
    if (!scale.defined()) return 0;
    if (scale.numel() != 1 || scale.dim() > 1) {
      fail(fmt::format("'logit_scale' has shape [{}], one number is expected",
                       fmt::join(scale.sizes(), ", ")));
    }
    const double value = scale.item<float>();
    if (!(value > 0)) fail(fmt::format("'logit_scale' is {}, a number above 0 is expected", value));
    return value;
  }

  std::vector<std::string> classes(std::int64_t count) const {
    std::vector<std::string> names;
    const auto found = metadata_.find("classes");
    if (found == metadata_.end()) {
      for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("class {}", i));
      return names;
    }
    const nlohmann::json list = nlohmann::json::parse(found->second, nullptr, false);
    if (!list.is_array() || list.size() != static_cast<std::size_t>(count)) {
      fail(fmt::format("its metadata 'classes' is no JSON list of {} names", count));
    }
    for (const nlohmann::json& name : list) {
      if (!name.is_string()) fail("its metadata 'classes' holds what is no text");
      names.push_back(oneLine(name.get<std::string>()));
    }
    return names;
  }

 private:
  std::string file_;
  SafetensorsMetadata metadata_;
  StateDict tensors_;
};

constexpr double kBatchNormEpsilon = 1e-5;

/// mmseg's names; the auxiliary head and the backbone beside it are of no use here.
constexpr std::string_view kDecoder = "decode_head.";
constexpr std::string_view kClassifier = "decode_head.conv_seg.";

class DenseHeadFile {
 public:
  explicit DenseHeadFile(const std::filesystem::path& path) : file_(path.string()) {
    const auto mapped = std::make_shared<const MappedFile>(path);
    if (mapped->text().starts_with("PK\x03\x04")) {
      readCheckpoint(openCheckpoint(mapped));
    } else if (looksLikeSafetensors(*mapped)) {
      readSafetensors(mapped);
    } else {
      fail(
          "is neither safetensors nor a PyTorch checkpoint (zip format), which --dense-head takes");
    }
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(fmt::format("{}: {}", file_, problem));
  }

  /// fp64; undefined where there is none.
  at::Tensor find(const std::string& name) const {
    return finiteTensor(tensors_, name, at::kDouble, file_);
  }

  /// [classes, width], and how many blocks of `dim` it reads.
  at::Tensor weight(const VitConfig& vit) const {
    at::Tensor weight = find("weight");
    if (!weight.defined()) fail("has no tensor 'weight' (of mmseg: 'decode_head.conv_seg.weight')");
    const bool convolution = weight.dim() == 4 && weight.size(2) == 1 && weight.size(3) == 1;
    if (!convolution && weight.dim() != 2) {
      fail(
          fmt::format("'weight' has shape [{}]; [classes, width] or [classes, width, 1, 1] is "
                      "expected",
                      fmt::join(weight.sizes(), ", ")));
    }
    weight = weight.reshape({weight.size(0), weight.size(1)});
    const std::int64_t width = weight.size(1);
    const int own = vit.featureWidth();
    const int most = vit.neck_channels > 0 ? 1 : vit.depth;  // the neck follows the last block
    if (width < 1 || width % own != 0 || width / own > most) {
      fail(
          fmt::format("its classifier reads {} numbers a patch; this model's patches have {}, and "
                      "the features of {} can be read",
                      width, own,
                      most == 1 ? std::string("the last block")
                                : fmt::format("its last 1 to {} blocks", most)));
    }
    constexpr std::int64_t kMostClasses = std::numeric_limits<std::uint16_t>::max();
    if (weight.size(0) < 1 || weight.size(0) > kMostClasses) {
      fail(fmt::format("it has {} classes; 1 to {} are possible", weight.size(0), kMostClasses));
    }
    return weight;
  }

  /// `name` of `length` numbers; undefined where there is none.
  at::Tensor row(const std::string& name, std::int64_t length) const {
    const at::Tensor tensor = find(name);
    if (tensor.defined() && (tensor.dim() != 1 || tensor.size(0) != length)) {
      fail(fmt::format("'{}' has shape [{}], [{}] is expected", name,
                       fmt::join(tensor.sizes(), ", "), length));
    }
    return tensor;
  }

  /// One a class; none where the file names none.
  std::vector<std::string> names(std::int64_t classes) const {
    if (names_.is_null()) return {};
    const auto text = [](const nlohmann::json& name) { return name.is_string(); };
    if (!names_.is_array() || !std::all_of(names_.begin(), names_.end(), text) ||
        names_.size() != static_cast<std::size_t>(classes)) {
      fail(fmt::format("its names of classes are no list of {} texts", classes));
    }
    std::vector<std::string> names;
    for (const nlohmann::json& name : names_) names.push_back(oneLine(name.get<std::string>()));
    return names;
  }

 private:
  void readSafetensors(const std::shared_ptr<const MappedFile>& mapped) {
    const SafetensorsMetadata metadata = readSafetensorsMetadata(*mapped);
    const TensorFile content = openSafetensors(mapped);
    for (std::size_t i = 0; i < content.tensors.size(); ++i) {
      const std::string& name = content.tensors[i].name;
      const bool known = name == "weight" || name == "bias" || name.starts_with("bn.");
      if (!known) {
        fail(fmt::format("holds a tensor '{}'; weight, bias and bn.* are what --dense-head takes",
                         printable(name, 60)));
      }
      tensors_[name] = content.read(i);
    }
    const auto classes = metadata.find("classes");
    if (classes == metadata.end()) return;
    names_ = nlohmann::json::parse(classes->second, nullptr, /*allow_exceptions=*/false);
  }

  void readCheckpoint(const TensorFile& content) {
    for (std::size_t i = 0; i < content.tensors.size(); ++i) {
      std::string_view name = content.tensors[i].name;
      if (name.starts_with(kClassifier)) {
        name.remove_prefix(kClassifier.size());
      } else if (name.starts_with(kDecoder)) {
        name.remove_prefix(kDecoder.size());
      } else {
        continue;
      }
      if (name.ends_with("num_batches_tracked")) continue;
      const bool known = name == "weight" || name == "bias" || name.starts_with("bn.");
      if (!known) {
        fail(
            fmt::format("its decoder has '{}', so it is no linear head; of mmseg's heads those of "
                        "one 1 x 1 convolution after a batch norm are read",
                        printable(content.tensors[i].name, 60)));
      }
      if (!tensors_.try_emplace(std::string(name), content.read(i)).second) {
        fail(fmt::format("holds '{}' twice", printable(content.tensors[i].name, 60)));
      }
    }
    if (content.values == nullptr) return;
    const auto meta = content.values->find("meta");
    if (meta != content.values->end() && meta->is_object() && meta->contains("CLASSES")) {
      names_ = meta->at("CLASSES");
    }
  }

  std::string file_;
  StateDict tensors_;     ///< under the safetensors form's names
  nlohmann::json names_;  ///< null: none
};

}  // namespace

at::Tensor finiteTensor(const StateDict& tensors, const std::string& name, at::ScalarType type,
                        const std::string& file) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) return {};
  if (!found->second.is_floating_point()) {
    throw Error(fmt::format("{}: '{}' is of type {}, a floating-point type is expected", file, name,
                            at::toString(found->second.scalar_type())));
  }
  const at::Tensor tensor = found->second.to(type).contiguous();
  if (!at::isfinite(tensor).all().item<bool>()) {
    throw Error(fmt::format("{}: '{}' holds NaN or infinity", file, name));
  }
  return tensor;
}

void replaceHead(LoadedModel& model, const std::filesystem::path& path) {
  const HeadFile file(path);
  ModelInfo& info = model.info;
  info.head = path;
  at::Tensor weight = file.weight(info.vit.embeddingWidth());
  const std::int64_t classes = weight.size(0);
  const at::Tensor bias = file.bias(classes);
  const double scale = file.logitScale();
  if (scale > 0) {
    const at::Tensor lengths = weight.norm(2, 1, /*keepdim=*/true);
    const at::Tensor odd =
        at::logical_not((lengths >= kLeastLength).logical_and(lengths.isfinite()));
    if (odd.any().item<bool>()) {
      const auto row = odd.to(at::kInt).argmax().item<std::int64_t>();
      file.fail(
          fmt::format("row {} of 'weight' has the length {}, so it has no direction to compare",
                      row, lengths[row].item<float>()));
    }
    weight = weight / lengths * scale;
    if (scale < kLeastUsualScale) {
      info.notes.push_back(fmt::format(
          "{}: logit_scale is {:.4g}, which looks like the logarithm that CLIP and SigLIP store; "
          "the multiplier itself is meant.",
          path.string(), scale));
    }
  }
  info.labels = file.classes(classes);
  for (const char* name : {"head.weight", "head.bias", "head_dist.weight", "head_dist.bias"}) {
    if (const auto old = model.weights.find(name); old != model.weights.end()) {
      info.parameters -= old->second.numel();
      model.weights.erase(old);
    }
  }
  model.weights["head.weight"] = weight;
  model.weights["head.bias"] = bias;
  info.parameters += weight.numel() + bias.numel();
  info.vit.classes = static_cast<int>(classes);
  // What two heads read stays one embedding, the mean of both tokens.
  info.vit.two_heads = false;
  info.vit.normalised_head = scale > 0;
  info.notes.push_back(
      fmt::format("The classifier of {} classes is that of {}.", classes, path.string()));
}

void addDenseHead(LoadedModel& model, const std::filesystem::path& path) {
  const DenseHeadFile file(path);
  ModelInfo& info = model.info;
  at::Tensor weight = file.weight(info.vit);
  const std::int64_t classes = weight.size(0);
  const std::int64_t width = weight.size(1);
  at::Tensor bias = file.row("bias", classes);
  if (!bias.defined()) bias = at::zeros({classes}, at::kDouble);
  constexpr std::array<const char*, 4> kBatchNorm{"bn.weight", "bn.bias", "bn.running_mean",
                                                  "bn.running_var"};
  std::array<at::Tensor, 4> norm;
  int parts = 0;
  for (std::size_t i = 0; i < norm.size(); ++i) {
    norm[i] = file.row(kBatchNorm[i], width);
    parts += norm[i].defined() ? 1 : 0;
  }
  if (parts != 0 && parts != static_cast<int>(norm.size())) {
    file.fail(fmt::format("has {} of the four tensors {}; all or none are expected", parts,
                          fmt::join(kBatchNorm, ", ")));
  }
  if (parts > 0) {
    const auto& [scale, shift, mean, variance] = norm;
    if ((variance < 0).any().item<bool>()) file.fail("'bn.running_var' holds negative numbers");
    const at::Tensor factor = scale / (variance + kBatchNormEpsilon).sqrt();
    bias = bias + weight.mv(shift - mean * factor);
    weight = weight * factor.unsqueeze(0);
  }
  DenseHead& head = info.vit.dense;
  head.classes = static_cast<int>(classes);
  head.blocks = static_cast<int>(width / info.vit.featureWidth());
  head.names = file.names(classes);
  info.dense_head = path;
  weight = weight.to(at::kFloat);
  bias = bias.to(at::kFloat);
  if (!weight.isfinite().all().item<bool>() || !bias.isfinite().all().item<bool>()) {
    file.fail("its numbers are too large: with the batch norm folded in they exceed float32");
  }
  model.weights["dense_head.weight"] = weight;
  model.weights["dense_head.bias"] = bias;
  info.parameters += weight.numel() + bias.numel();
  info.notes.push_back(fmt::format(
      "The dense head of {} classes is that of {}; it reads {}.", classes, path.string(),
      head.blocks == 1 ? std::string("the last block")
                       : fmt::format("the last {} blocks", head.blocks)));
}

}  // namespace adamerge
