// SPDX-License-Identifier: GPL-3.0-or-later
// Models of the Hugging Face hub, off the UI thread: what the cache has, and the way into it.
#pragma once

#include <QObject>
#include <QString>
#include <filesystem>
#include <memory>
#include <vector>

#include "adamerge/hub.h"
#include "bench/jobs.h"

namespace adamerge::ui {

/// Of a file or folder: its name; of a model in the hub's cache: OWNER/NAME.
QString displayName(const std::filesystem::path& path);

/// The cache of this machine and the hub it is filled from, as the environment names them.
struct HubCache {
  QString folder;
  QString endpoint;
  bool offline = false;  ///< HF_HUB_OFFLINE
  std::vector<hub::CachedModel> models;
  QString problem = {};  ///< why it cannot be told
};

/// What fetching a model takes.
struct HubOffer {
  hub::Plan plan;
  QString endpoint;
  QString folder;  ///< of the cache
};

struct HubProgress {
  QString waiting;  ///< not empty: why nothing moves, in words; then the rest means nothing
  qint64 done = 0;  ///< bytes
  qint64 total = 0;
  double rate = 0;  ///< bytes/s of late; 0: not known yet
  double seconds_left = 0;
};

/// One model at a time; a newer request supersedes the one before.
class HubModels : public QObject {
  Q_OBJECT
 public:
  explicit HubModels(QObject* parent = nullptr);

  void list();
  /// Ends in found(), offered() or failed(). `ask_hub`: the hub is asked even where the cache has
  /// the model, since a branch may have moved on and a file be damaged.
  void look(const QString& name, bool ask_hub);
  /// What was offered last. Ends in found() or failed().
  void fetch();
  /// What has arrived of a transfer stays for the next.
  void cancel();

 signals:
  void listed(const adamerge::ui::HubCache& cache);
  /// It is not in the cache.
  void asking(const QString& endpoint);
  void offered(const adamerge::ui::HubOffer& offer);
  /// About ten times a second.
  void progressed(const adamerge::ui::HubProgress& progress);
  /// The model is here: open this.
  void found(const std::filesystem::path& model);
  void failed(const QString& message);

 private:
  std::shared_ptr<const HubOffer> offer_;
  Jobs jobs_{this};
};

}  // namespace adamerge::ui
