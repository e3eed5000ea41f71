// SPDX-License-Identifier: GPL-3.0-or-later
#include "training_data.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "adamerge/dataset.h"
#include "adamerge/error.h"
#include "datasets/class_names.h"

namespace adamerge::training {
namespace {

namespace fs = std::filesystem;

/// Decoded between two looks at the stop token.
constexpr std::size_t kAtOnce = 1024;

/// What Dataset wants to know of a model: the classes.
ModelInfo modelWith(const std::vector<std::string>& classes) {
  ModelInfo model;
  model.name = "the model";
  model.labels = classes;
  model.vit.classes = static_cast<int>(classes.size());
  return model;
}

void requireKnown(const std::vector<std::string>& found, const std::vector<std::string>& known,
                  const fs::path& test, const fs::path& training) {
  const ClassNames names(known);
  for (const std::string& name : found) {
    if (names.all(name).size() == 1) continue;
    throw Error(fmt::format("{}: {} is no class of {}, which has {}", test.string(), name,
                            training.string(), fmt::join(known, ", ")));
  }
}

Pictures readPictures(const Dataset& dataset, std::vector<std::string>& problems,
                      const ProgressCallback& progress, const std::stop_token& stop) {
  Pictures pictures;
  for (std::size_t first = 0; first < dataset.size(); first += kAtOnce) {
    throwIfStopped(stop);
    const std::size_t count = std::min(kAtOnce, dataset.size() - first);
    std::vector<Image> images(count);
    std::vector<std::string> reasons(count);
    at::parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, auto end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        try {
          images[i] = dataset.load(first + i);
        } catch (const Error& error) {
          reasons[i] = error.what();
        }
      }
    });
    for (std::size_t i = 0; i < count; ++i) {
      if (!reasons[i].empty()) {
        problems.push_back(std::move(reasons[i]));
        continue;
      }
      pictures.images.push_back(std::move(images[i]));
      pictures.labels.push_back(dataset.label(first + i));
    }
    if (progress) {
      progress({"reading images", static_cast<std::int64_t>(first + count),
                static_cast<std::int64_t>(dataset.size())});
    }
  }
  return pictures;
}

/// Moves `count` of the pictures, drawn at random, from `pictures` to the result.
Pictures holdOut(Pictures& pictures, std::size_t count, Random& random) {
  const at::Tensor order = random.permutation(static_cast<std::int64_t>(pictures.size()));
  Pictures held;
  Pictures kept;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const auto from = static_cast<std::size_t>(order[static_cast<std::int64_t>(i)].item<long>());
    Pictures& to = i < count ? held : kept;
    to.images.push_back(std::move(pictures.images[from]));
    to.labels.push_back(pictures.labels[from]);
  }
  pictures = std::move(kept);
  return held;
}

}  // namespace

TrainingData readTrainingData(const fs::path& training, const fs::path& test, const Recipe& recipe,
                              Random& random, const ProgressCallback& progress,
                              const std::stop_token& stop) {
  TrainingData data;
  data.classes = datasetClasses(training, stop);
  const ModelInfo model = modelWith(data.classes);
  const auto take = [&](const Dataset& set) {
    data.notes.insert(data.notes.end(), set.notes().begin(), set.notes().end());
    data.fingerprint += (data.fingerprint.empty() ? "" : ", ") + set.fingerprint();
    return readPictures(set, data.problems, progress, stop);
  };
  data.training =
      take(Dataset::open(training, model, {.training = true}, stop)
               .sample(static_cast<std::size_t>(recipe.limit), static_cast<unsigned>(recipe.seed)));
  if (test.empty()) {
    const double share = recipe.hold_out * static_cast<double>(data.training.size());
    data.test = holdOut(data.training, static_cast<std::size_t>(std::ceil(share)), random);
  } else {
    requireKnown(datasetClasses(test, stop), data.classes, test, training);
    data.test = take(Dataset::open(test, model, {}, stop));
  }
  if (data.test.size() == 0) {
    throw Error(fmt::format("{}: none of the images to measure accuracy on can be read",
                            test.empty() ? training.string() : test.string()));
  }
  if (data.training.size() < static_cast<std::size_t>(recipe.batch)) {
    throw Error(fmt::format("--batch {}: there are only {} images to train on in {}", recipe.batch,
                            data.training.size(), training.string()));
  }
  return data;
}

}  // namespace adamerge::training
