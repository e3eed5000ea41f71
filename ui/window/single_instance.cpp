// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/single_instance.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocalSocket>
#include <QStandardPaths>

namespace adamerge::ui {
namespace {

constexpr int kPatience = 500;  ///< ms, for another window to answer
constexpr qint64 kLongestLine = 65536;

}  // namespace

QString SingleInstance::place() {
  // app/python/adamerge/studio.py has the same rule.
  const QString runtime = qEnvironmentVariable("XDG_RUNTIME_DIR");
  const QString folder =
      !runtime.isEmpty() && QFileInfo(runtime).isDir()
          ? runtime
          : QStandardPaths::writableLocation(QStandardPaths::GenericCacheLocation);
  return QDir(folder).filePath(QStringLiteral("adamerge-studio.socket"));
}

SingleInstance::SingleInstance(QString place, QObject* parent) : QObject(parent) {
  QLocalSocket other;
  other.connectToServer(place);
  if (other.waitForConnected(kPatience)) return;
  // What a window that crashed has left.
  QLocalServer::removeServer(place);
  QDir().mkpath(QFileInfo(place).path());
  server_.setSocketOptions(QLocalServer::UserAccessOption);
  connect(&server_, &QLocalServer::newConnection, this, &SingleInstance::serve);
  server_.listen(place);
}

void SingleInstance::serve() {
  while (QLocalSocket* socket = server_.nextPendingConnection()) {
    connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
    connect(socket, &QLocalSocket::readyRead, this, [this, socket] {
      if (!socket->canReadLine()) {
        if (socket->bytesAvailable() > kLongestLine) socket->abort();
        return;
      }
      socket->write(answer(socket->readLine(kLongestLine)));
      socket->disconnectFromServer();
    });
  }
}

QByteArray SingleInstance::answer(const QByteArray& line) {
  const QString path = QJsonDocument::fromJson(line).object().value("open").toString();
  if (path.isEmpty() || !QFileInfo(path).isAbsolute()) {
    return "not understood: {\"open\": \"/absolute/path\"} is expected\n";
  }
  emit asked(path);
  return "ok\n";
}

}  // namespace adamerge::ui
