// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/picture_loader.h"

#include <QFile>
#include <QPainter>
#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>

#include "adamerge/error.h"
#include "compute/error_text.h"
#include "compute/mailbox.h"
#include "compute/worker.h"

namespace adamerge::ui {

PicturePtr makePicture(Image image, const QString& name, const std::filesystem::path& path) {
  static std::atomic<std::uint64_t> ids{0};
  auto picture = std::make_shared<Picture>();
  picture->id = ++ids;
  picture->name = name;
  picture->path = path;
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

struct PictureLoader::State {
  std::shared_ptr<Mailbox> mailbox;
  std::uint64_t ticket = 0;
  Worker worker;

  void decode(PictureLoader* loader, const QString& name, const std::filesystem::path& path,
              std::function<Image()> read);
};

void PictureLoader::State::decode(PictureLoader* loader, const QString& name,
                                  const std::filesystem::path& path, std::function<Image()> read) {
  const std::uint64_t own = ++ticket;
  emit loader->started(name);
  worker.submit("decode", Urgency::kInteractive,
                [loader, name, path, own, mailbox = mailbox,
                 read = std::move(read)](const std::stop_token& stop) {
                  try {
                    Image image = read();
                    throwIfStopped(stop);
                    const PicturePtr picture = makePicture(std::move(image), name, path);
                    mailbox->post([loader, own, picture] {
                      if (own == loader->state_->ticket) emit loader->loaded(picture);
                    });
                  } catch (const Cancelled&) {
                    throw;
                  } catch (const std::exception& error) {
                    mailbox->post([loader, own, message = errorText(error)] {
                      if (own == loader->state_->ticket) emit loader->failed(message);
                    });
                  }
                });
}

PictureLoader::PictureLoader(QObject* parent) : QObject(parent), state_(std::make_unique<State>()) {
  state_->mailbox = std::make_shared<Mailbox>(this);
}

PictureLoader::~PictureLoader() { state_->mailbox->close(); }

void PictureLoader::open(const std::filesystem::path& path) {
  state_->decode(this, QFile::decodeName(path.filename().c_str()), path,
                 [path] { return loadImage(path); });
}

void PictureLoader::open(const QByteArray& bytes, const QString& name) {
  state_->decode(this, name, {}, [bytes, name] {
    return decodeImage(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), name.toStdString());
  });
}

}  // namespace adamerge::ui
