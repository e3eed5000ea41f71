// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "adamerge/error.h"
#include "support/text.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

constexpr std::size_t kLongestName = 1000;

/// A patch embedding's weight, and the prefixes before it that are part of a family's own names.
struct Anchor {
  std::string_view name;
  std::vector<std::string_view> own_prefixes;
};

const std::array<Anchor, 5>& anchors() {
  static const std::vector<std::string_view> kHuggingFace{
      "vit.",          "deit.", "dinov2.", "dinov2_with_registers.", "beit.", "data2vec_vision.",
      "vision_model.", "ijepa."};
  static const std::array<Anchor, 5> kAnchors{{
      {"patch_embed.proj.weight", {"visual.trunk.", "trunk."}},
      {"embeddings.patch_embeddings.projection.weight", kHuggingFace},
      {"embeddings.patch_embeddings.weight", kHuggingFace},
      {"embeddings.patch_embedding.weight", kHuggingFace},
      {"conv1.weight", {"visual."}},
  }};
  return kAnchors;
}

/// Where a state dict usually lies, the likeliest first.
constexpr std::array<std::string_view, 4> kUsualKeys{"model", "state_dict", "model_state_dict",
                                                     "model_state"};
constexpr std::array<std::string_view, 2> kWrappers{"module.", "_orig_mod."};

bool endsAtComponent(std::string_view name, std::string_view end) {
  return name.ends_with(end) &&
         (name.size() == end.size() || name[name.size() - end.size() - 1] == '.');
}

std::vector<std::string_view> components(std::string_view place) {
  std::vector<std::string_view> parts;
  while (!place.empty()) {
    const std::size_t dot = std::min(place.find('.'), place.size() - 1);
    parts.push_back(place.substr(0, dot));
    place.remove_prefix(dot + 1);
  }
  return parts;
}

