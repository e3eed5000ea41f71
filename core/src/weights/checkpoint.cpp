// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "adamerge/error.h"
#include "weights/json_text.h"
#include "weights/pickle.h"
#include "weights/zip_archive.h"

namespace adamerge {
namespace {

/// Turns tensors of the pickle into views of their storages, each storage read once.
class TensorLoader {
 public:
  TensorLoader(ZipArchive& archive, const std::string& file) : archive_(archive), file_(file) {}

  at::Tensor load(const std::string& name, const pickle::Tensor& tensor) {
    const ZipRecord& record = storage(name, tensor.storage);
    const auto count =
        static_cast<std::int64_t>(record.size / at::elementSize(tensor.storage.type));
    checkView(name, tensor, count);
    // The deleter keeps the storage.
    return at::from_blob(
               record.data.get(), {count}, [kept = records_[tensor.storage.key]](void*) {},
               at::TensorOptions(tensor.storage.type))
        .as_strided(tensor.shape, tensor.stride, tensor.offset);
  }

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& problem) const {
    throw Error(fmt::format("{}: tensor '{}': {}", file_, printable(name), problem));
  }

  const ZipRecord& storage(const std::string& name, const pickle::Storage& storage) {
    std::shared_ptr<ZipRecord>& record = records_[storage.key];
    if (!record) {
      const std::string path = "data/" + storage.key;
      if (!archive_.has(path)) {
        fail(name, fmt::format("its data, record {}, is missing in the archive", printable(path)));
      }
      record = std::make_shared<ZipRecord>(archive_.read(path));
    }
    const std::uint64_t width = at::elementSize(storage.type);
    std::uint64_t needed = 0;
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(storage.count), width, &needed) ||
        needed > record->size) {
      fail(name, fmt::format("its storage has {} bytes, {} elements of {} bytes are expected",
                             record->size, storage.count, width));
    }
    return *record;
  }

  void checkView(const std::string& name, const pickle::Tensor& tensor, std::int64_t count) const {
    const auto describe = [&tensor] {
      return fmt::format("shape [{}], stride [{}], offset {}", fmt::join(tensor.shape, ", "),
                         fmt::join(tensor.stride, ", "), tensor.offset);
    };
    const auto negative = [](std::int64_t value) { return value < 0; };
    if (tensor.shape.size() != tensor.stride.size() || tensor.offset < 0 ||
        std::any_of(tensor.shape.begin(), tensor.shape.end(), negative) ||
        std::any_of(tensor.stride.begin(), tensor.stride.end(), negative)) {
      fail(name, fmt::format("{} make no tensor", describe()));
    }
    std::int64_t elements = 1;
    std::int64_t last = tensor.offset;
    bool overflow = false;
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      std::int64_t reach = 0;
      overflow |= __builtin_mul_overflow(elements, tensor.shape[i], &elements);
      overflow |= __builtin_mul_overflow(std::max<std::int64_t>(tensor.shape[i] - 1, 0),
                                         tensor.stride[i], &reach);
      overflow |= __builtin_add_overflow(last, reach, &last);
    }
    // More elements than the storage would be one value repeated: no weight file has that, and it
    // could claim any amount of memory later.
    const bool inside = elements == 0 ? tensor.offset <= count : last < count && elements <= count;
    if (overflow || !inside) {
      fail(name, fmt::format("{} reach beyond its storage of {} elements", describe(), count));
    }
  }

  ZipArchive& archive_;
  const std::string& file_;
  std::map<std::string, std::shared_ptr<ZipRecord>> records_;
};

bool holdsTensor(const pickle::Document& document, const pickle::Dict& dict) {
  return std::any_of(dict.items.begin(), dict.items.end(), [&document](const auto& item) {
    return document.get<pickle::Tensor>(item.second) != nullptr;
  });
}

std::vector<std::string> keysOf(const pickle::Document& document, const pickle::Dict& dict) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : dict.items) {
    if (const auto* text = document.get<std::string>(key)) keys.push_back(printable(*text, 40));
  }
  return keys;
}

