// SPDX-License-Identifier: GPL-3.0-or-later
#include "sample_inspection.h"

#include <array>
#include <map>

namespace adamerge::ui::test {

std::shared_ptr<Engine> bundledEngine() {
  static const auto engine = std::make_shared<Engine>(Engine::load(
      std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10", {.dtype = "float32"}));
  return engine;
}

LoadedModelPtr bundledModel() {
  static const LoadedModelPtr model = [] {
    const Engine& engine = *bundledEngine();
    auto made = std::make_shared<LoadedModel>();
    made->id = 1;
    made->info = engine.info();
    made->device = engine.device();
    made->dtype = engine.dtype();
    made->statistics = engine.statistics();
    made->unmerged = unmergedFlops(engine.info().vit);
    return made;
  }();
  return model;
}

std::filesystem::path samplePath(const std::string& name) {
  return std::filesystem::path(ADAMERGE_SAMPLES) / (name + ".png");
}

PicturePtr samplePicture(const std::string& name) {
  static std::map<std::string, PicturePtr> pictures;
  PicturePtr& kept = pictures[name];
  if (kept != nullptr) return kept;
  auto picture = std::make_shared<Picture>();
  picture->id = pictures.size();
  picture->path = samplePath(name);
  picture->name = QString::fromStdString(picture->path.filename().string());
  auto image = std::make_shared<Image>(loadImage(picture->path));
  picture->pixels = QImage(image->pixels.data(), image->width, image->height, image->width * 3,
                           QImage::Format_RGB888)
                        .convertToFormat(QImage::Format_RGB32);
  picture->original = std::move(image);
  kept = picture;
  return kept;
}

InspectionPtr inspectSample(const MethodChoice& choice, const std::string& sample) {
  const Engine& engine = *bundledEngine();
  auto inspection = std::make_shared<Inspection>();
  inspection->model = bundledModel();
  inspection->picture = samplePicture(sample);
  inspection->prepared = std::make_shared<PreparedImage>(
      prepareImage(*inspection->picture->original, engine.info().preprocessing));
  inspection->choice = choice;
  inspection->choice.settings = completeSettings(choice);
  const std::array<InputTensor, 1> input{inspection->prepared->input};
  inspection->result = engine.run(input, choice).front();
  inspection->baseline = std::make_shared<ImageResult>(engine.run(input, {}).front());
  for (std::size_t block = 0; block < inspection->result.layers.size(); ++block) {
    inspection->survivors.push_back(
        survivingPatches(inspection->result.layers, static_cast<int>(block)));
  }
  return inspection;
}

}  // namespace adamerge::ui::test
