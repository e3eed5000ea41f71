// SPDX-License-Identifier: GPL-3.0-or-later
#include "hub/cache.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <map>
#include <system_error>

#include "adamerge/error.h"
#include "adamerge/model_info.h"
#include "model/model_config.h"
#include "support/files.h"
#include "support/json.h"

namespace adamerge::hub {
namespace {

EVP_MD_CTX* contextOf(const std::shared_ptr<void>& context) {
  return static_cast<EVP_MD_CTX*>(context.get());
}

void check(int result) {
  if (result != 1) throw Error("OpenSSL cannot compute the hash of a file here");
}

namespace fs = std::filesystem;

/// Follows links: a link to a blob that is not there is no file.
bool isThere(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Names in a folder, sorted; none where it cannot be listed.
std::vector<std::string> namesIn(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Configs of timm describe the images too.
bool isTimmConfig(const fs::path& config) {
  try {
    const nlohmann::json json = readJson(config);
    return json.is_object() && json.contains("architecture");
  } catch (const Error&) {
    return false;  // loading says what is wrong with it
  }
}

/// Empty where the weights are whole, by what their index says.
std::string missingWeights(const fs::path& snapshot) {
  fs::path weights;
  try {
    weights = findModelFiles(snapshot).weights;
  } catch (const Error&) {
    return "its weights";
  }
  if (!isThere(weights)) return "its weights";
  if (weights.extension() != ".json") return {};
  try {
    const nlohmann::json index = readJson(weights);
    for (const auto& [tensor, shard] : index.at("weight_map").items()) {
      const auto name = shard.get<std::string>();
      if (!isThere(snapshot / name)) return fmt::format("a part of its weights, {}", name);
    }
  } catch (const std::exception&) {
    return {};  // loading says what is wrong with it
  }
  return {};
}

std::string trimmedLine(const fs::path& file) {
  constexpr std::uint64_t kLongest = 4096;
  try {
    std::string text = readTextFile(file, kLongest);
    text.erase(std::find_if(text.begin(), text.end(), [](char c) { return c <= ' '; }), text.end());
    return text;
  } catch (const Error&) {
    return {};
  }
}

std::int64_t bytesIn(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code code;
  for (fs::recursive_directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    const std::uintmax_t size = entry->file_size(ignored);
    if (!ignored) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

/// The branches and tags of each commit, "main" first.
std::map<std::string, std::vector<std::string>> revisionsByCommit(const fs::path& references) {
  std::map<std::string, std::vector<std::string>> revisions;
  std::error_code code;
  for (fs::recursive_directory_iterator entry(references, code), end; !code && entry != end;
       entry.increment(code)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    revisions[trimmedLine(entry->path())].push_back(
        entry->path().lexically_relative(references).string());
  }
  for (auto& [commit, names] : revisions) {
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
      return std::pair(a != "main", a) < std::pair(b != "main", b);
    });
  }
  return revisions;
}

/// Whether it would run, and what it is.
void describe(CachedModel& model) {
  try {
    model.info = describeModel(model.folder);
  } catch (const Error& error) {
    model.problem = error.what();
    const std::string folder = model.folder.string() + "/";
    for (std::size_t at = model.problem.find(folder); at != std::string::npos;
         at = model.problem.find(folder)) {
      model.problem.erase(at, folder.size());
    }
  }
}

}  // namespace

Digest::Digest(std::string_view hash, std::int64_t bytes)
    : context_(EVP_MD_CTX_new(),
               [](void* context) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }) {
  const bool sha256 = hash.size() == kSha256Digits;
  check(EVP_DigestInit_ex(contextOf(context_), sha256 ? EVP_sha256() : EVP_sha1(), nullptr));
  if (!sha256) {
    add(fmt::format("blob {}", bytes));
    add(std::string_view("\0", 1));
  }
}

void Digest::add(std::string_view bytes) {
  check(EVP_DigestUpdate(contextOf(context_), bytes.data(), bytes.size()));
}

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  check(EVP_DigestFinal_ex(contextOf(context_), hash.data(), &size));
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", hash[i]);
  return text;
}

CachedRepository::CachedRepository(const std::string& repository, const Settings& settings)
    : folder_(settings.cache / folderName(repository)),
      locks_(settings.cache / ".locks" / folderName(repository)) {}

fs::path CachedRepository::reference(const std::string& revision) const {
  return folder_ / "refs" / revision;
}

fs::path CachedRepository::absence(const std::string& commit, std::string_view file) const {
  return folder_ / ".no_exist" / commit / file;
}

fs::path CachedRepository::lock(const std::string& hash) const { return locks_ / (hash + ".lock"); }

std::string CachedRepository::commitOf(const std::string& revision) const {
  const fs::path file = reference(revision);
  if (isThere(file)) {
    const std::string commit = trimmedLine(file);
    return isHash(commit, kCommitDigits) ? commit : "";
  }
  return isHash(revision, kCommitDigits) && isThere(snapshot(revision)) ? revision : "";
}

bool CachedRepository::knows(const std::string& commit, std::string_view file) const {
  return isThere(snapshot(commit) / file) || isThere(absence(commit, file));
}

std::string CachedRepository::missing(const std::string& commit) const {
  const fs::path folder = snapshot(commit);
  if (std::string weights = missingWeights(folder); !weights.empty()) return weights;
  const fs::path config = folder / "config.json";
  if (isThere(folder / "open_clip_config.json") || isTimmConfig(config)) return {};
  for (const char* file : {"config.json", "preprocessor_config.json"}) {
    if (!knows(commit, file)) return fmt::format("its {}", file);
  }
  return {};
}

Cached findInCache(const ModelName& name, const Settings& settings) {
  const CachedRepository repository(name.repository, settings);
  const std::string commit = repository.commitOf(name.revision);
  if (commit.empty()) return {{}, "everything"};
  return {repository.snapshot(commit), repository.missing(commit)};
}

std::vector<CachedModel> list(const Settings& settings, const std::stop_token& stop) {
  std::vector<CachedModel> models;
  for (const std::string& folder : namesIn(settings.cache)) {
    const std::optional<std::string> name = repositoryOf(folder);
    if (!name) continue;
    const CachedRepository repository(*name, settings);
    const auto revisions = revisionsByCommit(repository.reference(""));
    for (const std::string& commit : namesIn(repository.snapshots())) {
      throwIfStopped(stop);
      CachedModel model;
      model.name = {*name, commit};
      if (const auto found = revisions.find(commit); found != revisions.end()) {
        model.name.revision = found->second.front();
      }
      model.folder = repository.snapshot(commit);
      model.bytes = bytesIn(model.folder);
      const std::string missing = repository.missing(commit);
      if (missing.empty()) {
        describe(model);
      } else {
        model.problem = fmt::format("{} not in the cache",
                                    missing + (missing == "its weights" ? " are" : " is"));
      }
      models.push_back(std::move(model));
    }
  }
  return models;
}

}  // namespace adamerge::hub
