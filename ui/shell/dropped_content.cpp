// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/dropped_content.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QMimeData>
#include <QMimeDatabase>
#include <QUrl>
#include <algorithm>
#include <array>
#include <optional>

namespace adamerge::ui {
namespace {

namespace fs = std::filesystem;

QString tr(const char* text, int n = -1) {
  return QCoreApplication::translate("DroppedContent", text, nullptr, n);
}

bool endsWithAny(const QString& name, const std::vector<QString>& endings) {
  return std::any_of(endings.begin(), endings.end(), [&](const QString& ending) {
    return name.endsWith(ending, Qt::CaseInsensitive);
  });
}

bool isWeights(const QString& name) {
  return endsWithAny(name, {".safetensors", ".pth", ".pt", ".bin", ".safetensors.index.json"});
}

QString nameOf(const fs::path& path) { return QString::fromStdString(path.filename().string()); }

/// Files without an ending are judged by their first bytes.
QString kindOf(const QString& path) {
  const QString type = QMimeDatabase().mimeTypeForFile(path).name();
  return type.section('/', 0, 0);
}

QString sort(const QString& text, DroppedContent& content) {
  const QFileInfo file(text);
  const fs::path path(text.toStdString());
  if (!file.exists()) return tr("%1: there is no such file.").arg(text);
  if (file.isDir()) {
    (isModelFolder(path) ? content.models : content.folders).push_back(path);
  } else if (file.fileName().endsWith(QStringLiteral(".adamerge"), Qt::CaseInsensitive)) {
    content.sessions.push_back(path);
  } else if (isWeights(file.fileName())) {
    content.models.push_back(path);
  } else if (kindOf(text) == QStringLiteral("image")) {
    content.images.push_back(path);
  } else if (kindOf(text) == QStringLiteral("video")) {
    content.videos.push_back(path);
  } else {
    return tr("%1 is neither a picture, a folder, a video, a model (.safetensors, .pth, .pt, .bin) "
              "nor a session (.adamerge).")
        .arg(file.fileName());
  }
  return {};
}

/// The first problem, if any.
QString readFiles(const std::vector<QString>& paths, DroppedContent& content) {
  QString problem;
  for (const QString& path : paths) {
    const QString wrong = sort(path, content);
    if (problem.isEmpty()) problem = wrong;
  }
  return problem;
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
  content.image_name = named && !url->fileName().isEmpty() ? url->fileName() : tr("Pasted picture");
  return true;
}

QString openText(const std::vector<fs::path>& paths, const char* one, const char* many) {
  return paths.size() == 1 ? tr(one).arg(nameOf(paths.front())) : tr(many).arg(paths.size());
}

}  // namespace

bool DroppedContent::usable() const {
  return !images.empty() || !folders.empty() || !models.empty() || !sessions.empty() ||
         !videos.empty() || !image_bytes.isEmpty() || !image.isNull();
}

DroppedContent readDrop(const QMimeData& data) {
  DroppedContent content;
  const QString wrong = readFiles(localFiles(data), content);
  if (content.usable()) return content;
  const std::optional<QUrl> url = remoteUrl(data);
  if (readPixels(data, url, content)) return content;
  if (!wrong.isEmpty()) {
    content.problem = wrong;
  } else if (url && url->scheme().startsWith(QStringLiteral("http"))) {
    content.problem = tr("Only the address %1 came, not the picture: save it to a file first (in "
                         "the browser: Save image as), or copy the picture itself.")
                          .arg(url->toDisplayString());
  } else {
    content.problem =
        tr("Nothing in it can be opened: a picture, a folder, a video, a model or a "
           "session is expected.");
  }
  return content;
}

QString describeDrop(const DroppedContent& content) {
  if (!content.sessions.empty()) {
    return tr("Open the session %1").arg(nameOf(content.sessions.front()));
  }
  if (!content.models.empty()) return tr("Load the model %1").arg(nameOf(content.models.front()));
  if (!content.folders.empty()) {
    return openText(content.folders, "List the pictures in %1", "List the pictures of %1 folders");
  }
  if (!content.images.empty()) {
    return openText(content.images, "Open the picture %1", "Open %1 pictures");
  }
  if (!content.videos.empty()) return tr("Play the video %1").arg(nameOf(content.videos.front()));
  if (content.usable()) return tr("Open this picture");
  return content.problem;
}

bool isModelFolder(const fs::path& folder) {
  std::error_code code;
  if (!fs::is_regular_file(folder / "config.json", code)) return false;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    if (isWeights(nameOf(entry->path()))) return true;
  }
  return false;
}

}  // namespace adamerge::ui
