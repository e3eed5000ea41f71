// SPDX-License-Identifier: GPL-3.0-or-later
// What the hub has of a model, and the sentences for answers that are none.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/hub.h"
#include "hub/http.h"

namespace adamerge::hub {

/// A repository at a commit: every file in its top folder.
struct Listing {
  std::string commit;
  std::vector<RemoteFile> files;

  const RemoteFile* find(std::string_view name) const {
    const auto found = std::find_if(files.begin(), files.end(),
                                    [name](const RemoteFile& file) { return file.name == name; });
    return found == files.end() ? nullptr : &*found;
  }
};

/// From the hub's answer. What comes from outside becomes parts of paths: anything odd is left out
/// or refused. Throws Error.
Listing parseListing(const std::string& text, const ModelName& name, const Settings& settings);

/// Asks the hub. Throws Error: offline, not reached, no such model or none that this token opens,
/// something else than the hub.
Listing askHub(HttpClient& http, const ModelName& name, const Settings& settings);

/// One way to have all weights: a file, or an index and its shards. Safetensors come first: they
/// load at once and hold nothing but tensors. Throws Error where there is none.
std::vector<RemoteFile> chooseWeights(const Listing& listing, const ModelName& name);

/// The sentence for an answer that is no success, or a page.
[[noreturn]] void failAnswer(const ModelName& name, const Settings& settings,
                             const Response& response);

}  // namespace adamerge::hub
