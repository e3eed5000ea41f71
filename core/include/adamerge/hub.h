// SPDX-License-Identifier: GPL-3.0-or-later
// Models by name: the Hugging Face cache of this machine, and downloads from the hub into it. The
// cache is the one that huggingface_hub, transformers and timm use, in the same layout and under
// the same locks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "adamerge/model_info.h"

namespace adamerge::hub {

/// A model repository at one of its revisions.
struct ModelName {
  std::string repository;         ///< "google/vit-base-patch16-224"
  std::string revision = "main";  ///< branch, tag or commit
  std::string text() const;       ///< OWNER/NAME, with @REVISION where it is not main
};

/// Of OWNER/NAME or OWNER/NAME@REVISION, also after "hf-hub:" as timm writes it, or of the address
/// of a model's page. nullopt: a file or folder is meant, since there is one, or the text is no
/// name. Throws Error for "hf-hub:" or an address before what is no name.
std::optional<ModelName> parseName(const std::string& text);

/// The repository of a snapshot in the cache, whose folder itself is named by a hash; nullopt for
/// any other folder.
std::optional<std::string> repositoryOfSnapshot(const std::filesystem::path& folder);

/// Where models are looked for.
struct Settings {
  std::filesystem::path cache;  ///< HF_HUB_CACHE; else HF_HOME/hub; else ~/.cache/huggingface/hub
  std::string endpoint;         ///< HF_ENDPOINT; else https://huggingface.co
  std::string token;     ///< HF_TOKEN; else HF_HOME/token. Goes to the endpoint, nowhere else.
  bool offline = false;  ///< HF_HUB_OFFLINE
};
/// Throws Error for a token that no header can hold.
Settings settingsFromEnvironment();

/// A model in the cache. `missing` names what it lacks to run; empty: nothing.
struct Cached {
  std::filesystem::path folder;  ///< of the snapshot
  std::string missing;
};
Cached findInCache(const ModelName& name, const Settings& settings);

struct RemoteFile {
  std::string name;  ///< in the repository's top folder
  std::int64_t bytes = 0;
  /// Names the file's content: its SHA-256 (64 digits) where the hub keeps it as a large file, else
  /// git's SHA-1 of it (40 digits).
  std::string hash;
};

/// What a model needs, as the hub has it.
struct Plan {
  ModelName name;
  std::string commit;
  std::vector<RemoteFile> files;    ///< configs first, then weights
  std::vector<std::string> absent;  ///< configs that the repository does not have
  std::int64_t bytes = 0;           ///< of all files
  std::int64_t missing = 0;  ///< of these, what is not in the cache; parts of broken transfers are
};

/// Asks the hub, and fetches the configs, so that a model that cannot run is refused before its
/// weights are fetched. Throws Error: no such model, a private or gated one without a token that
/// opens it, offline, the hub not reached, something else than the hub answering, a cache that
/// cannot be written, an architecture that cannot run; Cancelled, within 100 ms.
Plan plan(const ModelName& name, const Settings& settings, const std::stop_token& stop = {});

/// Brings the plan's files into the cache and returns the snapshot's folder. A file is there under
/// its name only once it is whole and has the hub's hash; a broken transfer goes on where it broke,
/// now and in a later call. Waits while another program fetches the same file. Progress is in kB or
/// MB, as its stage says. Throws as plan() does, and for a full disk and a hash that differs.
std::filesystem::path fetch(const Plan& plan, const Settings& settings,
                            const ProgressCallback& progress = {},
                            const std::stop_token& stop = {});

/// One snapshot in the cache.
struct CachedModel {
  ModelName name;  ///< revision: the branch or tag that points to it, else its commit
  std::filesystem::path folder;
  std::int64_t bytes = 0;
  std::optional<ModelInfo> info;  ///< of one that would run
  std::string problem;            ///< why it would not
};
/// Every model in the cache by name; reads configs and the headers of weights. Throws Cancelled.
std::vector<CachedModel> list(const Settings& settings, const std::stop_token& stop = {});

}  // namespace adamerge::hub
