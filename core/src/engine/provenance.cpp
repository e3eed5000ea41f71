// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/provenance.h"

#include <fmt/format.h>

#include "adamerge/error.h"
#include "support/json.h"

namespace adamerge {
namespace {

constexpr int kFormat = 1;
constexpr int kMostBlocks = 10000;

using Json = nlohmann::json;

[[noreturn]] void fail(const std::string& what) {
  throw Error(fmt::format("the settings stored in the figure cannot be used: {}", what));
}

const Json& field(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) fail(fmt::format("\"{}\" is missing", key));
  return *found;
}

std::string text(const Json& json, const char* key) {
  const Json& value = field(json, key);
  if (!value.is_string()) fail(fmt::format("\"{}\" must be text", key));
  return value.get<std::string>();
}

int layerOf(const Json& json) {
  const Json& block = field(json, "block");
  if (block.is_null()) return -1;
  const bool good = block.is_number_integer() && block.get<std::int64_t>() >= 1 &&
                    block.get<std::int64_t>() <= kMostBlocks;
  if (!good) fail("\"block\" must be a whole number from 1, or null");
  return block.get<int>() - 1;
}

MethodChoice choiceOf(const Json& json) {
  MethodChoice choice;
  choice.method = text(json, "method");
  const Json& settings = field(json, "settings");
  if (!settings.is_object()) fail("\"settings\" must be an object");
  for (const auto& [key, value] : settings.items()) {
    const std::optional<SettingValue> setting = settingFromJson(value);
    if (!setting) {
      fail(
          fmt::format("setting \"{}\" must be a number, text, true, false or a list of whole "
                      "numbers",
                      key));
    }
    choice.settings[key] = *setting;
  }
  try {
    choice.settings = completeSettings(choice);
  } catch (const Error& error) {
    fail(error.what());
  }
  return choice;
}

Provenance provenanceOf(const Json& json) {
  if (!json.is_object()) fail("it must be a JSON object");
  const Json& format = field(json, "format");
  if (!format.is_number_integer() || format.get<std::int64_t>() != kFormat) {
    fail(fmt::format("its \"format\" must be {}; a newer program may have written it", kFormat));
  }
  Provenance provenance;
  provenance.model = text(json, "model");
  provenance.model_source = text(json, "model_source");
  provenance.image = text(json, "image");
  provenance.choice = choiceOf(json);
  provenance.layer = layerOf(json);
  provenance.device = text(json, "device");
  provenance.dtype = text(json, "dtype");
  return provenance;
}

}  // namespace

std::string provenanceJson(const ModelInfo& model, std::string_view device, std::string_view dtype,
                           std::string_view image, const MethodChoice& choice, int layer) {
  using Ordered = nlohmann::ordered_json;
  const Ordered json = {{"format", kFormat},
                        {"program", "AdaMerge Studio"},
                        {"model", model.name},
                        {"model_source", model.source.string()},
                        {"image", image},
                        {"method", choice.method},
                        {"settings", toJson(completeSettings(choice))},
                        {"block", layer < 0 ? Ordered(nullptr) : Ordered(layer + 1)},
                        {"device", device},
                        {"dtype", dtype}};
  return json.dump(-1, ' ', true, Ordered::error_handler_t::replace);
}

std::vector<Provenance> parseProvenance(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) fail("it is not valid JSON");
  if (!json.is_array()) return {provenanceOf(json)};
  if (json.empty()) fail("it is an empty list");
  std::vector<Provenance> list;
  for (const Json& entry : json) list.push_back(provenanceOf(entry));
  return list;
}

}  // namespace adamerge
