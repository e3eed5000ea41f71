// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/head_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "adamerge/error.h"
#include "support/text.h"
#include "weights/mapped_file.h"
#include "weights/safetensors.h"

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

}  // namespace adamerge