/// The dict of tensors in what a training script saved.
const pickle::Dict& findStateDict(const pickle::Document& document, const std::string& file) {
  constexpr std::array<std::string_view, 4> kPlaces{"model", "state_dict", "model_state_dict",
                                                    "model_ema"};
  const auto* root = document.get<pickle::Dict>(document.root);
  if (root == nullptr) {
    throw Error(
        fmt::format("{}: holds {}, not a state dict; save it with "
                    "torch.save(model.state_dict(), ...)",
                    file, pickle::kindName(document.values[document.root])));
  }
  for (const std::string_view place : kPlaces) {
    for (const auto& [key, value] : root->items) {
      const auto* text = document.get<std::string>(key);
      const auto* dict = document.get<pickle::Dict>(value);
      if (text != nullptr && *text == place && dict != nullptr && holdsTensor(document, *dict)) {
        return *dict;
      }
    }
  }
  if (holdsTensor(document, *root)) return *root;
  std::vector<std::string> keys = keysOf(document, *root);
  constexpr std::size_t kShown = 8;
  const bool more = keys.size() > kShown;
  keys.resize(std::min(keys.size(), kShown));
  throw Error(
      fmt::format("{}: no state dict in it, neither at the top nor under {}; it has {}{}", file,
                  fmt::join(kPlaces, ", "),
                  keys.empty() ? "no named entries" : fmt::format("{}", fmt::join(keys, ", ")),
                  more ? ", ..." : ""));
}

bool removePrefix(StateDict& tensors, std::string_view prefix) {
  const bool everywhere = std::all_of(tensors.begin(), tensors.end(), [prefix](const auto& item) {
    return item.first.size() > prefix.size() && item.first.starts_with(prefix);
  });
  if (tensors.empty() || !everywhere) return false;
  StateDict renamed;
  for (auto& [name, tensor] : tensors) {
    renamed.emplace(name.substr(prefix.size()), std::move(tensor));
  }
  tensors = std::move(renamed);
  return true;
}

void checkKind(ZipArchive& archive, const std::string& file) {
  const std::vector<std::string> records = archive.records();
  const bool has_code = std::any_of(records.begin(), records.end(), [](const std::string& record) {
    return record.starts_with("code/") || record == "constants.pkl";
  });
  if (has_code) {
    throw Error(
        fmt::format("{}: is a TorchScript program; save the weights alone: "
                    "torch.save(model.state_dict(), ...)",
                    file));
  }
  if (!archive.has("data.pkl")) {
    throw Error(
        fmt::format("{}: is a zip archive but no PyTorch checkpoint (no data.pkl in it)", file));
  }
  if (archive.has("byteorder")) {
    const ZipRecord order = archive.read("byteorder");
    const std::string text(order.bytes().begin(), order.bytes().end());
    if (text != "little") {
      throw Error(fmt::format("{}: was written with byte order '{}', only 'little' is supported",
                              file, printable(text, 20)));
    }
  }
}

}  // namespace

StateDict readCheckpoint(const std::shared_ptr<const MappedFile>& file,
                         const ProgressCallback& progress, const std::stop_token& stop) {
  const std::string name = file->name();
  ZipArchive archive(file);
  checkKind(archive, name);
  const pickle::Document document = pickle::parse(archive.read("data.pkl").bytes(), name);
  const pickle::Dict& entries = findStateDict(document, name);
  TensorLoader loader(archive, name);
  StateDict tensors;
  std::int64_t done = 0;
  for (const auto& [key, value] : entries.items) {
    throwIfStopped(stop);
    const auto* text = document.get<std::string>(key);
    if (text == nullptr) {
      throw Error(fmt::format("{}: {} where the state dict should have a tensor's name", name,
                              pickle::kindName(document.values[key])));
    }
    const auto* tensor = document.get<pickle::Tensor>(value);
    if (tensor == nullptr) {
      throw Error(fmt::format("{}: '{}' in the state dict is {}, not a tensor", name,
                              printable(*text), pickle::kindName(document.values[value])));
    }
    tensors.insert_or_assign(*text, loader.load(*text, *tensor));
    const auto total = static_cast<std::int64_t>(entries.items.size());
    ++done;
    if (progress) progress({"reading weights", done, total});
  }
  while (removePrefix(tensors, "module.") || removePrefix(tensors, "_orig_mod.")) {
  }
  return tensors;
}

}  // namespace adamerge
