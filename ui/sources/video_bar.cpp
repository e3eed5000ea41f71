// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/video_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QMouseEvent>
#include <QSignalBlocker>
#include <QSlider>
#include <QStyle>
#include <QToolButton>
#include <cmath>

#include "look/icons.h"
#include "sources/video.h"

namespace adamerge::ui {
namespace {

constexpr int kRateEvery = 300;  ///< ms; a number that flickers cannot be read

/// A click goes there, as in every player.
class SeekSlider : public QSlider {
 public:
  using QSlider::QSlider;

 protected:
  void mousePressEvent(QMouseEvent* event) override {
    if (event->button() == Qt::LeftButton) {
      setSliderPosition(QStyle::sliderValueFromPosition(minimum(), maximum(),
                                                        qRound(event->position().x()), width()));
    }
    QSlider::mousePressEvent(event);
  }
};

}  // namespace

VideoBar::VideoBar(VideoSource& source, QWidget* parent)
    : QWidget(parent),
      source_(source),
      back_(toolButton(QStringLiteral("previous"), tr("One frame back"))),
      play_(toolButton(QStringLiteral("play"), tr("Play"))),
      forward_(toolButton(QStringLiteral("next"), tr("One frame on"))),
      slider_(new SeekSlider(Qt::Horizontal, this)),
      time_(new QLabel(this)),
      loop_(new QToolButton(this)),
      rate_(new QLabel(this)),
      close_(toolButton(QStringLiteral("close"), tr("Close the video"))) {
  play_->setObjectName(QStringLiteral("play"));
  loop_->setText(tr("Loop"));
  loop_->setCheckable(true);
  loop_->setChecked(source_.loops());
  loop_->setAutoRaise(true);
  loop_->setToolTip(tr("At the end, play from the beginning again."));
  slider_->setAccessibleName(tr("Place in the video"));
  slider_->setToolTip(tr("Place in the video; arrow keys move by one frame."));
  rate_->setObjectName(QStringLiteral("rate"));
  rate_->setToolTip(
      tr("Pictures drawn per second, with the overlay of the present settings. A "
         "file keeps its speed by leaving frames out."));
  rate_->setMinimumWidth(fontMetrics().horizontalAdvance(tr("%1 frames/s").arg("999.9")));
  rate_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);

  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(6, 3, 6, 3);
  row->setSpacing(4);
  for (QWidget* widget : {static_cast<QWidget*>(back_), static_cast<QWidget*>(play_),
                          static_cast<QWidget*>(forward_)}) {
    row->addWidget(widget);
  }
  row->addSpacing(4);
  row->addWidget(slider_, 1);
  row->addSpacing(4);
  row->addWidget(time_);
  row->addWidget(loop_);
  row->addStretch(0);
  row->addWidget(rate_);
  row->addWidget(close_);
  connectSource();
  setVisible(source_.isOpen());
  if (source_.isOpen()) showOpened();
}

void VideoBar::connectSource() {
  connect(back_, &QToolButton::clicked, &source_, [this] { source_.step(-1); });
  connect(forward_, &QToolButton::clicked, &source_, [this] { source_.step(1); });
  connect(play_, &QToolButton::clicked, &source_, &VideoSource::toggle);
  connect(loop_, &QToolButton::toggled, &source_, &VideoSource::setLoop);
  connect(close_, &QToolButton::clicked, &source_, &VideoSource::close);
  connect(slider_, &QSlider::valueChanged, &source_, &VideoSource::seek);
  connect(&source_, &VideoSource::loopChanged, loop_, &QToolButton::setChecked);
  connect(&source_, &VideoSource::opened, this, &VideoBar::showOpened);
  connect(&source_, &VideoSource::closed, this, &QWidget::hide);
  connect(&source_, &VideoSource::playingChanged, this, &VideoBar::showPlaying);
  connect(&source_, &VideoSource::frameReady, this,
          [this](const PicturePtr&, int frame) { showFrame(frame); });
}

void VideoBar::showOpened() {
  const VideoInfo& info = source_.info();
  const bool seekable = info.seekable();
  for (QWidget* widget : {static_cast<QWidget*>(back_), static_cast<QWidget*>(forward_),
                          static_cast<QWidget*>(slider_), static_cast<QWidget*>(loop_)}) {
    widget->setVisible(seekable);
  }
  const QSignalBlocker blocker(slider_);
  slider_->setRange(0, std::max(0, info.frames - 1));
  slider_->setPageStep(std::max(1, static_cast<int>(std::lround(info.rate))));
  const QString longest = timeText(info.frames / info.rate);
  time_->setMinimumWidth(fontMetrics().horizontalAdvance(longest + " / " + longest));
  time_->setAlignment(seekable ? Qt::AlignRight | Qt::AlignVCenter : Qt::AlignLeft);
  showPlaying(source_.playing());
  showFrame(source_.position());
  show();
}

void VideoBar::showPlaying(bool playing) {
  play_->setIcon(icon(playing ? QStringLiteral("pause") : QStringLiteral("play")));
  play_->setToolTip(playing ? tr("Pause") : tr("Play"));
  play_->setAccessibleName(play_->toolTip());
  if (!playing) rate_->clear();
  rate_told_.start();
}

void VideoBar::showFrame(int frame) {
  if (!source_.isOpen()) return;
  const VideoInfo& info = source_.info();
  if (info.seekable()) {
    time_->setText(QStringLiteral("%1 / %2").arg(timeText(frame / info.rate),
                                                 timeText(info.frames / info.rate)));
  } else {
    time_->setText(info.live ? tr("%1, live").arg(info.name) : timeText(frame / info.rate));
  }
  if (!slider_->isSliderDown()) {
    const QSignalBlocker blocker(slider_);
    slider_->setValue(frame);
  }
  if (rate_told_.elapsed() < kRateEvery || source_.shownRate() <= 0) return;
  rate_->setText(tr("%1 frames/s").arg(source_.shownRate(), 0, 'f', 1));
  rate_told_.start();
}

QString VideoBar::timeText(double seconds) {
  const auto tenths = static_cast<qint64>(std::floor(seconds * 10 + 1e-6));
  return QStringLiteral("%1:%2.%3")
      .arg(tenths / 600)
      .arg(tenths / 10 % 60, 2, 10, QLatin1Char('0'))
      .arg(tenths % 10);
}

}  // namespace adamerge::ui
