// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "adamerge/error.h"
#include "support/json.h"
#include "support/text.h"
#include "weights/mapped_file.h"
#include "weights/safetensors.h"

namespace adamerge {
namespace {

using namespace std::string_view_literals;

struct OtherFormat {
  std::size_t place;
  std::string_view magic;
  std::string_view what;  ///< and what to do
};
/// What is met under the names of weight files.
constexpr std::array<OtherFormat, 12> kOtherFormats{{
    {0, "version https://git-lfs"sv,
     "is a Git LFS pointer, not the weights; fetch them with: git lfs pull"sv},
    {0, "\x89HDF\r\n\x1a\n"sv,
     "is an HDF5 file, as Keras writes them; save the network from PyTorch or as safetensors"sv},
    {0, "GGUF"sv, "is a GGUF file; take the safetensors it was made from"sv},
    {4, "TFL3"sv, "is a TensorFlow Lite network; take the weights in safetensors"sv},
    {0, "\x93NUMPY"sv, "is a single NumPy array, not a network's weights"sv},
    {257, "ustar"sv, "is a tar archive; unpack it and open the weights in it"sv},
    {0, "\x1f\x8b"sv, "is packed by gzip; unpack it"sv},
    {0, "BZh"sv, "is packed by bzip2; unpack it"sv},
    {0,
     "\xfd"
     "7zXZ"sv,
     "is packed by xz; unpack it"sv},
    {0, "\x28\xb5\x2f\xfd"sv, "is packed by zstd; unpack it"sv},
    {0, "7z\xbc\xaf\x27\x1c"sv, "is packed by 7-Zip; unpack it"sv},
    {0, "Rar!"sv, "is packed by RAR; unpack it"sv},
}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kOtherExtensions{{
    {".npz",
     "is an archive of NumPy arrays, as Google publishes its JAX networks; let timm read it, "
     "timm.create_model(NAME, checkpoint_path=FILE), and save that model's state_dict()"},
    {".onnx", "is an ONNX network; take the weights that it was exported from"},
    {".msgpack", "holds Flax weights; save the network from PyTorch or as safetensors"},
    {".h5", "holds TensorFlow weights; save the network from PyTorch or as safetensors"},
    {".keras", "holds Keras weights; save the network from PyTorch or as safetensors"},
    {".pb", "is a TensorFlow graph; take the weights in safetensors"},
    {".tflite", "is a TensorFlow Lite network; take the weights in safetensors"},
    {".gguf", "is a GGUF file; take the safetensors it was made from"},
}};

bool isOldPickle(std::string_view text) {
  return text.size() >= 2 && text[0] == '\x80' && text[1] >= 1 && text[1] <= 5;
}

/// What the file is instead, and what to do.
std::string whatElse(const MappedFile& file) {
  const std::string_view text = file.text();
  for (const OtherFormat& format : kOtherFormats) {
    if (text.size() > format.place && text.substr(format.place).starts_with(format.magic)) {
      return std::string(format.what);
    }
  }
  if (isOldPickle(text)) {
    return "is in PyTorch's format from before 1.6; load it in Python and save it again with "
           "torch.save(state_dict, ...)";
  }
  if (const std::string_view what = foreignWeights(file.path()); !what.empty()) {
    return std::string(what);
  }
  const std::string_view start = text.substr(0, 512);
  if (start.substr(0, start.find_first_not_of(" \t\r\n") + 1).ends_with('<')) {
    return "is a web page (HTML or XML), not weights: the download link may need a login";
  }
  const bool is_text = std::all_of(start.begin(), start.end(), [](char c) {
    return (c >= ' ' && c != '\x7f') || c == '\n' || c == '\r' || c == '\t';
  });
  return fmt::format(
      "is {}; weights are read from safetensors and from PyTorch checkpoints (zip "
      "format)",
      is_text ? "a text file" : "no weight file that is known here");
}

/// A file that holds tensors itself; nullopt for anything else.
std::optional<TensorFile> openTensors(const std::shared_ptr<const MappedFile>& file) {
  if (file->text().starts_with("PK\x03\x04")) return openCheckpoint(file);
  if (looksLikeSafetensors(*file)) return openSafetensors(file);
  return std::nullopt;
}

bool isPlainFileName(const std::string& name) {
  constexpr std::size_t kLongest = 255;
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         name.find_first_of("/\\\0"sv) == std::string::npos;
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

TensorFile openShard(const std::filesystem::path& path, const MappedFile& index) {
  const auto file = std::make_shared<const MappedFile>(path);
  // Never an index again, which could name itself.
  if (std::optional<TensorFile> opened = openTensors(file)) return *std::move(opened);
  throw Error(
      fmt::format("{}: {} names it as a shard, but it is neither safetensors nor a PyTorch "
                  "checkpoint",
                  path.string(), index.path().filename().string()));
}

/// The tensors that an index file (`*.index.json`) places in the shards beside it.
TensorFile openShards(const MappedFile& index, const std::stop_token& stop) {
  const auto shards = readIndex(index);
  TensorFile whole;
  std::vector<std::pair<std::shared_ptr<const TensorFile>, std::size_t>> places;
  std::size_t done = 0;
  for (const auto& [shard, names] : shards) {
    throwIfStopped(stop);
    const std::filesystem::path path = index.path().parent_path() / shard;
    std::error_code code;
    if (!std::filesystem::exists(path, code)) {
      throw Error(fmt::format("{}: shard {} {} ({} of {} shards found)", index.name(),
                              printable(shard), code ? code.message() : "is missing beside it",
                              done, shards.size()));
    }
    const auto opened = std::make_shared<const TensorFile>(openShard(path, index));
    std::map<std::string_view, std::size_t> found;
    for (std::size_t i = 0; i < opened->tensors.size(); ++i) {
      if (opened->tensors[i].container.empty()) found[opened->tensors[i].name] = i;
    }
    for (const std::string& name : names) {
      const auto tensor = found.find(name);
      if (tensor == found.end()) {
        throw Error(fmt::format("{}: tensor '{}' is missing in it, though {} places it there",
                                path.string(), printable(name), index.path().filename().string()));
      }
      whole.tensors.push_back(opened->tensors[tensor->second]);
      places.emplace_back(opened, tensor->second);
    }
    ++done;
  }
  whole.read = [places = std::move(places)](std::size_t i) {
    return places[i].first->read(places[i].second);
  };
  return whole;
}

TensorFile open(const std::filesystem::path& path, const std::stop_token& stop) {
  const auto file = std::make_shared<const MappedFile>(path);
  if (std::optional<TensorFile> opened = openTensors(file)) return *std::move(opened);
  const std::string_view text = file->text();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return openShards(*file, stop);
  const bool is_known_otherwise = text.starts_with("version https://git-lfs") ||
                                  isOldPickle(text) ||
                                  (first != std::string_view::npos && text[first] == '<');
  if (path.extension() == ".safetensors" && !is_known_otherwise) return openSafetensors(file);
  throw Error(fmt::format("{}: {}", path.string(), whatElse(*file)));
}

/// One sentence of what lies beside the weights and is no tensor; objects of some program first.
void tellOthers(const TensorFile& opened, const WeightSet& set, std::vector<std::string>& notes) {
  std::vector<std::string> objects;
  std::vector<std::string> plain;
  for (const TensorFile::Other& other : opened.others) {
    const bool among = !set.container.empty() && other.container == set.container;
    if (!among && !other.container.empty()) continue;
    const std::string place = other.container + other.name;
    const bool holds_weights =
        std::any_of(set.places.begin(), set.places.end(),
                    [&](const std::string& root) { return root.starts_with(place + "."); });
    if (holds_weights) continue;
    if (other.object) {
      objects.push_back(fmt::format("{} ({})", printable(place, 40), other.kind));
    } else {
      plain.push_back(place);
    }
  }
  objects.insert(objects.end(), plain.begin(), plain.end());
  constexpr std::size_t kShown = 8;
  if (!objects.empty()) {
    notes.push_back(fmt::format("Passed over in the file: {}.", someOf(objects, kShown)));
  }
}

}  // namespace

std::string_view foreignWeights(const std::filesystem::path& file) {
  for (const auto& [extension, what] : kOtherExtensions) {
    if (file.extension() == extension) return what;
  }
  return {};
}

LoadedWeights readWeights(const std::filesystem::path& path, const ProgressCallback& progress,
                          const std::stop_token& stop, const std::string& wanted) {
  LoadedWeights loaded;
  loaded.file = path.string();
  const TensorFile opened = open(path, stop);
  WeightSet set = chooseWeights(opened.tensors, loaded.file, wanted);
  loaded.notes = std::move(set.notes);
  loaded.torchscript = opened.torchscript;
  loaded.values = opened.values;
  tellOthers(opened, set, loaded.notes);
  for (const auto& [name, index] : set.tensors) {
    throwIfStopped(stop);
    loaded.tensors.insert_or_assign(name, opened.read(index));
    if (progress) {
      progress({"reading weights", static_cast<std::int64_t>(loaded.tensors.size()),
                static_cast<std::int64_t>(set.tensors.size())});
    }
  }
  return loaded;
}

}  // namespace adamerge
