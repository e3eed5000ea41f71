// SPDX-License-Identifier: GPL-3.0-or-later
#include "targets.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "adamerge/error.h"

namespace adamerge::fuzz {
namespace {

namespace fs = std::filesystem;

class OwnFolder {
 public:
  OwnFolder() {
    std::string name = (fs::temp_directory_path() / "adamerge-fuzz-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;
  ~OwnFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

[[noreturn]] void find(const Target& target, const char* what, const char* text) {
  std::fprintf(stderr, "%.*s: %s: %s\n", static_cast<int>(target.name.size()), target.name.data(),
               what, text);
  std::abort();
}

}  // namespace

std::vector<Target> allTargets() {
  std::vector<Target> all = weightTargets();
  for (const auto& some : {textTargets(), pictureTargets()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

void run(const Target& target, Bytes input) {
  try {
    target.read(input);
  } catch (const Error& error) {
    const std::string_view text = error.what();
    if (text.empty() || text.find('\n') != std::string_view::npos) {
      find(target, "a message that is not one line", error.what());
    }
  } catch (const std::exception& error) {
    find(target, "not an adamerge::Error", error.what());
  }
}

fs::path asFile(std::string_view name, Bytes content) {
  static const OwnFolder folder;
  fs::path path = folder.path() / name;
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  return path;
}

fs::path asFile(std::string_view name, std::string_view content) {
  return asFile(name, Bytes(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()));
}

std::string_view asText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<Bytes> parts(Bytes input, std::size_t count) {
  std::vector<Bytes> found;
  while (found.size() + 1 < count) {
    const auto end = std::find(input.begin(), input.end(), 0) - input.begin();
    found.push_back(input.first(static_cast<std::size_t>(end)));
    input = input.subspan(std::min(static_cast<std::size_t>(end) + 1, input.size()));
  }
  found.push_back(input);
  return found;
}

}  // namespace adamerge::fuzz
