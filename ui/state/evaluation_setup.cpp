// SPDX-License-Identifier: GPL-3.0-or-later
#include "state/evaluation_setup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <QCoreApplication>
#include <algorithm>
#include <cctype>

#include "adamerge/error.h"
#include "compute/choice_family.h"

namespace adamerge::ui {
namespace {

std::string words(const char* text) {
  return QCoreApplication::translate("adamerge::ui::EvaluationSetup", text).toStdString();
}

bool merges(const MethodInfo& method) { return method.id != MethodChoice{}.method; }

/// For a shell.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("-_./,:=+@%").find(char(c)) != std::string::npos;
  });
  if (plain) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

EvaluationSetup EvaluationSetup::standard() {
  EvaluationSetup setup;
  for (const MethodInfo& method : adamerge::methods()) {
    if (merges(method)) setup.methods.push_back(method.id);
  }
  return setup;
}

EvaluationRequest makeRequest(const EvaluationSetup& setup,
                              const std::vector<MethodChoice>& canvases) {
  EvaluationRequest request;
  if (setup.data.empty()) throw Error(words("Choose a folder of images."));
  request.data = setup.data;
  request.dataset.unlabelled = setup.unlabelled;
  if (!setup.unlabelled) request.dataset.labels = setup.labels;
  request.limit = static_cast<std::size_t>(setup.limit);
  request.seed = static_cast<unsigned>(setup.seed);
  for (const std::string& id : setup.methods) {
    MethodChoice method{id, {}, nullptr, false};
    method.settings = completeSettings(method);
    request.methods.push_back(std::move(method));
  }
  if (setup.canvases) {
    for (const MethodChoice& choice : canvases) {
      if (choice.method == MethodChoice{}.method) continue;
      request.exact.push_back(choice);
      // Over the range too: that is the curve its point lies on.
      const bool known =
          std::any_of(request.methods.begin(), request.methods.end(),
                      [&](const MethodChoice& other) { return sameButCompression(other, choice); });
      if (!known) request.methods.push_back(choice);
    }
  }
  if (request.methods.empty()) throw Error(words("Choose a method."));
  const auto takes = [&](const std::string& key) {
    return std::any_of(request.methods.begin(), request.methods.end(), [&](const auto& method) {
      const CompressionKnob* knob = compressionKnob(method);
      return knob != nullptr && knob->key == key;
    });
  };
  if (setup.by_flops) {
    request.tiers = parseTiers("FLOPs", setup.flops);
    return request;
  }
  if (takes("r_max")) request.counts["r_max"] = parseCounts("r_max", setup.r_max);
  if (takes("r")) request.counts["r"] = parseCounts("r", setup.r);
  countedChoices(request);
  return request;
}

std::string equivalentCommand(const EvaluationSetup& setup, const LoadedModel& model) {
  std::string text = fmt::format("adamerge evaluate {} --model {} --device {} --dtype {}",
                                 quoted(setup.data.string()), quoted(model.info.source.string()),
                                 model.device, model.dtype);
  text += fmt::format(" --methods {}", fmt::join(setup.methods, ","));
  if (setup.unlabelled) text += " --unlabelled";
  if (!setup.unlabelled && !setup.labels.empty()) {
    text += " --labels " + quoted(setup.labels.string());
  }
  const auto names = [&](const char* key) {
    return std::any_of(setup.methods.begin(), setup.methods.end(), [&](const std::string& id) {
      const CompressionKnob* knob = compressionKnob({id, {}, nullptr, false});
      return knob != nullptr && knob->key == key;
    });
  };
  if (setup.by_flops) {
    text += " --flops " + quoted(setup.flops);
  } else {
    if (names("r_max")) text += " --r-max " + quoted(setup.r_max);
    if (names("r")) text += " --r " + quoted(setup.r);
  }
  if (setup.limit > 0) text += fmt::format(" --limit {}", setup.limit);
  text += fmt::format(" --seed {}", setup.seed);
  return setup.canvases ? "adamerge-studio, with the settings of its canvases beside " + text
                        : text;
}

}  // namespace adamerge::ui
