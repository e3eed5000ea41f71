// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/drop.h"

#include <QDragEnterEvent>
#include <QDropEvent>
#include <QEvent>
#include <QFileInfo>
#include <QMimeData>
#include <QMimeDatabase>
#include <QPainter>
#include <QUrl>
#include <algorithm>
#include <array>
#include <optional>

#include "adamerge/trace_file.h"
#include "look/message.h"
#include "look/text.h"

namespace adamerge::ui {
namespace {

namespace fs = std::filesystem;

bool endsWithAny(const QString& name, const std::vector<QString>& endings) {
  return std::any_of(endings.begin(), endings.end(), [&](const QString& ending) {
    return name.endsWith(ending, Qt::CaseInsensitive);
  });
}

bool isWeights(const QString& name) {
  return endsWithAny(name, {".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".pth.tar",
                            ".safetensors.index.json"});
}

/// Files without an ending are judged by their first bytes.
QString kindOf(const QString& path) {
  const QString type = QMimeDatabase().mimeTypeForFile(path).name();
  return type.section('/', 0, 0);
}

QString sort(const QString& text, DroppedContent& content) {
  const QFileInfo file(text);
  const fs::path path(text.toStdString());
  if (!file.exists()) return QObject::tr("%1: there is no such file.").arg(text);
  if (file.isDir()) {
    (isModelFolder(path) ? content.models : content.folders).push_back(path);
  } else if (file.fileName().endsWith(QStringLiteral(".adamerge"), Qt::CaseInsensitive)) {
    content.sessions.push_back(path);
  } else if (isTraceName(path)) {
    content.images.push_back(path);
  } else if (endsWithAny(text, {".svg", ".pdf"})) {
    content.figures.push_back(path);
  } else if (isWeights(file.fileName())) {
    content.models.push_back(path);
  } else if (kindOf(text) == QStringLiteral("image")) {
    content.images.push_back(path);
  } else if (kindOf(text) == QStringLiteral("video")) {
    content.videos.push_back(path);
  } else {
    return QObject::
        tr("%1 is neither a picture, a folder, a video, a model (.safetensors, .pth, .pt, .bin), "
           "a session (.adamerge) nor a trace (.adamerge-trace).")
            .arg(file.fileName());
  }
  return {};
}

std::vector<QString> localFiles(const QMimeData& data) {
  std::vector<QString> files;
  for (const QUrl& url : data.urls()) {
    if (url.isLocalFile()) files.push_back(url.toLocalFile());
  }
  if (!files.empty() || data.hasImage() || !data.hasText()) return files;
  // Paths pasted as text, one a line.
  for (const QString& raw : data.text().split('\n', Qt::SkipEmptyParts)) {
    const QString line = raw.trimmed();
    const QString path =
        line.startsWith(QStringLiteral("file://")) ? QUrl(line).toLocalFile() : line;
    if (!QFileInfo(path).isAbsolute()) return {};
    files.push_back(path);
  }
  return files;
}

std::optional<QUrl> remoteUrl(const QMimeData& data) {
  QList<QUrl> urls = data.urls();
  if (urls.isEmpty() && data.hasText()) {
    urls << QUrl(data.text().trimmed().section('\n', 0, 0), QUrl::StrictMode);
  }
  for (const QUrl& url : urls) {
    if (url.isValid() && !url.isLocalFile() && !url.scheme().isEmpty()) return url;
  }
  return std::nullopt;
}

/// "data:image/png;base64,..." as browsers give pictures that are part of a page.
QByteArray dataUrlBytes(const QUrl& url) {
  if (url.scheme() != QStringLiteral("data")) return {};
  const QByteArray text = url.toString(QUrl::FullyEncoded).toLatin1();
  const auto comma = text.indexOf(',');
  if (comma < 0 || !text.startsWith("data:image/")) return {};
  const QByteArray body = QByteArray::fromPercentEncoding(text.mid(comma + 1));
  return text.left(comma).endsWith(";base64") ? QByteArray::fromBase64(body) : body;
}

/// The encoded file where there is one: nothing is lost, and its metadata stay.
QByteArray encodedImage(const QMimeData& data) {
  constexpr std::array kTypes{"image/png", "image/jpeg", "image/webp", "image/tiff", "image/bmp"};
  for (const char* type : kTypes) {
    if (QByteArray bytes = data.data(QString::fromLatin1(type)); !bytes.isEmpty()) return bytes;
  }
  return {};
}

bool readPixels(const QMimeData& data, const std::optional<QUrl>& url, DroppedContent& content) {
  content.image_bytes = encodedImage(data);
  if (content.image_bytes.isEmpty() && url) content.image_bytes = dataUrlBytes(*url);
  if (content.image_bytes.isEmpty() && data.hasImage()) {
    content.image = qvariant_cast<QImage>(data.imageData());
  }
  if (content.image_bytes.isEmpty() && content.image.isNull()) return false;
  const bool named = url && url->scheme().startsWith(QStringLiteral("http"));
  content.image_name =
      named && !url->fileName().isEmpty() ? url->fileName() : QObject::tr("Pasted picture");
  return true;
}

QString openText(const std::vector<fs::path>& paths, const char* one, const char* many) {
  return paths.size() == 1 ? QObject::tr(one).arg(fileName(paths.front()))
                           : QObject::tr(many).arg(paths.size());
}

}  // namespace

QString sortFiles(const std::vector<QString>& paths, DroppedContent& content) {
  QString problem;
  for (const QString& path : paths) {
    const QString wrong = sort(path, content);
    if (problem.isEmpty()) problem = wrong;
  }
  return problem;
}

bool DroppedContent::usable() const {
  return !images.empty() || !folders.empty() || !models.empty() || !sessions.empty() ||
         !videos.empty() || !figures.empty() || holds_image || !image_bytes.isEmpty() ||
         !image.isNull();
}

DroppedContent readDrop(const QMimeData& data, bool pixels) {
  DroppedContent content;
  const QString wrong = sortFiles(localFiles(data), content);
  if (content.usable()) return content;
  const std::optional<QUrl> url = remoteUrl(data);
  if (!pixels && (data.hasImage() || (url && url->scheme() == QStringLiteral("data")))) {
    content.holds_image = true;
    return content;
  }
  if (readPixels(data, url, content)) return content;
  if (!wrong.isEmpty()) {
    content.problem = wrong;
  } else if (url && url->scheme().startsWith(QStringLiteral("http"))) {
    content.problem = QObject::tr(
                          "Only the address %1 came, not the picture: save it to a file first (in "
                          "the browser: Save image as), or copy the picture itself.")
                          .arg(url->toDisplayString());
  } else {
    content.problem = QObject::tr(
        "Nothing in it can be opened: a picture, a folder, a video, a model or a "
        "session is expected.");
  }
  return content;
}

QString describeDrop(const DroppedContent& content) {
  if (!content.sessions.empty()) {
    return QObject::tr("Open the session %1").arg(fileName(content.sessions.front()));
  }
  if (!content.models.empty())
    return QObject::tr("Load the model %1").arg(fileName(content.models.front()));
  if (!content.folders.empty()) {
    return openText(content.folders, "List the pictures in %1", "List the pictures of %1 folders");
  }
  if (!content.images.empty()) {
    return openText(content.images, "Open the picture %1", "Open %1 pictures");
  }
  if (!content.videos.empty())
    return QObject::tr("Play the video %1").arg(fileName(content.videos.front()));
  if (!content.figures.empty())
    return QObject::tr("Look for settings in %1").arg(fileName(content.figures.front()));
  if (content.usable()) return QObject::tr("Open this picture");
  return content.problem;
}

bool isModelFolder(const fs::path& folder) {
  std::error_code code;
  if (!fs::is_regular_file(folder / "config.json", code)) return false;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    if (isWeights(fileName(entry->path()))) return true;
  }
  return false;
}

