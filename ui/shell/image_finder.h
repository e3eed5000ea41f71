// SPDX-License-Identifier: GPL-3.0-or-later
// Lists the pictures of a folder off the UI thread; only the newest search is answered.
#pragma once

#include <QObject>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <vector>

namespace adamerge::ui {

class Mailbox;

class ImageFinder : public QObject {
  Q_OBJECT
 public:
  explicit ImageFinder(QObject* parent = nullptr);
  /// Ends the search: a large tree does not keep the program from closing.
  ~ImageFinder() override;

  void find(const std::filesystem::path& folder);
  void cancel();

 signals:
  void found(const std::vector<std::filesystem::path>& files);
  void failed(const QString& message);

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::stop_source stop_;
  std::uint64_t ticket_ = 0;
};

}  // namespace adamerge::ui
