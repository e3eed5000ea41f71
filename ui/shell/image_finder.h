// SPDX-License-Identifier: GPL-3.0-or-later
// Lists the pictures of a folder off the UI thread; only the newest search is answered.
#pragma once

#include <QObject>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace adamerge::ui {

class Mailbox;

class ImageFinder : public QObject {
  Q_OBJECT
 public:
  explicit ImageFinder(QObject* parent = nullptr);
  /// A search through a slow disk cannot be interrupted, only disowned.
  ~ImageFinder() override;

  void find(const std::filesystem::path& folder);
  void cancel() { ++ticket_; }

 signals:
  void found(const std::vector<std::filesystem::path>& files);
  void failed(const QString& message);

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::uint64_t ticket_ = 0;
};

}  // namespace adamerge::ui
