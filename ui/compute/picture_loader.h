// SPDX-License-Identifier: GPL-3.0-or-later
// Decodes pictures on a thread of its own; the newest request wins.
#pragma once

#include <QByteArray>
#include <QImage>
#include <QObject>
#include <QString>
#include <filesystem>
#include <memory>

#include "state/inspection.h"

namespace adamerge::ui {

/// Wraps decoded pixels; used for clipboard images and video frames as well.
PicturePtr makePicture(Image image, const QString& name, const std::filesystem::path& path = {});
Image toImage(const QImage& image);  ///< alpha laid over white
QImage toQImage(const Image& image);

class PictureLoader : public QObject {
  Q_OBJECT
 public:
  explicit PictureLoader(QObject* parent = nullptr);
  ~PictureLoader() override;

  void open(const std::filesystem::path& path);
  /// An encoded file in memory (a drop from a browser).
  void open(const QByteArray& bytes, const QString& name);

 signals:
  void started(const QString& name);
  void loaded(adamerge::ui::PicturePtr picture);
  void failed(const QString& message);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adamerge::ui

Q_DECLARE_METATYPE(adamerge::ui::PicturePtr)
