// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint.h"

#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "weights/mapped_file.h"
#include "weights/safetensors.h"

namespace adamerge::training {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The metadata that marks the file as ours, and the version of what is in it.
constexpr const char* kFormatKey = "adamerge-train";
constexpr const char* kFormat = "1";
constexpr const char* kStateKey = "state";
constexpr const char* kLogKey = "log";

/// As the option takes it.
std::string valueText(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  return value.dump();
}

}  // namespace

Error brokenCheckpoint(const fs::path& path, const std::string& problem) {
  return Error(
      fmt::format("{}: a broken checkpoint: {}; remove it to begin anew", path.string(), problem));
}

void writeCheckpoint(const fs::path& path, const Checkpoint& checkpoint) {
  const Json state = {{"recipe", toJson(checkpoint.identity.recipe)},
                      {"classes", checkpoint.identity.classes},
                      {"images", checkpoint.identity.images},
                      {"step", checkpoint.step},
                      {"logged_step", checkpoint.logged_step}};
  const std::string text = state.dump(-1, ' ', false, Json::error_handler_t::replace);
  writeSafetensors(path, checkpoint.tensors,
                   {{kFormatKey, kFormat}, {kStateKey, text}, {kLogKey, checkpoint.log}});
}

Checkpoint readCheckpoint(const fs::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  if (!looksLikeSafetensors(*file)) {
    throw Error(fmt::format("{}: no checkpoint of adamerge-train", path.string()));
  }
  const SafetensorsMetadata texts = readSafetensorsMetadata(*file);
  const auto format = texts.find(kFormatKey);
  if (format == texts.end()) {
    throw Error(
        fmt::format("{}: a safetensors file, but no checkpoint of adamerge-train", path.string()));
  }
  if (format->second != kFormat) {
    throw Error(fmt::format("{}: a checkpoint of format {}; this program reads format {}",
                            path.string(), format->second, kFormat));
  }
  Checkpoint checkpoint;
  try {
    const nlohmann::json state = nlohmann::json::parse(texts.at(kStateKey));
    checkpoint.identity.recipe = recipeFromJson(state.at("recipe"));
    checkpoint.identity.classes = state.at("classes").get<std::vector<std::string>>();
    checkpoint.identity.images = state.at("images").get<std::string>();
    checkpoint.step = state.at("step").get<std::int64_t>();
    checkpoint.logged_step = state.at("logged_step").get<std::int64_t>();
    checkpoint.log = texts.at(kLogKey);
    requireUsable(checkpoint.identity.recipe);
  } catch (const nlohmann::json::exception&) {
    throw brokenCheckpoint(path, "fields are missing or of another kind");
  } catch (const std::out_of_range&) {
    throw brokenCheckpoint(path, "its state is missing");
  } catch (const Error& error) {
    throw brokenCheckpoint(path, error.what());
  }
  const TensorFile content = openSafetensors(file);
  for (std::size_t i = 0; i < content.tensors.size(); ++i) {
    checkpoint.tensors[content.tensors[i].name] = content.read(i);
  }
  return checkpoint;
}

void requireSame(const RunIdentity& stored, const RunIdentity& now, const fs::path& path) {
  constexpr const char* kWayOut = "give the same options, or another folder to begin anew";
  const Json before = toJson(stored.recipe);
  const Json wanted = toJson(now.recipe);
  for (const auto& [name, value] : wanted.items()) {
    if (before.at(name) == value) continue;
    throw Error(fmt::format("{}: made with --{} {}, this run has --{} {}; {}", path.string(), name,
                            valueText(before.at(name)), name, valueText(value), kWayOut));
  }
  if (stored.classes != now.classes) {
    throw Error(fmt::format("{}: made for the classes {}, these are {}; {}", path.string(),
                            fmt::join(stored.classes, ", "), fmt::join(now.classes, ", "),
                            kWayOut));
  }
  if (stored.images != now.images) {
    throw Error(fmt::format("{}: made with other images [{}], these are [{}]; {}", path.string(),
                            stored.images, now.images, kWayOut));
  }
}

void copyTensor(const Checkpoint& checkpoint, const std::string& name, const at::Tensor& target,
                const fs::path& path) {
  const auto found = checkpoint.tensors.find(name);
  if (found == checkpoint.tensors.end()) {
    throw brokenCheckpoint(path, fmt::format("tensor '{}' is missing", name));
  }
  const at::Tensor& source = found->second;
  if (source.sizes() != target.sizes() || source.scalar_type() != target.scalar_type()) {
    throw brokenCheckpoint(
        path, fmt::format("tensor '{}' is {} [{}], {} [{}] is expected", name,
                          c10::toString(source.scalar_type()), fmt::join(source.sizes(), ", "),
                          c10::toString(target.scalar_type()), fmt::join(target.sizes(), ", ")));
  }
  const c10::NoGradGuard guard;
  target.copy_(source);
}

}  // namespace adamerge::training
