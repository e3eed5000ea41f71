// SPDX-License-Identifier: GPL-3.0-or-later
// Models and pictures on their way, each on a thread of its own; the newest request wins.
#pragma once

#include <QByteArray>
#include <QImage>
#include <QObject>
#include <QString>
#include <filesystem>
#include <functional>
#include <memory>

#include "adamerge/dataset.h"
#include "adamerge/engine.h"
#include "bench/data.h"
#include "bench/jobs.h"

namespace adamerge::ui {

// Loads models on a thread of its own, so that the present one stays usable meanwhile.

class ModelLoader : public QObject {
  Q_OBJECT
 public:
  explicit ModelLoader(QObject* parent = nullptr);

  /// Supersedes a load under way.
  void load(const std::filesystem::path& path, const EngineOptions& options = {});
  /// As load(), but a device or precision that this machine lacks is replaced: another person's
  /// session is still to be opened.
  void loadAvailable(const std::filesystem::path& path, const EngineOptions& options);
  void cancel();
  bool loading() const { return loading_; }
  /// Those of the last model that was loaded.
  const EngineOptions& options() const { return options_; }

 signals:
  void started(const QString& name);
  /// About 20 times a second; done of total in steps of `stage`.
  void progressed(const QString& stage, qint64 done, qint64 total);
  void loaded(std::shared_ptr<adamerge::Engine> engine, adamerge::ui::LoadedModelPtr model);
  void failed(const QString& message);
  void cancelled();

 private:
  void start(const std::filesystem::path& path, const EngineOptions& options, bool replace);

  bool loading_ = false;
  EngineOptions options_;
  Jobs jobs_{this};
};

/// What the studio shows of an engine; a new id each time.
LoadedModelPtr describeModel(const Engine& engine);

// Decodes pictures on a thread of its own; the newest request wins.

/// Wraps decoded pixels; used for clipboard images and video frames as well.
/// `stream`: of a frame, Picture::stream.
PicturePtr makePicture(Image image, const QString& name, const std::filesystem::path& path = {},
                       std::uint64_t stream = 0);
Image toImage(const QImage& image);  ///< alpha laid over white
QImage toQImage(const Image& image);

class PictureLoader : public QObject {
  Q_OBJECT
 public:
  explicit PictureLoader(QObject* parent = nullptr);

  /// A picture, or the first image of a trace.
  void open(const std::filesystem::path& path);
  /// An image of a set: a file, or a record of one.
  void open(const ImagePlace& place);
  /// An encoded file in memory (a drop from a browser).
  void open(const QByteArray& bytes, const QString& name);
  /// What is being decoded is not told of any more.
  void cancel() { jobs_.cancel(kKey); }

 signals:
  void started(const QString& name);
  void loaded(adamerge::ui::PicturePtr picture);
  /// `path`: empty where it was no file.
  void failed(const QString& message, const std::filesystem::path& path);

 private:
  static constexpr const char* kKey = "decode";
  void decode(const QString& name, const std::filesystem::path& path,
              const std::function<PicturePtr()>& read);

  Jobs jobs_{this};
};

}  // namespace adamerge::ui
