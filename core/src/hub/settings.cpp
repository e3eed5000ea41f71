// SPDX-License-Identifier: GPL-3.0-or-later
// Names of models, and what the environment says of cache, hub and token.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string_view>

#include "adamerge/error.h"
#include "adamerge/hub.h"
#include "model/model_config.h"
#include "support/files.h"

namespace adamerge::hub {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEndpoint = "https://huggingface.co";
constexpr std::size_t kLongestName = 96;  // the hub's own limit
constexpr std::array<std::string_view, 2> kPrefixes{"hf-hub:", "hf_hub:"};
constexpr std::array<std::string_view, 2> kPages{"https://huggingface.co/", "https://hf.co/"};

bool isWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

/// One side of the slash, by the hub's rules.
bool isNamePart(std::string_view part) {
  const auto edge = [](char c) { return c == '-' || c == '.'; };
  return !part.empty() && part.size() <= kLongestName &&
         std::all_of(part.begin(), part.end(), isWordCharacter) && !edge(part.front()) &&
         !edge(part.back()) && part.find("--") == std::string_view::npos &&
         part.find("..") == std::string_view::npos;
}

bool isRevision(std::string_view revision) {
  return !revision.empty() && revision.front() != '/' && revision.back() != '/' &&
         revision.find("..") == std::string_view::npos &&
         revision.find("//") == std::string_view::npos &&
         std::all_of(revision.begin(), revision.end(),
                     [](char c) { return isWordCharacter(c) || c == '/'; });
}

/// OWNER/NAME@REVISION of the path of a model's page, OWNER/NAME/tree/REVISION.
std::string namedByPage(std::string_view path) {
  std::string name(path.substr(0, path.find_first_of("?#")));
  while (name.ends_with('/')) name.pop_back();
  constexpr std::string_view kTree = "/tree/";
  const std::size_t tree = name.find(kTree);
  return tree == std::string::npos ? name : name.replace(tree, kTree.size(), "@");
}

bool namesAFile(std::string_view text) { return mayBeWeights(text) || text.ends_with(".json"); }

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool isOn(const char* name) {
  std::string value = variable(name);
  std::transform(value.begin(), value.end(), value.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

fs::path expanded(const std::string& path) {
  if (path == "~" || path.starts_with("~/")) return variable("HOME") + path.substr(1);
  return path;
}

fs::path home() {
  if (const std::string own = variable("HF_HOME"); !own.empty()) return expanded(own);
  const std::string caches = variable("XDG_CACHE_HOME");
  return (caches.empty() ? expanded("~/.cache") : expanded(caches)) / "huggingface";
}

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string token() {
  if (isOn("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return {};
  std::string source = "HF_TOKEN";
  std::string text = trimmed(variable("HF_TOKEN"));
  if (text.empty()) text = trimmed(variable("HUGGING_FACE_HUB_TOKEN"));
  if (text.empty()) {
    const std::string named = variable("HF_TOKEN_PATH");
    const fs::path file = named.empty() ? home() / "token" : expanded(named);
    source = file.string();
    std::error_code ignored;
    constexpr std::uint64_t kLongest = 4096;
    if (fs::is_regular_file(file, ignored)) {
      text = trimmed(readTextFile(file, kLongest));
    }
  }
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; })) {
    throw Error(
        fmt::format("{}: this is no token of the hub: it holds characters that none has", source));
  }
  return text;
}

}  // namespace

std::string ModelName::text() const {
  return revision == "main" ? repository : fmt::format("{}@{}", repository, revision);
}

std::optional<ModelName> parseName(const std::string& text) {
  std::error_code ignored;
  if (fs::exists(text, ignored)) return std::nullopt;
  std::string_view rest = text;
  bool certain = false;
  std::string page;
  for (const std::string_view prefix : kPages) {
    if (!rest.starts_with(prefix)) continue;
    rest = page = namedByPage(rest.substr(prefix.size()));
    certain = true;
  }
  for (const std::string_view prefix : kPrefixes) {
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    certain = true;
    break;
  }
  ModelName name;
  const std::size_t at = rest.find('@');
  if (at != std::string_view::npos) name.revision = rest.substr(at + 1);
  name.repository = rest.substr(0, at);
  const std::size_t slash = name.repository.find('/');
  const std::string_view repository = name.repository;
  const bool valid = slash != std::string::npos && isNamePart(repository.substr(0, slash)) &&
                     isNamePart(repository.substr(slash + 1)) && isRevision(name.revision);
  if (valid && (certain || !namesAFile(repository))) return name;
  if (certain) {
    throw Error(
        fmt::format("{}: this names no model of the hub; write hf-hub:OWNER/NAME or "
                    "hf-hub:OWNER/NAME@REVISION",
                    text));
  }
  return std::nullopt;
}

Settings settingsFromEnvironment() {
  Settings settings;
  std::string cache = variable("HF_HUB_CACHE");
  if (cache.empty()) cache = variable("HUGGINGFACE_HUB_CACHE");
  settings.cache = cache.empty() ? home() / "hub" : expanded(cache);
  settings.endpoint = variable("HF_ENDPOINT");
  if (settings.endpoint.empty()) settings.endpoint = kEndpoint;
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  settings.token = token();
  settings.offline = isOn("HF_HUB_OFFLINE") || isOn("TRANSFORMERS_OFFLINE");
  return settings;
}

}  // namespace adamerge::hub
