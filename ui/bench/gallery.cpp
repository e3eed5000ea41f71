// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/gallery.h"

#include <algorithm>
#include <span>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/preprocess.h"
#include "adamerge/report.h"
#include "bench/data.h"
#include "bench/evaluation.h"

namespace adamerge::ui {
namespace {

constexpr std::size_t kSheetTiles = 48;
constexpr const char* kOpenJob = "open";
constexpr const char* kListJob = "list";
constexpr const char* kCountJob = "count";
constexpr const char* kSheetJob = "sheet";

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

FigureInput galleryTile(const Engine& engine, const PictureFile& file, std::size_t picture,
                        std::size_t point, const std::stop_token& stop) {
  PreparedImage prepared = prepareImage(file.load(picture), engine.info().preprocessing);
  ImageResult result =
      engine.run(std::span(&prepared.input, 1), file.choices()[point], {.trace = true}, stop)
          .front();
  return sheetTile(file, picture, point, engine.info(), std::move(prepared.view),
                   std::move(result));
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
        GallerySheet made;
        ContactSheet sheet;
        const std::size_t wanted = std::min(kSheetTiles, list->pictures.size());
        for (const std::uint32_t picture : list->pictures) {
          if (sheet.tiles.size() == wanted) break;
          throwIfStopped(stop);
          try {
            sheet.tiles.push_back(galleryTile(*engine, file, picture, list->point, stop));
          } catch (const Cancelled&) {
            throw;
          } catch (const Error& error) {
            made.missing.push_back(errorText(error));
          }
          tell([this, done = static_cast<int>(sheet.tiles.size()),
                total = static_cast<int>(wanted)] { emit sheetProgressed(done, total); });
        }
        if (sheet.tiles.empty()) {
          throw Error(made.missing.empty() ? std::string("The gallery shows no image.")
                                           : made.missing.front().toStdString());
        }
        const auto shows = pictureShows();
        const auto show = std::find_if(shows.begin(), shows.end(), [&](const auto& name) {
          return name.show == list->filter.show;
        });
        const MethodChoice& choice = file.choices()[list->point];
        sheet.title = std::string(show->label) + " · " + describe(choice);
        sheet.subtitle = file.model() + " on " + file.dataset().filename().string();
        if (list->filter.label >= 0) {
          sheet.subtitle += ", class " + file.className(list->filter.label);
        }
        sheet.note = std::to_string(sheet.tiles.size()) + " of " +
                     std::to_string(list->pictures.size()) + " images";
        sheet.provenance = provenanceJson(engine->info(), engine->device(), engine->dtype(),
                                          file.dataset().string(), choice, -1);
        made.sheet = std::make_shared<const ContactSheet>(std::move(sheet));
        std::vector<std::size_t> merging;
        for (std::size_t point = 1; point < file.choices().size(); ++point)
          merging.push_back(point);
        if (!merging.empty()) {
          made.counts = std::make_shared<const CountsFigure>(countsFigure(file, merging, stop));
        }
        tell([this, made] { emit sheetMade(made); });
      },
      [this](const QString& message) { emit failed(message); });
}

void Gallery::cancelSheet() { sheets_.cancel(kSheetJob); }

}  // namespace adamerge::ui
