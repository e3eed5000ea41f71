// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/image_finder.h"

#include <QThreadPool>

#include "adamerge/image.h"
#include "compute/error_text.h"
#include "compute/mailbox.h"

namespace adamerge::ui {

ImageFinder::ImageFinder(QObject* parent)
    : QObject(parent), mailbox_(std::make_shared<Mailbox>(this)) {}

ImageFinder::~ImageFinder() {
  stop_.request_stop();
  mailbox_->close();
}

void ImageFinder::cancel() {
  ++ticket_;
  stop_.request_stop();
}

void ImageFinder::find(const std::filesystem::path& folder) {
  cancel();
  stop_ = std::stop_source();
  const std::uint64_t ticket = ticket_;
  const auto answer = [this, ticket, mailbox = mailbox_](std::function<void()> call) {
    mailbox->post([this, ticket, call = std::move(call)] {
      if (ticket == ticket_) call();
    });
  };
  QThreadPool::globalInstance()->start([this, folder, answer, stop = stop_.get_token()] {
    try {
      answer([this, files = findImages(folder, stop)] { emit found(files); });
    } catch (const std::exception& error) {
      answer([this, message = errorText(error)] { emit failed(message); });
    }
  });
}

}  // namespace adamerge::ui
