// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "adamerge/error.h"
#include "support/text.h"
#include "weights/pickle.h"
#include "weights/state_dict.h"
#include "weights/zip_archive.h"

namespace adamerge {
namespace {

constexpr std::string_view kAdvice = "save only the tensors: torch.save(model.state_dict(), ...)";

/// "checkpoint/", the folder that data.pkl lies in; outermost where there are several.
std::optional<std::string> findRoot(const ZipArchive& archive) {
  constexpr std::string_view kPickle = "data.pkl";
  std::optional<std::string> root;
  for (const std::string& record : archive.records()) {
    if (record != kPickle && !record.ends_with("/data.pkl")) continue;
    std::string folder = record.substr(0, record.size() - kPickle.size());
    if (!root || folder.size() < root->size()) root = std::move(folder);
  }
  return root;
}

[[noreturn]] void refuseArchive(const ZipArchive& archive, const std::string& file) {
  const std::vector<std::string> records = archive.records();
  const auto any = [&records](std::string_view end) {
    return std::any_of(records.begin(), records.end(),
                       [end](const std::string& record) { return record.ends_with(end); });
  };
  for (const auto& [part, like] : {std::pair{".npy", "x.npz"}, {".weights.h5", "x.keras"}}) {
    if (any(part)) throw Error(fmt::format("{}: {}", file, foreignWeights(like)));
  }
  throw Error(
      fmt::format("{}: is a zip archive but no PyTorch checkpoint (no data.pkl in it)", file));
}

std::vector<std::int64_t> sizes(const pickle::Document& document, pickle::Index at) {
  std::vector<std::int64_t> values;
  for (const pickle::Index item : document.get<pickle::Sequence>(at)->items) {
    values.push_back(*document.get<std::int64_t>(item));
  }
  return values;
}

/// The file's name, its archive and its pickle, kept until all tensors are read.
class Checkpoint {
 public:
  explicit Checkpoint(const std::shared_ptr<const MappedFile>& file)
      : file_(file->name()), archive_(file) {
    const auto root = findRoot(archive_);
    if (!root) refuseArchive(archive_, file_);
    root_ = *root;
    if (archive_.has(root_ + "byteorder")) {
      const ZipRecord record = archive_.read(root_ + "byteorder");
      const std::string order(record.bytes.begin(), record.bytes.end());
      if (order != "little") {
        throw Error(fmt::format("{}: was written with byte order '{}', only 'little' is supported",
                                file_, printable(order, 20)));
      }
    }
    document_ = pickle::parse(archive_.read(root_ + "data.pkl").bytes, file_);
  }

  const std::string& file() const { return file_; }
  const pickle::Document& document() const { return document_; }

  at::Tensor read(const std::string& name, const pickle::Tensor& tensor) {
    const auto& storage = *document_.get<pickle::Storage>(tensor.storage);
    const auto& kind = *document_.get<pickle::StorageType>(storage.type);
    if (kind.type == at::ScalarType::Undefined) {
      fail(name, fmt::format("is kept in a torch.{}, a type of tensor that is not supported",
                             printable(*document_.get<std::string>(kind.name), 60)));
    }
    const std::string& key = *document_.get<std::string>(storage.key);
    std::shared_ptr<at::Tensor>& elements = storages_[{key, kind.type}];
    if (!elements) elements = std::make_shared<at::Tensor>(readStorage(name, key, kind.type));
    if (storage.count > elements->numel()) {
      fail(name, fmt::format("its storage has {} bytes, {} elements of {} bytes are expected",
                             elements->nbytes(), storage.count, at::elementSize(kind.type)));
    }
    const std::vector<std::int64_t> shape = sizes(document_, tensor.shape);
    const std::vector<std::int64_t> stride = sizes(document_, tensor.stride);
    checkView(name, shape, stride, tensor.offset, elements->numel());
    return elements->as_strided(shape, stride, tensor.offset);
  }

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& problem) const {
    throw Error(fmt::format("{}: tensor '{}': {}", file_, printable(name), problem));
  }

  /// One axis over a whole record, which it keeps alive.
  at::Tensor readStorage(const std::string& name, const std::string& key, at::ScalarType type) {
    const std::string path = fmt::format("{}data/{}", root_, key);
    if (!archive_.has(path)) {
      fail(name,
           fmt::format("its data, record {}, is missing in the archive", printable("data/" + key)));
    }
    const ZipRecord record = archive_.read(path);
    const std::size_t width = at::elementSize(type);
    const auto count = static_cast<std::int64_t>(record.bytes.size() / width);
    // from_blob takes no const pointer; nobody writes to a state dict.
    at::Tensor elements = at::from_blob(
        const_cast<std::uint8_t*>(record.bytes.data()), {count}, [owner = record.owner](void*) {},
        at::TensorOptions(type));
    const bool aligned = reinterpret_cast<std::uintptr_t>(record.bytes.data()) % width == 0;
    return aligned ? elements : elements.clone();
  }

