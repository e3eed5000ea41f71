// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/loaders.h"

#include <QFile>
#include <QPainter>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>

#include "adamerge/error.h"
#include "bench/data.h"
#include "bench/hub_models.h"
#include "bench/jobs.h"
#include "bench/traces.h"

namespace adamerge::ui {
namespace {

constexpr const char* kLoadKey = "load";

/// Lets a report through now and then, and whenever a new stage begins.
class Throttle {
 public:
  bool due(std::string_view stage) {
    const auto now = std::chrono::steady_clock::now();
    if (stage == stage_ && now - last_ < std::chrono::milliseconds(50)) return false;
    stage_ = stage;
    last_ = now;
    return true;
  }

 private:
  std::string stage_;
  std::chrono::steady_clock::time_point last_;
};

EngineOptions available(EngineOptions options) {
  const std::vector<Device> devices = availableDevices();
  const bool known = options.device == "auto" ||
                     std::any_of(devices.begin(), devices.end(),
                                 [&](const Device& device) { return device.id == options.device; });
  if (!known) options.device = "auto";
  if (options.device == "cpu" || devices.size() == 1) {
    if (options.dtype == "float16") options.dtype = "auto";
  }
  return options;
}

}  // namespace

ModelLoader::ModelLoader(QObject* parent) : QObject(parent) {}

void ModelLoader::load(const std::filesystem::path& path, const EngineOptions& options) {
  start(path, options, /*replace=*/false);
}

void ModelLoader::loadAvailable(const std::filesystem::path& path, const EngineOptions& options) {
  start(path, options, /*replace=*/true);
}

void ModelLoader::start(const std::filesystem::path& path, const EngineOptions& wanted,
                        bool replace) {
  loading_ = true;
  emit started(displayName(path));
  jobs_.run(
      kLoadKey, Urgency::kInteractive,
      [this, path, wanted, replace](const std::stop_token& stop, const Jobs::Tell& tell) {
        // Asking for devices starts CUDA, which takes a while.
        const EngineOptions options = replace ? available(wanted) : wanted;
        Throttle throttle;
        const auto report = [&](const Progress& progress) {
          if (!throttle.due(progress.stage)) return;
          tell([this, done = progress.done, total = progress.total,
                stage = QString::fromUtf8(progress.stage.data(),
                                          static_cast<int>(progress.stage.size()))] {
            emit progressed(stage, done, total);
          });
        };
        const auto engine = std::make_shared<Engine>(Engine::load(path, options, report, stop));
        const LoadedModelPtr model = describeModel(*engine);
        tell([this, engine, model, options] {
          loading_ = false;
          options_ = options;
          emit loaded(engine, model);
        });
      },
      [this](const QString& message) {
        loading_ = false;
        emit failed(message);
      });
}

void ModelLoader::cancel() {
  if (!loading_) return;
  loading_ = false;
  jobs_.cancel(kLoadKey);
  emit cancelled();
}

LoadedModelPtr describeModel(const Engine& engine) {
  static std::atomic<std::uint64_t> ids{0};
  auto model = std::make_shared<LoadedModel>();
  model->id = ++ids;
  model->info = engine.info();
  model->device = engine.device();
  model->dtype = engine.dtype();
  model->statistics = engine.statistics();
  model->statistics_problem = engine.statisticsProblem();
  model->unmerged = unmergedFlops(engine.info().vit);
  return model;
}

PicturePtr makePicture(Image image, const QString& name, const std::filesystem::path& path,
                       std::uint64_t stream) {
  static std::atomic<std::uint64_t> ids{0};
  auto picture = std::make_shared<Picture>();
  picture->id = ++ids;
  picture->name = name;
  picture->path = path;
  picture->stream = stream;
  picture->pixels = toQImage(image);
  picture->original = std::make_shared<const Image>(std::move(image));
  return picture;
}

Image toImage(const QImage& image) {
  QImage opaque = image;
  if (image.hasAlphaChannel()) {
    opaque = QImage(image.size(), QImage::Format_RGB32);
    opaque.fill(Qt::white);
    QImage source = image;
    source.setDevicePixelRatio(1);
    QPainter(&opaque).drawImage(0, 0, source);
  }
  opaque = opaque.convertToFormat(QImage::Format_RGB888);
  Image result;
  result.width = opaque.width();
  result.height = opaque.height();
  const std::size_t row = static_cast<std::size_t>(result.width) * 3;
  result.pixels.resize(row * static_cast<std::size_t>(result.height));
  for (int y = 0; y < result.height; ++y) {
    std::memcpy(result.pixels.data() + row * static_cast<std::size_t>(y), opaque.constScanLine(y),
                row);
  }
  return result;
}

QImage toQImage(const Image& image) {
  if (image.pixels.empty()) return {};
  const QImage wrapped(image.pixels.data(), image.width, image.height,
                       static_cast<qsizetype>(image.width) * 3, QImage::Format_RGB888);
  return wrapped.convertToFormat(QImage::Format_RGB32);
}

PictureLoader::PictureLoader(QObject* parent) : QObject(parent) {}

void PictureLoader::decode(const QString& name, const std::filesystem::path& path,
                           const std::function<PicturePtr()>& read) {
  emit started(name);
  jobs_.run(
      kKey, Urgency::kInteractive,
      [this, read](const std::stop_token& stop, const Jobs::Tell& tell) {
        const PicturePtr picture = read();
        throwIfStopped(stop);
        tell([this, picture] { emit loaded(picture); });
      },
      [this, path](const QString& message) { emit failed(message, path); });
}

void PictureLoader::open(const std::filesystem::path& path) {
  const QString name = QFile::decodeName(path.filename().c_str());
  decode(name, path, [path, name] {
    return isTraceName(path) ? openTracedPicture(path, 0)
                             : makePicture(loadImage(path), name, path);
  });
}

void PictureLoader::open(const ImagePlace& place) {
  if (place.record == 0) return open(place.file);
  const QString name =
      tr("%1, image %2").arg(QFile::decodeName(place.file.filename().c_str())).arg(place.record);
  decode(name, {}, [place, name] { return makePicture(loadImage(place), name); });
}

void PictureLoader::open(const QByteArray& bytes, const QString& name) {
  decode(name, {}, [bytes, name] {
    return makePicture(
        decodeImage(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), name.toStdString()),
        name);
  });
}

}  // namespace adamerge::ui