/// `place` ends with a dot.
bool hasComponent(std::string_view place, std::string_view wanted) {
  const auto parts = components(place);
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

/// "state_dict_ema.", "ema_model.": the word between underscores.
bool isAveraged(std::string_view place) {
  const auto parts = components(place);
  return std::any_of(parts.begin(), parts.end(), [](std::string_view part) {
    return part == "teacher" || part == "target_encoder" ||
           fmt::format("_{}_", part).find("_ema_") != std::string::npos;
  });
}

struct Candidate {
  std::string container;
  std::string prefix;
  std::map<std::string_view, std::size_t> tensors;  ///< by their names after the prefix

  std::string place() const { return container + prefix; }
  /// For messages.
  std::string label() const {
    const std::string whole = place();
    return whole.empty() ? "the tensors without prefix"
                         : printable(std::string_view(whole).substr(0, whole.size() - 1), 60);
  }
};

class Chooser {
 public:
  Chooser(const std::vector<TensorPlace>& tensors, const std::string& file)
      : tensors_(tensors), file_(file) {}

  WeightSet choose(const std::string& wanted) {
    if (tensors_.empty()) throw Error(fmt::format("{}: holds no tensors", file_));
    findNetworks();
    const bool networks = !candidates_.empty();
    if (!networks) {
      for (const TensorPlace& tensor : tensors_) addCandidate(tensor.container, "");
    }
    assign();
    const Candidate& chosen =
        wanted.empty() ? (networks ? bestNetwork() : bestContainer()) : named(wanted);
    WeightSet set;
    set.container = chosen.container;
    std::string prefix = chosen.prefix;
    for (const auto& [name, index] : chosen.tensors) set.tensors.emplace_back(name, index);
    if (!networks) prefix = removeCommonWrappers(set);
    for (const Candidate& candidate : candidates_) set.places.push_back(candidate.place());
    tell(chosen, prefix, set.notes);
    return set;
  }

 private:
  void addCandidate(const std::string& container, std::string_view prefix) {
    const auto [slot, added] =
        slots_.try_emplace({container, std::string(prefix)}, candidates_.size());
    if (added) candidates_.push_back({container, std::string(prefix), {}});
  }

  void findNetworks() {
    std::set<std::pair<std::string_view, std::string_view>> names;
    for (const TensorPlace& tensor : tensors_) {
      if (tensor.name.size() > kLongestName) {
        throw Error(fmt::format("{}: a tensor's name has {} characters ({}), at most {} are read",
                                file_, tensor.name.size(), printable(tensor.name, 40),
                                kLongestName));
      }
      names.emplace(tensor.container, tensor.name);
    }
    for (const auto& [container, name] : names) {
      for (const Anchor& anchor : anchors()) {
        if (!endsAtComponent(name, anchor.name)) continue;
        std::string_view root = name.substr(0, name.size() - anchor.name.size());
        std::string_view own;
        for (const std::string_view prefix : anchor.own_prefixes) {
          if (endsAtComponent(root, prefix) && prefix.size() > own.size()) own = prefix;
        }
        // Many networks begin with a convolution of that name; CLIP's has a class embedding.
        const std::string beside = fmt::format("{}class_embedding", root);
        if (anchor.name == "conv1.weight" && own.empty() && !names.contains({container, beside})) {
          continue;
        }
        root.remove_suffix(own.size());
        addCandidate(std::string(container), root);
      }
    }
  }

  /// A tensor belongs to the candidate with the longest prefix that it has.
  void assign() {
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      const std::string& name = tensors_[i].name;
      std::size_t length = name.size();
      auto slot = slots_.end();
      while (slot == slots_.end() && length > 0) {
        const std::size_t dot = length == 1 ? std::string::npos : name.rfind('.', length - 2);
        length = dot == std::string::npos ? 0 : dot + 1;
        slot = slots_.find({tensors_[i].container, name.substr(0, length)});
      }
      if (slot == slots_.end()) {
        outside_.push_back(i);
        continue;
      }
      // Of a key that is set twice the last value counts, as in Python.
      candidates_[slot->second].tensors.insert_or_assign(std::string_view(name).substr(length), i);
    }
  }

  [[noreturn]] void refuseSeveral(std::string_view why) const {
    std::vector<std::string> labels;
    for (const Candidate& candidate : candidates_) labels.push_back(candidate.label());
    throw Error(fmt::format(
        "{}: holds {} sets of weights ({}){}; name the one that is meant (--weight-set)", file_,
        labels.size(), someOf(labels), why));
  }

  const Candidate& named(const std::string& wanted) const {
    std::vector<const Candidate*> found;
    for (const Candidate& candidate : candidates_) {
      const std::string place = candidate.place();
      if (place == wanted || place == wanted + "." || hasComponent(place, wanted)) {
        found.push_back(&candidate);
      }
    }
    if (found.size() == 1) return *found.front();
    std::vector<std::string> labels;
    for (const Candidate& candidate : candidates_) labels.push_back(candidate.label());
    throw Error(fmt::format("{}: {} set of weights is called '{}'; there are: {}", file_,
                            found.empty() ? "no" : "more than one", printable(wanted, 60),
                            someOf(labels)));
  }

  /// Whether one can stand for the other: tensors of the same name have the same shape.
  bool sameShapes(const Candidate& a, const Candidate& b) const {
    return std::all_of(a.tensors.begin(), a.tensors.end(), [&](const auto& item) {
      const auto other = b.tensors.find(item.first);
      return other == b.tensors.end() ||
             tensors_[other->second].shape == tensors_[item.second].shape;
    });
  }

  template <class Condition>
  const Candidate* only(Condition condition) const {
    const auto first = std::find_if(candidates_.begin(), candidates_.end(), condition);
    if (first == candidates_.end()) return nullptr;
    return std::none_of(first + 1, candidates_.end(), condition) ? &*first : nullptr;
  }

  const Candidate& bestNetwork() const {
    if (candidates_.size() == 1) return candidates_.front();
    const auto averaged = [](const Candidate& one) { return isAveraged(one.place()); };
    if (const Candidate* best = only(averaged)) {
      for (const Candidate& other : candidates_) {
        if (!sameShapes(*best, other)) refuseSeveral(" of different shapes");
      }
      return *best;
    }
    // MoCo v3 evaluates the encoder that is trained by gradients.
    const Candidate* base =
        only([](const Candidate& one) { return hasComponent(one.place(), "base_encoder"); });
    const Candidate* momentum =
        only([](const Candidate& one) { return hasComponent(one.place(), "momentum_encoder"); });
    if (candidates_.size() == 2 && base != nullptr && momentum != nullptr) return *base;
    refuseSeveral("");
  }

  const Candidate& bestContainer() const {
    if (candidates_.size() == 1) return candidates_.front();
    const auto inContainer = [this](const std::string& container) {
      return only([&](const Candidate& one) { return one.container == container; });
    };
    if (const Candidate* root = inContainer("")) return *root;
    const auto averaged = [](const Candidate& one) { return isAveraged(one.place()); };
    if (const Candidate* best = only(averaged)) return *best;
    for (const std::string_view key : kUsualKeys) {
      if (const Candidate* usual = inContainer(fmt::format("{}.", key))) return *usual;
    }
    refuseSeveral("");
  }

  std::string removeCommonWrappers(WeightSet& set) const {
    std::string removed;
    for (auto wrapper = kWrappers.begin(); wrapper != kWrappers.end();) {
      const bool common =
          std::all_of(set.tensors.begin(), set.tensors.end(), [wrapper](const auto& tensor) {
            return tensor.first.size() > wrapper->size() && tensor.first.starts_with(*wrapper);
          });
      if (!common) {
        ++wrapper;
        continue;
      }
      for (auto& [name, index] : set.tensors) name.erase(0, wrapper->size());
      removed += *wrapper;
      wrapper = kWrappers.begin();
    }
    return removed;
  }

  void tell(const Candidate& chosen, const std::string& prefix,
            std::vector<std::string>& notes) const {
    std::vector<std::string> others;
    for (const Candidate& candidate : candidates_) {
      if (&candidate != &chosen) others.push_back(candidate.label());
    }
    if (!others.empty()) {
      notes.push_back(fmt::format("Of {} sets of weights in the file, {} was taken, not {}.",
                                  candidates_.size(), chosen.label(), someOf(others)));
    }
    if (!prefix.empty()) {
      notes.push_back(
          fmt::format("The prefix '{}' was taken off the tensors' names.", printable(prefix, 60)));
    }
    std::vector<std::string_view> outside;
    for (const std::size_t i : outside_) {
      if (tensors_[i].container == chosen.container) outside.push_back(tensors_[i].name);
    }
    if (!outside.empty()) {
      notes.push_back(fmt::format("Passed over beside the network: {}.", someOf(outside)));
    }
  }

  const std::vector<TensorPlace>& tensors_;
  const std::string& file_;
  std::vector<Candidate> candidates_;
  std::map<std::pair<std::string, std::string>, std::size_t> slots_;
  std::vector<std::size_t> outside_;
};

}  // namespace

WeightSet chooseWeights(const std::vector<TensorPlace>& tensors, const std::string& file,
                        const std::string& wanted) {
  return Chooser(tensors, file).choose(wanted);
}

}  // namespace adamerge