  void checkView(const std::string& name, const std::vector<std::int64_t>& shape,
                 const std::vector<std::int64_t>& stride, std::int64_t offset,
                 std::int64_t count) const {
    const auto describe = [&] {
      return fmt::format("shape [{}], stride [{}], offset {}", fmt::join(shape, ", "),
                         fmt::join(stride, ", "), offset);
    };
    const auto negative = [](std::int64_t value) { return value < 0; };
    if (shape.size() != stride.size() || offset < 0 ||
        std::any_of(shape.begin(), shape.end(), negative) ||
        std::any_of(stride.begin(), stride.end(), negative)) {
      fail(name, fmt::format("{} make no tensor", describe()));
    }
    std::int64_t elements = 1;
    std::int64_t last = offset;
    bool overflow = false;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      std::int64_t reach = 0;
      overflow |= __builtin_mul_overflow(elements, shape[i], &elements);
      overflow |=
          __builtin_mul_overflow(std::max<std::int64_t>(shape[i] - 1, 0), stride[i], &reach);
      overflow |= __builtin_add_overflow(last, reach, &last);
    }
    // More elements than the storage would be one value repeated: no weight file has that, and it
    // could claim any amount of memory later.
    const bool inside = elements == 0 ? offset <= count : last < count && elements <= count;
    if (overflow || !inside) {
      fail(name, fmt::format("{} reach beyond its storage of {} elements", describe(), count));
    }
  }

  std::string file_;
  ZipArchive archive_;
  std::string root_;
  pickle::Document document_;
  std::map<std::pair<std::string, at::ScalarType>, std::shared_ptr<at::Tensor>> storages_;
};

/// Walks the pickle's dicts, or a TorchScript object's attributes, and lists the tensors in them.
class Listing {
 public:
  explicit Listing(const Checkpoint& checkpoint)
      : checkpoint_(checkpoint), document_(checkpoint.document()) {}

  void walk(TensorFile& opened, std::vector<pickle::Index>& values) {
    const pickle::Index root = document_.root;
    opened.torchscript = document_.className(root).starts_with("__torch__.");
    if (document_.get<pickle::Dict>(root) == nullptr && !opened.torchscript) refuse(root);
    pending_.push_back({root, "", ""});
    while (!pending_.empty()) {
      const Pending dict = std::move(pending_.back());
      pending_.pop_back();
      for (const auto& [key, value] : entriesOf(dict.value)) {
        const std::string name = keyText(key);
        if (!name.empty()) visit(dict, name, value, opened, values);
      }
    }
    if (!opened.tensors.empty()) return;
    if (opened.torchscript) {
      throw Error(
          fmt::format("{}: is a TorchScript program without tensors of its own, as "
                      "torch.jit.freeze makes; {}",
                      checkpoint_.file(), kAdvice));
    }
    std::vector<std::string> names;
    for (const TensorFile::Other& other : opened.others) {
      if (other.container.empty()) names.push_back(fmt::format("{} ({})", other.name, other.kind));
    }
    throw Error(fmt::format("{}: no tensors in it; it has {}; {}", checkpoint_.file(),
                            names.empty() ? "no named entries" : someOf(names, 8), kAdvice));
  }

 private:
  struct Pending {
    pickle::Index value;
    std::string container;
    std::string prefix;  ///< of names, in TorchScript
  };

  [[noreturn]] void refuse(pickle::Index root) const {
    throw Error(fmt::format(
        "{}: holds {}, not a state dict; {}", checkpoint_.file(),
        document_.className(root).empty()
            ? document_.description(root)
            : fmt::format("an object of {}, which is never built", document_.className(root)),
        kAdvice));
  }

  const std::vector<std::pair<pickle::Index, pickle::Index>>& entriesOf(pickle::Index at) const {
    static const std::vector<std::pair<pickle::Index, pickle::Index>> kNone;
    if (const auto* dict = document_.get<pickle::Dict>(at)) return dict->items;
    const auto* object = document_.get<pickle::Object>(at);
    if (object == nullptr || !object->attributes) return kNone;
    return document_.get<pickle::Dict>(*object->attributes)->items;
  }

