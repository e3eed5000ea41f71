// SPDX-License-Identifier: GPL-3.0-or-later
// GET over libcurl as the hub needs it: cancelled at once, and a token that stays with its host.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "adamerge/error.h"
#include "adamerge/hub.h"

namespace adamerge::hub {

/// The connection could not be made, or it broke.
class TransferError : public Error {
 public:
  using Error::Error;
};

struct Response {
  long status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;                            ///< empty where a sink took it

  bool ok() const { return status >= 200 && status < 300; }
  bool isPage() const;  ///< HTML, which the hub sends for nothing that is asked here
  std::string header(const std::string& name) const;
};

class HttpClient {
 public:
  /// Sends the settings' token, if there is one, to the settings' endpoint and to no other origin.
  HttpClient(const Settings& settings, std::stop_token stop);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  /// Gets the bytes of a good answer, unless that is a page, as they come; `from_start` is false
  /// where the server grants the wanted offset. May throw.
  using Sink = std::function<void(std::string_view bytes, bool from_start)>;

  /// Follows redirects. `offset`: the bytes before it are not wanted. Throws TransferError,
  /// Cancelled, and what `sink` throws.
  Response get(const std::string& url, const Sink& sink = {}, std::int64_t offset = 0);

  /// Of one segment of a path, '/' included.
  static std::string escaped(std::string_view text);

 private:
  struct Transfer;
  Response getOnce(const std::string& url, const Sink& sink, std::int64_t offset,
                   std::string& redirect);

  const Settings& settings_;
  std::stop_token stop_;
  std::shared_ptr<void> multi_;
  std::shared_ptr<void> easy_;
};

}  // namespace adamerge::hub
