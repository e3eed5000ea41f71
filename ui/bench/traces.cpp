// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/traces.h"

#include <QFile>
#include <cmath>
#include <functional>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/report.h"
#include "bench/loaders.h"

namespace adamerge::ui {
namespace {

/// Unlike those of videos, which are counted up from 1.
std::uint64_t streamOf(const std::filesystem::path& path) {
  const std::string name = absolutePath(path).lexically_normal().string();
  return std::hash<std::string>{}(name) | (std::uint64_t{1} << 63U);
}

LoadedModelPtr modelOfTrace(const TraceInfo& info, double unmerged) {
  auto model = std::make_shared<LoadedModel>();
  // Never that of a model of ours.
  model->id = streamOf(info.file);
  model->info = modelOf(info);
  model->unmerged.paper = unmerged;
  return model;
}

}  // namespace

PicturePtr openTracedPicture(const std::filesystem::path& path, std::size_t index) {
  const TraceFile file(path);
  auto run = std::make_shared<TracedRun>();
  run->info = file.sharedInfo();
  run->index = index;
  run->image = file.read(index);
  TracedPicture drawn = pictureOf(*run->info, run->image);
  run->image.view.reset();
  run->model = modelOfTrace(*run->info, run->image.baseline.flops.paper);
  run->whole = drawn.note.empty();
  if (!drawn.note.empty()) run->image.result.warnings.push_back(drawn.note);
  run->prepared =
      std::make_shared<const PreparedImage>(PreparedImage{std::move(drawn.view), drawn.crop, {}});
  for (int block = 0; block < run->info->depth; ++block) {
    run->survivors.push_back(survivingPatches(run->image.result.layers, block));
  }
  QString name = QFile::decodeName(path.filename().c_str());
  if (run->info->images.size() > 1) {
    name += QStringLiteral(" · ") +
            QString::fromStdString(std::filesystem::path(run->image.name).filename().string());
  }
  const PicturePtr plain = makePicture(*drawn.original, name, path, streamOf(path));
  auto picture = std::make_shared<Picture>(*plain);
  picture->traced = std::move(run);
  return picture;
}

InspectionPtr inspectionOf(const PicturePtr& traced, const PicturePtr& shown) {
  const TracedRun& run = *traced->traced;
  auto inspection = std::make_shared<Inspection>();
  inspection->model = run.model;
  inspection->picture = shown;
  inspection->prepared = run.prepared;
  inspection->choice.settings = completeSettings(inspection->choice);
  inspection->result = run.image.result;
  inspection->baseline = std::shared_ptr<const ImageResult>(traced->traced, &run.image.baseline);
  inspection->survivors = run.survivors;
  inspection->traced = traced->traced;
  return inspection;
}

std::string titleOf(const TraceInfo& info) {
  return describe(info) + " · trace of " + modelOf(info).name;
}

std::string runTitle(const Inspection& inspection) {
  return inspection.traced == nullptr ? describe(inspection.choice, inspection.model->info.vit)
                                      : titleOf(*inspection.traced->info);
}

QString similarityText(float similarity) {
  return std::isfinite(similarity) ? QString::number(static_cast<double>(similarity), 'f', 3)
                                   : QStringLiteral("–");
}

bool TraceFrames::grab() {
  if (next_ >= frameCount()) return false;
  ++next_;
  return true;
}

PicturePtr TraceFrames::picture() const {
  return openTracedPicture(path_, static_cast<std::size_t>(next_ - 1));
}

bool TraceFrames::seek(int frame) {
  if (frame < 0 || frame >= frameCount()) return false;
  next_ = frame;
  return true;
}

}  // namespace adamerge::ui