  std::string keyText(pickle::Index key) const {
    if (const auto* text = document_.get<std::string>(key)) return *text;
    if (const auto* number = document_.get<std::int64_t>(key)) return fmt::format("{}", *number);
    return {};
  }

  void visit(const Pending& dict, const std::string& name, pickle::Index value, TensorFile& opened,
             std::vector<pickle::Index>& values) {
    std::string path = dict.prefix + name;
    // The same dict may stand in many others and in itself.
    spent_ += dict.container.size() + path.size() + 64;
    if (spent_ > kMostText) {
      throw Error(fmt::format("{}: its dicts lie within each other too deeply or too often",
                              checkpoint_.file()));
    }
    if (const auto* tensor = document_.get<pickle::Tensor>(value)) {
      opened.tensors.push_back({dict.container, std::move(path), sizes(document_, tensor->shape)});
      values.push_back(value);
    } else if (opened.torchscript) {
      // Flags of modules, None in the place of a bias, lists: no tensors.
      if (document_.get<pickle::Object>(value) != nullptr) {
        pending_.push_back({value, "", path + "."});
      }
    } else {
      if (document_.get<pickle::Dict>(value) != nullptr) {
        pending_.push_back({value, dict.container + path + ".", ""});
      }
      opened.others.push_back({dict.container, std::move(path), document_.description(value),
                               document_.get<pickle::Object>(value) != nullptr});
    }
  }

  static constexpr std::size_t kMostText = 64U << 20U;

  const Checkpoint& checkpoint_;
  const pickle::Document& document_;
  std::vector<Pending> pending_;
  std::size_t spent_ = 0;
};

/// A plain value or a list of them; discarded: something else.
nlohmann::json plainValue(const pickle::Document& document, pickle::Index at) {
  if (const auto* flag = document.get<bool>(at)) return *flag;
  if (const auto* whole = document.get<std::int64_t>(at)) return *whole;
  if (const auto* number = document.get<double>(at)) return *number;
  if (const auto* text = document.get<std::string>(at)) return *text;
  const auto* list = document.get<pickle::Sequence>(at);
  constexpr std::size_t kMostItems = 65536;
  if (list == nullptr || list->items.size() > kMostItems) {
    return nlohmann::json(nlohmann::json::value_t::discarded);
  }
  nlohmann::json items = nlohmann::json::array();
  for (const pickle::Index item : list->items) {
    const bool nested = document.get<pickle::Sequence>(item) != nullptr;
    nlohmann::json value =
        nested ? nlohmann::json(nlohmann::json::value_t::discarded) : plainValue(document, item);
    if (value.is_discarded()) return value;
    items.push_back(std::move(value));
  }
  return items;
}

/// See TensorFile::values. `levels`: of dicts below this one that are looked into.
nlohmann::json plainValues(const pickle::Document& document, const pickle::Dict& dict, int levels) {
  nlohmann::json values = nlohmann::json::object();
  for (const auto& [key, at] : dict.items) {
    const auto* name = document.get<std::string>(key);
    if (name == nullptr) continue;
    const auto* below = document.get<pickle::Dict>(at);
    const auto* object = document.get<pickle::Object>(at);
    if (object != nullptr && object->attributes && document.className(at) == "argparse.Namespace") {
      below = document.get<pickle::Dict>(*object->attributes);
    }
    nlohmann::json value = below == nullptr ? plainValue(document, at)
                           : levels > 0     ? plainValues(document, *below, levels - 1)
                                            : nlohmann::json(nlohmann::json::value_t::discarded);
    if (!value.is_discarded()) values[*name] = std::move(value);
  }
  return values;
}

}  // namespace

TensorFile openCheckpoint(const std::shared_ptr<const MappedFile>& file) {
  const auto checkpoint = std::make_shared<Checkpoint>(file);
  TensorFile opened;
  std::vector<pickle::Index> values;
  Listing(*checkpoint).walk(opened, values);
  const pickle::Document& document = checkpoint->document();
  if (const auto* root = document.get<pickle::Dict>(document.root)) {
    opened.values =
        std::make_shared<const nlohmann::json>(plainValues(document, *root, /*levels=*/1));
  }
  opened.read = [checkpoint, values = std::move(values),
                 names = opened.tensors](std::size_t index) {
    return checkpoint->read(names[index].name,
                            *checkpoint->document().get<pickle::Tensor>(values[index]));
  };
  return opened;
}

}  // namespace adamerge
