// SPDX-License-Identifier: GPL-3.0-or-later
// The controls of a video: play, step, seek, loop, the time and the rate the model reaches.
#pragma once

#include <QElapsedTimer>
#include <QWidget>

class QLabel;
class QSlider;
class QToolButton;

namespace adamerge::ui {

class VideoSource;

class VideoBar : public QWidget {
  Q_OBJECT
 public:
  /// Shown while the source is open.
  explicit VideoBar(VideoSource& source, QWidget* parent = nullptr);

  /// "0:03.2": minutes, seconds, tenths.
  static QString timeText(double seconds);

 private:
  void connectSource();
  void showOpened();
  void showPlaying(bool playing);
  void showFrame(int frame);

  VideoSource& source_;
  QToolButton* back_;
  QToolButton* play_;
  QToolButton* forward_;
  QSlider* slider_;
  QLabel* time_;
  QToolButton* loop_;
  QLabel* rate_;
  QToolButton* close_;
  QElapsedTimer rate_told_;
};

}  // namespace adamerge::ui
