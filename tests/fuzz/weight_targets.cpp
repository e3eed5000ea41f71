// SPDX-License-Identifier: GPL-3.0-or-later
// Weights and what describes them, and traces, which are of the same format.
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <span>

#include "adamerge/error.h"
#include "adamerge/trace_file.h"
#include "merging/compensator.h"
#include "merging/entries.h"
#include "model/load_model.h"
#include "model/model_config.h"
#include "targets.h"
#include "weights/pickle.h"
#include "weights/safetensors.h"
#include "weights/state_dict.h"

namespace adamerge::fuzz {
namespace {

namespace fs = std::filesystem;

void touchAll(const StateDict& tensors) {
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor whole = tensor.contiguous();
    touch(Bytes(static_cast<const std::uint8_t*>(whole.data_ptr()), whole.nbytes()));
  }
}

void readPickle(Bytes input) {
  const pickle::Document document = pickle::parse(input, "data.pkl");
  for (pickle::Index i = 0; i < document.values.size(); ++i) touch(document.description(i));
}

void readAnyWeights(Bytes input) {
  const fs::path file = asFile("weights.bin", input);
  touchAll(readWeights(file).tensors);
}

void readHeader(Bytes input) {
  const MappedFile file(asFile("model.safetensors", input));
  for (const auto& [key, value] : readSafetensorsMetadata(file)) touch(value);
}

/// Little-endian, at the end of `bytes`.
void put(std::string& bytes, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
}

/// An archive as torch.save writes it, with right checksums: data.pkl and storages "0" to "3".
std::string archiveWith(std::string_view document) {
  std::string bytes;
  std::string directory;
  int records = 0;
  const auto add = [&](const std::string& name, std::string_view content) {
    const std::size_t place = bytes.size();
    const auto checksum = ::crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                                  static_cast<uInt>(content.size()));
    std::string common;
    put(common, 0, 2);  // stored
    put(common, 0, 4);  // time
    put(common, checksum, 4);
    put(common, content.size(), 4);
    put(common, content.size(), 4);
    put(common, name.size(), 2);
    put(common, 0, 2);
    bytes += std::string("PK\x03\x04\x14\0\0\0", 8) + common + name;
    bytes += content;
    directory += std::string("PK\x01\x02\x14\0\x14\0\0\0", 10) + common + std::string(10, '\0');
    put(directory, place, 4);
    directory += name;
    ++records;
  };
  add("a/data.pkl", document);
  for (const char* storage : {"0", "1", "2", "3"}) {
    add(std::string("a/data/") + storage, std::string(64, '\x3c'));
  }
  const std::size_t place = bytes.size();
  bytes += directory + std::string("PK\x05\x06\0\0\0\0", 8);
  put(bytes, static_cast<std::uint64_t>(records), 2);
  put(bytes, static_cast<std::uint64_t>(records), 2);
  put(bytes, directory.size(), 4);
  put(bytes, place, 4);
  put(bytes, 0, 2);
  return bytes;
}

void readCheckpoint(Bytes input) {
  touchAll(readWeights(asFile("checkpoint.pth", archiveWith(asText(input)))).tensors);
}

/// An index beside two good shards.
void readShards(Bytes input) {
  for (const char* name : {"a", "b"}) {
    const std::string file = std::string("shards/") + name + ".safetensors";
    const at::Tensor tensor = at::ones({2, 3});
    asFile(file, encodeSafetensors({{name, tensor}}));
  }
  touchAll(readWeights(asFile("shards/model.safetensors.index.json", input)).tensors);
}

void readConfigs(Bytes input) {
  const std::vector<Bytes> files = parts(input, 2);
  const fs::path preprocessor = asFile("configs/preprocessor_config.json", files[1]);
  for (const char* name : {"configs/config.json", "configs/open_clip_config.json"}) {
    const fs::path config = asFile(name, files[0]);
    try {
      requireRunnable(readConfigFiles(config, preprocessor));
    } catch (const Error&) {
      // The other one may be read.
    }
  }
}

