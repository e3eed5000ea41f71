// SPDX-License-Identifier: GPL-3.0-or-later
// hub_server.py on the loopback address.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace adamerge::test {

/// Serves a folder of repositories until it is destroyed. Throws where no hub starts.
class HubServer {
 public:
  explicit HubServer(const std::filesystem::path& folder, std::vector<std::string> options = {});
  HubServer(const HubServer&) = delete;
  HubServer& operator=(const HubServer&) = delete;
  ~HubServer();

  std::string address() const { return "http://127.0.0.1:" + port_; }
  /// One line a request: method, path, status, and "token" where one came along.
  std::vector<std::string> requests() const;
  /// Those that hold `part`.
  std::vector<std::string> requests(const std::string& part) const;

 private:
  pid_t process_ = -1;
  std::filesystem::path log_;
  std::string port_;
};

}  // namespace adamerge::test
