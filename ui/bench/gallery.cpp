// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/gallery.h"

#include <algorithm>
#include <span>
#include <utility>

#include "adamerge/error.h"
#include "bench/data.h"
#include "bench/evaluation.h"

namespace adamerge::ui {
namespace {

constexpr std::size_t kSheetTiles = 48;
/// Of more settings a plot of blocks would show none.
constexpr std::size_t kMostCompared = 6;
constexpr const char* kOpenJob = "open";
constexpr const char* kListJob = "list";
constexpr const char* kCountJob = "count";
constexpr const char* kSheetJob = "sheet";

std::vector<std::size_t> mergingPoints(const PictureFile& file) {
  std::vector<std::size_t> points;
  for (std::size_t point = 1; point < file.choices().size(); ++point) points.push_back(point);
  return points;
}

}  // namespace

bool sameModel(const PictureFile& file, const Engine* engine) {
  return engine != nullptr && engine->info().name == file.model() &&
         engine->info().vit.depth == file.depth();
}

OverlayStyle tileOverlay() {
  OverlayStyle style;
  style.groups = GroupStyle::kOutline;
  return style;
}

Gallery::Gallery(QObject* parent) : QObject(parent) {}

void Gallery::open(const std::filesystem::path& path) {
  jobs_.run(
      kOpenJob, Urgency::kInteractive,
      [this, path](const std::stop_token& stop, const Jobs::Tell& tell) {
        const PictureFilePtr file = PictureFile::open(path, {}, stop);
        tell([this, file] {
          file_ = file;
          // The first that merges.
          point_ = file->choices().size() > 1 ? 1 : 0;
          filter_ = {};
          emit fileChanged();
          list();
          count();
        });
      },
      [this](const QString& message) { emit failed(message); });
}

void Gallery::clear() {
  for (const char* key : {kOpenJob, kListJob, kCountJob}) jobs_.cancel(key);
  cancelSheet();
  if (file_ == nullptr) return;
  file_.reset();
  emit fileChanged();
  emit listed(nullptr);
  emit counted(nullptr);
}

void Gallery::setPoint(std::size_t point) {
  if (file_ == nullptr || point == point_ || point >= file_->choices().size()) return;
  point_ = point;
  emit pointChanged();
  list();
  count();
}

void Gallery::setFilter(const PictureFilter& filter) {
  if (file_ == nullptr) return;
  filter_ = filter;
  emit filterChanged();
  list();
}

void Gallery::list() {
  jobs_.run(kListJob, Urgency::kInteractive,
            [this, file = file_, point = point_, filter = filter_](const std::stop_token&,
                                                                   const Jobs::Tell& tell) {
              auto list = std::make_shared<GalleryList>();
              list->file = file;
              list->point = point;
              list->filter = filter;
              list->pictures = selectPictures(*file, point, filter);
              tell([this, list] { emit listed(list); });
            });
}

void Gallery::count() {
  jobs_.run(
      kCountJob, Urgency::kFollowUp,
      [this, file = file_, point = point_](const std::stop_token& stop, const Jobs::Tell& tell) {
        auto classes = std::make_shared<GalleryClasses>();
        classes->file = file;
        classes->point = point;
        classes->classes = classOutcomes(*file, point);
        classes->confusions = newConfusions(*file, point);
        classes->adaptation = adaptationOf(*file, point, stop);
        std::vector<std::size_t> points = mergingPoints(*file);
        if (points.size() > kMostCompared) points = {std::max<std::size_t>(point, 1)};
        if (!points.empty()) classes->counts = countsFigure(*file, points, stop);
        tell([this, classes] { emit counted(classes); });
      });
}

void Gallery::makeSheet(std::shared_ptr<const Engine> engine, const GalleryListPtr& list) {
  sheets_.run(
      kSheetJob, Urgency::kInteractive,
      [this, engine = std::move(engine), list](const std::stop_token& stop,
                                               const Jobs::Tell& tell) {
        yieldToOthers();
        const PictureFile& file = *list->file;
        const auto progress = [&](const Progress& now) {
          tell([this, done = static_cast<int>(now.done), total = static_cast<int>(now.total)] {
            emit sheetProgressed(done, total);
          });
        };
        std::vector<std::string> missing;
        GallerySheet made;
        made.sheet = std::make_shared<const PictureFigure>(
            contactSheet(*engine, file, list->point, list->filter, list->pictures, kSheetTiles,
                         missing, progress, stop));
        for (const std::string& sentence : missing) {
          made.missing.push_back(QString::fromStdString(sentence));
        }
        const std::vector<std::size_t> merging = mergingPoints(file);
        if (!merging.empty()) {
          made.counts = std::make_shared<const PictureFigure>(countsFigure(file, merging, stop));
        }
        tell([this, made] { emit sheetMade(made); });
      },
      [this](const QString& message) { emit failed(message); });
}

void Gallery::cancelSheet() { sheets_.cancel(kSheetJob); }

}  // namespace adamerge::ui
