// SPDX-License-Identifier: GPL-3.0-or-later
// The door by which other programs of the same user show files in the running window:
// `adamerge.show()` of the Python package.
#pragma once

#include <QLocalServer>
#include <QObject>
#include <QString>

namespace adamerge::ui {

class SingleInstance : public QObject {
  Q_OBJECT
 public:
  /// Where it listens: "adamerge-studio.socket" in XDG_RUNTIME_DIR, else in the user's cache.
  static QString place();

  /// Listens unless another window already does. Every line that comes is a JSON object,
  /// {"open": "/path"}; the answer is "ok" or what is wrong.
  explicit SingleInstance(QString place, QObject* parent = nullptr);

  bool listens() const { return server_.isListening(); }

 signals:
  void asked(const QString& path);

 private:
  void serve();
  QByteArray answer(const QByteArray& line);

  QLocalServer server_;
};

}  // namespace adamerge::ui
