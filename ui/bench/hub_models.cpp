// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/hub_models.h"

#include <fmt/format.h>

#include <QFile>
#include <chrono>
#include <functional>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/pace.h"

namespace adamerge::ui {
namespace {

constexpr const char* kList = "list";
constexpr const char* kModel = "model";

/// Turns the hub's reports, in units of its own, into those of HubProgress.
class Reporter {
 public:
  Reporter(std::int64_t bytes, std::function<void(const HubProgress&)> tell)
      : bytes_(bytes), tell_(std::move(tell)) {}

  void operator()(const Progress& progress) {
    HubProgress report;
    // One step in all: it waits for somebody.
    if (progress.total <= 1) {
      report.waiting =
          QString::fromUtf8(progress.stage.data(), static_cast<qsizetype>(progress.stage.size()));
    } else {
      report.total = bytes_;
      report.done =
          static_cast<qint64>(static_cast<double>(bytes_) * static_cast<double>(progress.done) /
                              static_cast<double>(progress.total));
      pace_.add(report.done, report.total);
      report.rate = pace_.perSecond();
      report.seconds_left = pace_.secondsLeft();
    }
    if (pace_.isDue()) tell_(report);
  }

 private:
  std::int64_t bytes_;
  std::function<void(const HubProgress&)> tell_;
  /// Over the last seconds: what a broken transfer left is read first.
  PaceMeter pace_{std::chrono::seconds(8)};
};

}  // namespace

QString displayName(const std::filesystem::path& path) {
  // A snapshot in the hub's cache is a folder named by a hash.
  if (const auto repository = hub::repositoryOfSnapshot(path)) {
    return QString::fromStdString(*repository);
  }
  const std::filesystem::path last =
      path.has_filename() ? path.filename() : path.parent_path().filename();
  return QFile::decodeName(last.c_str());
}

HubModels::HubModels(QObject* parent) : QObject(parent) {}

void HubModels::list() {
  jobs_.run(
      kList, Urgency::kBackground,
      [this](const std::stop_token& stop, const Jobs::Tell& tell) {
        const hub::Settings settings = hub::settingsFromEnvironment();
        HubCache cache{QString::fromStdString(settings.cache.string()),
                       QString::fromStdString(settings.endpoint),
                       settings.offline,
                       hub::list(settings, stop),
                       {}};
        tell([this, cache = std::move(cache)] { emit listed(cache); });
      },
      [this](const QString& message) {
        HubCache cache;
        cache.problem = message;
        emit listed(cache);
      });
}

void HubModels::look(const QString& text, bool ask_hub) {
  offer_ = nullptr;
  jobs_.run(
      kModel, Urgency::kInteractive,
      [this, text = text.trimmed().toStdString(), ask_hub](const std::stop_token& stop,
                                                           const Jobs::Tell& tell) {
        const auto open = [&](const std::filesystem::path& model) {
          tell([this, model] { emit found(model); });
        };
        const auto name = hub::parseName(text);
        if (!name) {
          std::error_code ignored;
          if (std::filesystem::exists(text, ignored)) return open(text);
          throw Error(fmt::format(
              "“{}” names no model: write OWNER/NAME, as google/vit-base-patch16-224", text));
        }
        const hub::Settings settings = hub::settingsFromEnvironment();
        const hub::Cached cached = hub::findInCache(*name, settings);
        if (cached.missing.empty() && !ask_hub) return open(cached.folder);
        const QString endpoint = QString::fromStdString(settings.endpoint);
        tell([this, endpoint] { emit asking(endpoint); });
        const auto offer = std::make_shared<const HubOffer>(
            HubOffer{hub::plan(*name, settings, stop), endpoint,
                     QString::fromStdString(settings.cache.string())});
        tell([this, offer] {
          offer_ = offer;
          // What is here is read through once more, for damage.
          if (offer->plan.missing == 0) return fetch();
          emit offered(*offer);
        });
      },
      [this](const QString& message) { emit failed(message); });
}

void HubModels::fetch() {
  if (offer_ == nullptr) return;
  jobs_.run(
      kModel, Urgency::kInteractive,
      [this, offer = std::exchange(offer_, nullptr)](const std::stop_token& stop,
                                                     const Jobs::Tell& tell) {
        Reporter report(offer->plan.bytes, [&](const HubProgress& progress) {
          tell([this, progress] { emit progressed(progress); });
        });
        const std::filesystem::path model =
            hub::fetch(offer->plan, hub::settingsFromEnvironment(), std::ref(report), stop);
        tell([this, model] { emit found(model); });
      },
      [this](const QString& message) { emit failed(message); });
}

void HubModels::cancel() {
  offer_ = nullptr;
  jobs_.cancel(kModel);
}

}  // namespace adamerge::ui
