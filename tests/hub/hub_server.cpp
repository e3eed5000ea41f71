// SPDX-License-Identifier: GPL-3.0-or-later
#include "hub_server.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace adamerge::test {

HubServer::HubServer(const std::filesystem::path& folder, std::vector<std::string> options)
    : log_(folder.string() + ".log") {
  std::vector<std::string> words = {ADAMERGE_PYTHON, ADAMERGE_HUB_SERVER, folder.string()};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::filesystem::remove(log_);
  process_ = ::fork();
  if (process_ == 0) {
    const int log = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ::dup2(log, STDOUT_FILENO);
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDERR_FILENO);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  for (int i = 0; i < 1000 && port_.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::ifstream file(log_);
    if (std::string line; std::getline(file, line) && !file.eof()) port_ = line;
  }
  if (port_.empty()) throw std::runtime_error("the hub does not start");
}

HubServer::~HubServer() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

std::vector<std::string> HubServer::requests() const { return requests("/"); }

std::vector<std::string> HubServer::requests(const std::string& part) const {
  std::ifstream lines(log_);
  std::vector<std::string> list;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(part) != std::string::npos) list.push_back(line);
  }
  return list;
}

}  // namespace adamerge::test
