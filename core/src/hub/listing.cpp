// SPDX-License-Identifier: GPL-3.0-or-later
#include "hub/listing.h"

#include <fmt/format.h>

#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "adamerge/error.h"
#include "hub/cache.h"
#include "model/model_config.h"
#include "support/json.h"

namespace adamerge::hub {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kSha1Digits = 40;

[[noreturn]] void failNotTheHub(const ModelName& name, const Settings& settings) {
  throw Error(
      fmt::format("{}: {} answers with something else than the hub's data; a proxy or the "
                  "network's log-in page may stand between, or HF_ENDPOINT is wrong",
                  name.text(), settings.endpoint));
}

}  // namespace

Listing parseListing(const std::string& text, const ModelName& name, const Settings& settings) {
  Listing listing;
  try {
    const json repository = json::parse(text);
    listing.commit = repository.at("sha").get<std::string>();
    for (const json& entry : repository.at("siblings")) {
      RemoteFile file;
      file.name = entry.at("rfilename").get<std::string>();
      const bool plain = !file.name.empty() && file.name.front() != '.' &&
                         std::all_of(file.name.begin(), file.name.end(), [](unsigned char c) {
                           return c > ' ' && c != '/' && c != '\\' && c != 0x7F;
                         });
      if (!plain) continue;
      const bool large = entry.contains("lfs") && entry.at("lfs").is_object();
      file.hash = large ? entry.at("lfs").at("sha256").get<std::string>()
                        : entry.at("blobId").get<std::string>();
      const json& size = (large ? entry.at("lfs") : entry).at("size");
      const auto bytes =
          wholeNumber<std::int64_t>(size, 0, std::numeric_limits<std::int64_t>::max());
      if (!bytes) throw Error("a size that is no whole number");
      file.bytes = *bytes;
      if (!isHash(file.hash, large ? kSha256Digits : kSha1Digits)) {
        throw Error("a hash that is none");
      }
      listing.files.push_back(std::move(file));
    }
  } catch (const std::exception&) {
    listing.commit.clear();
  }
  if (!isHash(listing.commit, kSha1Digits)) failNotTheHub(name, settings);
  return listing;
}

void failAnswer(const ModelName& name, const Settings& settings, const Response& response) {
  if (response.isPage() && response.ok()) failNotTheHub(name, settings);
  const std::string code = response.header("x-error-code");
  const bool token = !settings.token.empty();
  const std::string page = fmt::format("{}/{}", settings.endpoint, name.repository);
  if (code == "GatedRepo") {
    throw Error(
        token
            ? fmt::format("{}: the model is gated, and the token's owner has no access to it; ask "
                          "for it at {}",
                          name.text(), page)
            : fmt::format("{}: the model is gated: accept its conditions at {}, then put a token "
                          "of yours into HF_TOKEN",
                          name.text(), page));
  }
  if (code == "RevisionNotFound") {
    throw Error(fmt::format("{}: the hub has the model, but no branch, tag or commit '{}' of it",
                            name.text(), name.revision));
  }
  if (code == "RepoNotFound" || (response.status == 404 && !response.isPage())) {
    throw Error(
        fmt::format("{}: there is no such file or folder here, and no such model at {}, or it is "
                    "private and {}",
                    name.text(), settings.endpoint,
                    token ? "the token's owner has no access to it" : "needs a token in HF_TOKEN"));
  }
  if (response.status == 401 || response.status == 403) {
    throw Error(token ? fmt::format("{}: {} refuses the token (status {}); see HF_TOKEN",
                                    name.text(), settings.endpoint, response.status)
                      : fmt::format("{}: {} asks for a token (status {}); put one into HF_TOKEN",
                                    name.text(), settings.endpoint, response.status));
  }
  if (response.status == 429) {
    throw Error(fmt::format("{}: {} has had too many requests from here; try again later",
                            name.text(), settings.endpoint));
  }
  if (response.isPage()) failNotTheHub(name, settings);
  throw Error(fmt::format("{}: {} answers with status {}; try again later", name.text(),
                          settings.endpoint, response.status));
}

Listing askHub(HttpClient& http, const ModelName& name, const Settings& settings) {
  if (settings.offline) {
    throw Error(
        fmt::format("{}: it is not whole in the cache {}, and HF_HUB_OFFLINE keeps the "
                    "program from the network",
                    name.text(), settings.cache.string()));
  }
  Response response;
  try {
    response = http.get(fmt::format("{}/api/models/{}/revision/{}?blobs=true", settings.endpoint,
                                    name.repository, HttpClient::escaped(name.revision)));
  } catch (const TransferError& error) {
    throw Error(
        fmt::format("{}: there is no such file or folder here, it is not whole in the cache "
                    "{}, and the hub cannot be reached: {}",
                    name.text(), settings.cache.string(), error.what()));
  }
  if (!response.ok()) failAnswer(name, settings, response);
  return parseListing(response.body, name, settings);
}

std::vector<RemoteFile> chooseWeights(const Listing& listing, const ModelName& name) {
  for (const std::string_view usual : weightFileNames()) {
    const RemoteFile* found = listing.find(usual);
    if (found == nullptr) continue;
    std::vector<RemoteFile> files{*found};
    constexpr std::string_view kIndex = ".index.json";
    if (!usual.ends_with(kIndex)) return files;
    // "model.safetensors.index.json" lists model-00001-of-00002.safetensors, ...
    const fs::path whole(usual.substr(0, usual.size() - kIndex.size()));
    for (const RemoteFile& file : listing.files) {
      if (file.name.starts_with(whole.stem().string() + "-") &&
          file.name.ends_with(whole.extension().string())) {
        files.push_back(file);
      }
    }
    return files;
  }
  for (const char* extension : {".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".pth.tar"}) {
    std::vector<RemoteFile> files;
    std::copy_if(listing.files.begin(), listing.files.end(), std::back_inserter(files),
                 [extension](const RemoteFile& file) {
                   return file.name.ends_with(extension) && mayBeWeights(file.name);
                 });
    if (files.size() == 1) return files;
  }
  throw Error(
      fmt::format("{}: the repository has no weights that can be read here, such as "
                  "model.safetensors or pytorch_model.bin",
                  name.text()));
}

}  // namespace adamerge::hub
