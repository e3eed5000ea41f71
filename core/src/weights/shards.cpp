// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/shards.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "weights/json_text.h"

namespace adamerge {
namespace {

bool isPlainFileName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

/// Names of tensors by shard.
std::map<std::string, std::vector<std::string>> readIndex(const MappedFile& index) {
  const std::string file = index.name();
  const nlohmann::json json = parseJsonObject(index.text(), file);
  const auto map = json.find("weight_map");
  if (map == json.end() || !map->is_object()) {
    throw Error(fmt::format(
        "{}: is JSON without a weight_map, so neither weights nor an index of weights", file));
  }
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, shard] : map->items()) {
    const auto* name = shard.get_ptr<const std::string*>();
    if (name == nullptr || !isPlainFileName(*name)) {
      throw Error(fmt::format("{}: weight_map places tensor '{}' in {}, a file name is expected",
                              file, printable(tensor),
                              name == nullptr ? shard.type_name() : printable(*name)));
    }
    shards[*name].push_back(tensor);
  }
  if (shards.empty()) throw Error(fmt::format("{}: its weight_map is empty", file));
  return shards;
}

}  // namespace

StateDict readShards(const MappedFile& index, const ProgressCallback& progress,
                     const std::stop_token& stop) {
  const auto shards = readIndex(index);
  StateDict tensors;
  std::int64_t done = 0;
  for (const auto& [shard, names] : shards) {
    throwIfStopped(stop);
    const std::filesystem::path path = index.path().parent_path() / shard;
    if (!std::filesystem::exists(path)) {
      throw Error(fmt::format("{}: shard {} is missing beside it ({} of {} shards found)",
                              index.name(), printable(shard), done, shards.size()));
    }
    if (path.extension() == ".json") {
      throw Error(fmt::format("{}: shard {} is no weight file", index.name(), printable(shard)));
    }
    StateDict found = readWeights(path, {}, stop);
    for (const std::string& name : names) {
      const auto tensor = found.find(name);
      if (tensor == found.end()) {
        throw Error(fmt::format("{}: tensor '{}' is missing in it, though {} places it there",
                                path.string(), printable(name), index.path().filename().string()));
      }
      tensors.insert(found.extract(tensor));
    }
    ++done;
    if (progress) progress({"reading weights", done, static_cast<std::int64_t>(shards.size())});
  }
  return tensors;
}

}  // namespace adamerge