namespace {

constexpr int kMargin = 48;
constexpr int kCardPadding = 20;
constexpr int kIcon = 48;

/// An arrow into a tray.
void paintArrow(QPainter& painter, const QRectF& rect, const QColor& color) {
  painter.save();
  painter.setPen(QPen(color, rect.width() * 0.075, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter.setBrush(Qt::NoBrush);
  const auto at = [&](double x, double y) {
    return rect.topLeft() + QPointF(rect.width() * x, rect.height() * y);
  };
  painter.drawLine(at(0.5, 0.08), at(0.5, 0.62));
  painter.drawPolyline(QPolygonF({at(0.28, 0.42), at(0.5, 0.64), at(0.72, 0.42)}));
  painter.drawPolyline(QPolygonF({at(0.1, 0.66), at(0.1, 0.9), at(0.9, 0.9), at(0.9, 0.66)}));
  painter.restore();
}

}  // namespace

DropOverlay::DropOverlay(QWidget* covered) : QWidget(covered) {
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setFocusPolicy(Qt::NoFocus);
  covered->installEventFilter(this);
  QFont large = font();
  large.setPointSizeF(large.pointSizeF() * 1.3);
  setFont(large);
  hide();
}

void DropOverlay::show(const DroppedContent& content) {
  text_ = describeDrop(content);
  usable_ = content.usable();
  setAccessibleName(text_);
  setGeometry(parentWidget()->rect());
  raise();
  QWidget::show();
  update();
}

bool DropOverlay::eventFilter(QObject* watched, QEvent* event) {
  if (watched == parentWidget() && event->type() == QEvent::Resize) {
    setGeometry(parentWidget()->rect());
  }
  return QWidget::eventFilter(watched, event);
}

void DropOverlay::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  QColor dim = palette().color(QPalette::Window);
  dim.setAlphaF(0.82F);
  painter.fillRect(rect(), dim);
  const QColor accent =
      usable_ ? palette().color(QPalette::Highlight) : severityColor(Severity::kWarning);
  painter.setPen(QPen(accent, 2, Qt::DashLine));
  painter.drawRoundedRect(QRectF(rect()).adjusted(12, 12, -12, -12), 10, 10);
  paintCard(painter, QRectF(rect()).adjusted(kMargin, kMargin, -kMargin, -kMargin));
}

void DropOverlay::paintCard(QPainter& painter, const QRectF& card) {
  const auto flags = static_cast<int>(Qt::AlignHCenter | Qt::AlignTop) | Qt::TextWrapAnywhere;
  const int plain = static_cast<int>(Qt::AlignHCenter | Qt::AlignTop) | Qt::TextWordWrap;
  QRectF text = painter.boundingRect(card, plain, text_);
  const int wrap = text.width() > card.width() ? flags : plain;
  text = painter.boundingRect(card, wrap, text_);
  const double height = kIcon + 16 + text.height();
  const QRectF icon(card.center().x() - kIcon / 2.0, card.center().y() - height / 2, kIcon, kIcon);
  // A plain ground: text on zebra stripes is hard to read.
  const double width = std::max(text.width(), double{kIcon});
  const QRectF ground(card.center().x() - width / 2, icon.top(), width, height);
  painter.setPen(Qt::NoPen);
  painter.setBrush(palette().color(QPalette::Window));
  painter.drawRoundedRect(ground.adjusted(-kCardPadding, -kCardPadding, kCardPadding, kCardPadding),
                          10, 10);
  if (usable_) {
    paintArrow(painter, icon, palette().color(QPalette::Highlight));
  } else {
    paintSeverity(painter, icon, Severity::kWarning);
  }
  painter.setPen(palette().color(QPalette::WindowText));
  painter.drawText(QRectF(card.left(), icon.bottom() + 16, card.width(), text.height() + 2), wrap,
                   text_);
}

/// Nothing that is dropped here leaves where it is, whatever the file manager proposes.
static void copy(QDropEvent& event) {
  event.setDropAction(Qt::CopyAction);
  event.accept();
}

DropTarget::DropTarget(QWidget* window) : QObject(window), overlay_(new DropOverlay(window)) {
  window->setAcceptDrops(true);
  window->installEventFilter(this);
  overlay_->hide();
}

bool DropTarget::eventFilter(QObject* watched, QEvent* event) {
  switch (event->type()) {
    case QEvent::DragEnter: {
      auto* enter = static_cast<QDragEnterEvent*>(event);
      overlay_->show(readDrop(*enter->mimeData(), /*pixels=*/false));
      // Useless content is taken as well: the drop then says why in words.
      copy(*enter);
      return true;
    }
    case QEvent::DragMove:
      copy(*static_cast<QDragMoveEvent*>(event));
      return true;
    case QEvent::DragLeave:
      overlay_->hide();
      return true;
    case QEvent::Drop: {
      overlay_->hide();
      auto* drop = static_cast<QDropEvent*>(event);
      copy(*drop);
      emit dropped(readDrop(*drop->mimeData()));
      return true;
    }
    default:
      return QObject::eventFilter(watched, event);
  }
}

}  // namespace adamerge::ui
