// SPDX-License-Identifier: GPL-3.0-or-later
// Lists the pictures of a folder off the UI thread; only the newest search is answered.
#pragma once

#include <QObject>
#include <filesystem>
#include <memory>
#include <vector>

namespace adamerge::ui {

class ImageFinder : public QObject {
  Q_OBJECT
 public:
  explicit ImageFinder(QObject* parent = nullptr);
  ~ImageFinder() override;

  void find(const std::filesystem::path& folder);
  void cancel();

 signals:
  void found(const std::vector<std::filesystem::path>& files);
  void failed(const QString& message);

 private:
  struct Search;
  std::shared_ptr<Search> search_;  ///< the one awaited
};

}  // namespace adamerge::ui
