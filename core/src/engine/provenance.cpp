// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "support/json.h"
#include "support/program.h"

namespace adamerge {
namespace {

constexpr int kMostBlocks = 10000;

constexpr const char* kPlace = "the settings stored in the figure cannot be used";

Settings settingsOf(const JsonFields& fields, const std::string& method) {
  const Settings settings = fields.settings("settings").required();
  try {
    return completeSettings({method, settings, nullptr, false});
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", kPlace, error.what()));
  }
}

Provenance provenanceOf(const nlohmann::json& json) {
  const JsonFields fields = JsonFields::of(json, kPlace);
  fields.count("format", kProvenanceFormat, kProvenanceFormat).required();
  Provenance provenance;
  if (fields.object().contains("trace")) {
    throw Error(fmt::format("{}: it shows a trace, {}, whose method is its own", kPlace,
                            fields.text("trace").required()));
  }
  provenance.model = fields.text("model").required();
  provenance.model_source = fields.text("model_source").required();
  provenance.image = fields.text("image").required();
  provenance.choice.method = fields.text("method").required();
  provenance.choice.settings = settingsOf(fields, provenance.choice.method);
  if (!fields.object().contains("block")) fields.fail("block", "is missing");
  provenance.layer = fields.count("block", 1, kMostBlocks).valueOr(0) - 1;
  provenance.device = fields.text("device").required();
  provenance.dtype = fields.text("dtype").required();
  return provenance;
}

}  // namespace

std::string provenanceJson(const ModelInfo& model, std::string_view device, std::string_view dtype,
                           std::string_view image, const MethodChoice& choice, int layer) {
  using Ordered = nlohmann::ordered_json;
  const Ordered json = {{"format", kProvenanceFormat},
                        {"program", kProgram},
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
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw Error(fmt::format("{}: it is not valid JSON", kPlace));
  if (!json.is_array()) return {provenanceOf(json)};
  if (json.empty()) throw Error(fmt::format("{}: it is an empty list", kPlace));
  std::vector<Provenance> list;
  // A trace beside a run of ours has no settings to restore.
  for (const nlohmann::json& entry : json) {
    if (!entry.is_object() || !entry.contains("trace")) list.push_back(provenanceOf(entry));
  }
  if (list.empty()) list.push_back(provenanceOf(json.front()));
  return list;
}

}  // namespace adamerge
