// SPDX-License-Identifier: GPL-3.0-or-later
// Opening a model of the Hugging Face hub by its name: from the cache, else fetched into it.
#pragma once

#include <QDialog>
#include <QString>
#include <filesystem>

#include "bench/hub_models.h"
#include "look/widgets.h"

class QCheckBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QTreeWidget;

namespace adamerge::ui {

class ElidedLabel;
class MessageLine;

class HubDialog : public FittingDialog {
  Q_OBJECT
 public:
  explicit HubDialog(QWidget* parent = nullptr);

 public slots:
  /// Cancels what runs; else closes.
  void reject() override;

 signals:
  /// The dialog is done.
  void chosen(const std::filesystem::path& model);

 private:
  enum class State { kIdle, kLooking, kOffered, kFetching };

  void layOut();
  void connectModels();
  void setState(State state);
  bool busy() const { return state_ == State::kLooking || state_ == State::kFetching; }
  void showCache(const HubCache& cache);
  void filter(const QString& text);
  void start();
  void offer(const HubOffer& offer);
  void progress(const HubProgress& progress);

  HubModels models_;
  State state_ = State::kIdle;
  QString fetch_;  ///< the button's text for what was offered
  QLineEdit* name_;
  QLabel* heading_;
  QTreeWidget* list_;
  ElidedLabel* place_;
  QCheckBox* ask_hub_;
  QProgressBar* bar_;
  QLabel* progress_;
  MessageLine* notice_;
  QPushButton* close_;
  QPushButton* open_;
};

/// "54 kB", "10.8 MB", "1.21 GB": thousands, as the hub counts.
QString byteText(qint64 bytes);

}  // namespace adamerge::ui
