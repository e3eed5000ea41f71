// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "model/family.h"

namespace adamerge {

/// Arguments as a config gives them, over those that an architecture is known by.
class TimmArguments {
 public:
  TimmArguments(const ConfigFields& given, const ConfigFields& known)
      : given_(given), known_(known) {}
  const ConfigFields& at(std::string_view key) const {
    static_cast<void>(known_.find(key));
    return given_.has(key) ? given_ : known_;
  }
  bool has(std::string_view key) const { return at(key).has(key); }
  /// Null is said, not nothing.
  bool isNull(std::string_view key) const {
    const nlohmann::json& object = (given_.object().contains(key) ? given_ : known_).object();
    return object.contains(key) && object.at(std::string(key)).is_null();
  }
  Field<int> count(std::string_view key) const { return at(key).count(key); }
  Field<double> number(std::string_view key) const { return at(key).number(key); }
  Field<bool> flag(std::string_view key) const { return at(key).flag(key); }
  bool flag(std::string_view key, bool fallback) const {
    return flag(key).value.value_or(fallback);
  }
  Field<std::string> text(std::string_view key) const { return at(key).text(key); }
  Field<InputSize> size(std::string_view key) const { return at(key).size(key); }
  [[noreturn]] void fail(std::string_view key, std::string_view problem) const {
    at(key).fail(key, problem);
  }
  std::string name(std::string_view key) const { return at(key).name(key); }
  const ConfigFields& given() const { return given_; }

 private:
  ConfigFields given_, known_;
};

/// What a config in timm's form has beside its arguments: the count of classes, and unknown fields,
/// which are told. Throws Error: two counts that differ.
void readTimmRoot(const ConfigFields& fields, ModelConfig& config);

/// Gives the tensors the names of model/network.h, as far as names alone tell them.
void takeTimmNames(FileTensors& tensors);

/// Grouped queries (Ainslie et al. 2023): query head h of H uses key head h / (H / `num_kv_heads`),
/// a number, or one for each block. Keys and values are repeated for the queries' heads, as timm
/// does, which a note tells. Throws Error: a count that does not fit heads, blocks or tensors.
void repeatTimmKeys(const TimmArguments& args, FileTensors& tensors, ModelConfig& config);

/// "global_pool". Throws Error: one that cannot run here.
Field<Pooling> timmPooling(const ConfigFields& fields);

/// A network of timm's classes VisionTransformer, Eva and Beit: what the architecture `name` and
/// `args` (timm's model_args, over the architecture's own) say; the tensors get the names of
/// model/network.h. `file` and `prefix` are for messages.
ModelConfig readTimmNetwork(const std::string& name, const nlohmann::json& args,
                            const std::string& file, const std::string& prefix,
                            FileTensors& tensors);

/// The same of model_args, `given`, which may name no pooling: that is then `informative`, unless
/// the architecture has its own. The size is what they say, not what the weights were made for.
ModelConfig readTimmArguments(const std::string& name, const ConfigFields& given,
                              const Field<Pooling>& informative, FileTensors& tensors);

/// The same of class VisionTransformerSAM.
ModelConfig readTimmSam(const std::string& name, const TimmArguments& args, FileTensors& tensors);

/// Throws Error where the config's `architecture` is none of those classes'.
void requireTimmArchitecture(const ConfigFields& config);

/// What timm 1.0.31 says of an architecture, as arguments of its class; null where it is not known.
const nlohmann::json* timmArchitecture(const std::string& name);

}  // namespace adamerge