/// A folder of config.json and weights.
void readModel(Bytes input) {
  const std::vector<Bytes> files = parts(input, 2);
  const fs::path config = asFile("model/config.json", files[0]);
  asFile("model/model.safetensors", files[1]);
  touchAll(loadModel(config.parent_path()).weights);
}

/// A classifier for a network whose embedding is 4 wide.
void readHead(Bytes input) {
  LoadedModel model;
  model.info.vit.dim = 4;
  replaceHead(model, asFile("head.safetensors", input));
  touchAll(model.weights);
  require(model.info.labels.size() == static_cast<std::size_t>(model.info.vit.classes),
          "a class without a name");
}

/// A classifier of patches for the same network, of two blocks.
void readDenseHead(Bytes input) {
  LoadedModel model;
  model.info.vit.dim = 4;
  model.info.vit.depth = 2;
  addDenseHead(model, asFile("dense-head", input));
  for (const auto& [name, tensor] : model.weights) {
    require(tensor.isfinite().all().item<bool>(), "a dense head that is not finite");
  }
  const DenseHead& head = model.info.vit.dense;
  require(head.names.empty() || head.names.size() == static_cast<std::size_t>(head.classes),
          "a class without a name");
}

/// For a network of two blocks and four tokens.
void readMatrices(Bytes input) {
  VitConfig vit;
  vit.dim = 4;
  vit.depth = 2;
  vit.patch_size = 1;
  vit.input_height = 1;
  vit.input_width = 4 - vit.prefixTokens();
  for (const TrainedMatrices& matrices : readTrainedMatrices(asFile("matrices", input), vit)) {
    require(matrices.block >= 0 && matrices.block < vit.depth, "a block that the model lacks");
    for (const at::Tensor& part : {matrices.merge, matrices.recover, matrices.rest}) {
      touch(
          std::span(part.contiguous().data_ptr<double>(), static_cast<std::size_t>(part.numel())));
    }
  }
}

void readCompensator(Bytes input) {
  VitConfig vit;
  vit.dim = 4;
  vit.depth = 1;
  const Compensator compensator(asFile("compensator.safetensors", input), vit);
  for (const at::Tensor& change : compensator.changes(0, 8, 0.1)) {
    touch(std::span(change.data_ptr<double>(), static_cast<std::size_t>(change.numel())));
  }
}

/// What is read fits its grid, and every group has somebody who stands for it.
void readTrace(Bytes input) {
  constexpr std::size_t kMostImages = 4;
  const TraceFile file(asFile("a.adamerge-trace", input));
  const TraceInfo& info = file.info();
  touch(describe(info));
  std::vector<TraceReport> reports;
  for (std::size_t image = 0; image < std::min(info.images.size(), kMostImages); ++image) {
    TracedImage traced = file.read(image);
    const std::vector<LayerTrace>& layers = traced.result.layers;
    require(static_cast<int>(layers.size()) == info.depth, "a trace of another depth");
    const int last = info.depth - 1;
    require(static_cast<int>(survivingPatches(layers, last).size()) == info.patches(),
            "a trace of another grid");
    const std::string provenance = provenanceJson(info, traced.name, last);
    require(tracedBy(provenance).has_value(), "a figure that does not know its trace");
    reports.push_back({file.sharedInfo(), std::move(traced)});
  }
  touch(traceJson(reports, true));
}

}  // namespace

std::vector<Target> weightTargets() {
  return {{"pickle", readPickle},        {"weights", readAnyWeights},
          {"header", readHeader},        {"checkpoint", readCheckpoint},
          {"shards", readShards},        {"config", readConfigs},
          {"model", readModel},          {"head", readHead},
          {"trace", readTrace},          {"compensator", readCompensator},
          {"dense-head", readDenseHead}, {"matrices", readMatrices}};
}

}  // namespace adamerge::fuzz
