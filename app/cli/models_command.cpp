// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "commands.h"
#include "options.h"
#include "output_files.h"
#include "support/json.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

struct ModelsOptions {
  std::vector<std::string> fetch;
  std::string json;
  bool quiet = false;
};

/// "12 blocks, 768 wide, 12 heads, 224 x 224 pixels, 1000 classes".
std::string shapeText(const VitConfig& vit) {
  return fmt::format("{} blocks, {} wide, {} heads, {} x {} pixels, {}", vit.depth, vit.dim,
                     vit.heads, vit.input_width, vit.input_height,
                     vit.classes > 0 ? fmt::format("{} classes", vit.classes) : "no classifier");
}

void print(const std::vector<hub::CachedModel>& models, const hub::Settings& settings) {
  std::size_t width = 0;
  for (const hub::CachedModel& model : models) width = std::max(width, model.name.text().size());
  for (const hub::CachedModel& model : models) {
    fmt::print("{:<{}}  {:>9.1f} MB  {}\n", model.name.text(), width,
               static_cast<double>(model.bytes) / 1e6,
               model.info ? shapeText(model.info->vit) : "does not run: " + model.problem);
  }
  fmt::print("{} in {}\n", models.empty() ? "no models" : fmt::format("{} models", models.size()),
             settings.cache.string());
}

nlohmann::ordered_json toJson(const std::vector<hub::CachedModel>& models,
                              const hub::Settings& settings) {
  auto list = nlohmann::ordered_json::array();
  for (const hub::CachedModel& model : models) {
    nlohmann::ordered_json entry = {{"name", model.name.repository},
                                    {"revision", model.name.revision},
                                    {"folder", model.folder.string()},
                                    {"bytes", model.bytes},
                                    {"runs", model.info.has_value()}};
    if (model.info) {
      entry["depth"] = model.info->vit.depth;
      entry["dim"] = model.info->vit.dim;
      entry["heads"] = model.info->vit.heads;
      entry["input_size"] = {model.info->vit.input_height, model.info->vit.input_width};
      entry["classes"] = model.info->vit.classes;
    } else {
      entry["problem"] = model.problem;
    }
    list.push_back(std::move(entry));
  }
  return {{"cache", settings.cache.string()}, {"models", std::move(list)}};
}

int run(const ModelsOptions& options, const std::stop_token& stop) {
  Terminal terminal(options.quiet);
  requireWritable(options.json);
  std::vector<hub::ModelName> names;
  for (const std::string& text : options.fetch) {
    const auto name = hub::parseName(text);
    if (!name) throw UsageError(fmt::format("--fetch takes OWNER/NAME[@REVISION], not '{}'", text));
    names.push_back(*name);
  }
  for (const hub::ModelName& name : names) refreshModel(name, terminal, stop);
  const hub::Settings settings = hub::settingsFromEnvironment();
  const std::vector<hub::CachedModel> models = hub::list(settings, stop);
  if (options.json != "-") print(models, settings);
  if (!options.json.empty()) writeOutput(options.json, jsonText(toJson(models, settings)));
  return 0;
}

}  // namespace

Command modelsCommand(CLI::App& app) {
  auto options = std::make_shared<ModelsOptions>();
  CLI::App* command = app.add_subcommand(
      "models", "What is in the Hugging Face cache, and which of it would run here");
  takesText(*command
                 ->add_option("--fetch", options->fetch,
                              "First fetch this model of the hub, or what is new of it; may be "
                              "repeated")
                 ->allow_extra_args(false),
            "OWNER/NAME");
  takesText(
      *command->add_option("--json", options->json, "Write the list as JSON; - is standard output"),
      "FILE");
  command->add_flag("--quiet", options->quiet, "No progress bar, no notes");
  return {command, [options](const std::stop_token& stop) { return run(*options, stop); }};
}

}  // namespace adamerge::cli
