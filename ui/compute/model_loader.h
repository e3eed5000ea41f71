// SPDX-License-Identifier: GPL-3.0-or-later
// Loads models on a thread of its own, so that the present one stays usable meanwhile.
#pragma once

#include <QObject>
#include <QString>
#include <filesystem>
#include <memory>

#include "adamerge/engine.h"
#include "state/inspection.h"

namespace adamerge::ui {

class ModelLoader : public QObject {
  Q_OBJECT
 public:
  explicit ModelLoader(QObject* parent = nullptr);
  ~ModelLoader() override;

  /// Supersedes a load under way.
  void load(const std::filesystem::path& path, const EngineOptions& options = {});
  void cancel();
  bool loading() const;
  /// Those of the last model that was loaded.
  EngineOptions options() const;

 signals:
  void started(const QString& name);
  /// About 20 times a second; done of total in steps of `stage`.
  void progressed(const QString& stage, qint64 done, qint64 total);
  void loaded(std::shared_ptr<adamerge::Engine> engine, adamerge::ui::LoadedModelPtr model);
  void failed(const QString& message);
  void cancelled();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What the studio shows of an engine; a new id each time.
LoadedModelPtr describeModel(const Engine& engine);

}  // namespace adamerge::ui
