// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/trace_file.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "adamerge/error.h"
#include "support/files.h"
#include "support/text.h"
#include "trace/trace_reading.h"
#include "weights/safetensors.h"

namespace adamerge {
namespace {

constexpr int kMostTracedBlocks = 4096;
constexpr int kMostWindow = 4096;

using Shape = std::vector<std::int64_t>;

/// What a tensor of a trace holds.
enum class Numbers { kWhole, kReal, kByte };

bool isOf(Numbers numbers, at::ScalarType type) {
  switch (numbers) {
    case Numbers::kWhole:
      return type == at::kInt || type == at::kLong || type == at::kShort || type == at::kChar ||
             type == at::kByte;
    case Numbers::kReal:
      return type == at::kFloat || type == at::kHalf || type == at::kBFloat16 ||
             type == at::kDouble;
    case Numbers::kByte:
      return type == at::kByte;
  }
  return false;
}

const char* nameOf(Numbers numbers) {
  switch (numbers) {
    case Numbers::kWhole:
      return "whole numbers (I32)";
    case Numbers::kReal:
      return "real numbers (F32, F16, BF16 or F64)";
    case Numbers::kByte:
      return "bytes (U8)";
  }
  return "";
}

}  // namespace

/// A file read piece by piece: one that is cut short meanwhile is an error, where a mapping would
/// end the program.
class TraceBytes {
 public:
  explicit TraceBytes(const std::filesystem::path& path) : name_(path.string()) {
    requireReadableFile(path, "trace");
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status = {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
      throw Error(fmt::format("{}: cannot be read: {}", name_, std::strerror(errno)));
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  TraceBytes(const TraceBytes&) = delete;
  TraceBytes& operator=(const TraceBytes&) = delete;
  ~TraceBytes() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }

  void read(std::uint64_t begin, void* to, std::uint64_t count) const {
    auto* bytes = static_cast<char*>(to);
    while (count > 0) {
      const ssize_t got = ::pread(descriptor_, bytes, count, static_cast<off_t>(begin));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error(fmt::format("{}: cannot be read: {}", name_, std::strerror(errno)));
      if (got == 0) {
        struct stat now {};
        static_cast<void>(::fstat(descriptor_, &now));
        throw Error(fmt::format("{}: ends at byte {}, it had {} when it was opened", name_,
                                now.st_size, size_));
      }
      bytes += got;
      begin += static_cast<std::uint64_t>(got);
      count -= static_cast<std::uint64_t>(got);
    }
  }

 private:
  std::string name_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

namespace {

SafetensorsHeader readHeader(const TraceBytes& bytes) {
  std::string head(std::min<std::uint64_t>(bytes.size(), 8), '\0');
  bytes.read(0, head.data(), head.size());
  const std::uint64_t data = safetensorsDataBegin(head, bytes.size(), bytes.name());
  head.resize(data);
  bytes.read(0, head.data(), data);
  return parseSafetensorsHeader(head, bytes.size(), bytes.name());
}

std::string shapeText(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

/// "block.12.groups" -> 12 and "groups"; nullopt: another name.
std::optional<std::pair<int, std::string>> numbered(std::string_view name,
                                                    std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  int number = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number);
  const std::string digits(name.data(), end);
  // One way to write a number: "block.01." would be another block 1.
  if (code != std::errc() || number < 0 || digits != std::to_string(number)) return std::nullopt;
  name.remove_prefix(digits.size());
  if (name.starts_with('.')) name.remove_prefix(1);
  return std::pair(number, std::string(name));
}

}  // namespace

struct TraceFile::Content {
  explicit Content(const std::filesystem::path& path) : bytes(path), header(readHeader(bytes)) {
    for (const SafetensorsEntry& entry : header.entries) tensors.emplace(entry.name, &entry);
  }

  [[noreturn]] void fail(std::string_view tensor, std::string_view problem) const {
    throw Error(fmt::format("{}: tensor '{}' {}", bytes.name(), printable(tensor), problem));
  }

  const SafetensorsEntry* find(std::string_view name) const {
    const auto found = tensors.find(name);
    return found == tensors.end() ? nullptr : found->second;
  }

  /// Whether the tensor is there; -1 in `shape` stands for any size from 1.
  bool check(std::string_view name, const Shape& shape, Numbers numbers,
             std::string_view meaning) const {
    const SafetensorsEntry* entry = find(name);
    if (entry == nullptr) return false;
    if (!isOf(numbers, entry->type)) {
      fail(name, fmt::format("is of type {}, {} are expected", entry->dtype, nameOf(numbers)));
    }
    const bool fits = std::equal(
        entry->shape.begin(), entry->shape.end(), shape.begin(), shape.end(),
        [](std::int64_t is, std::int64_t wanted) { return wanted < 0 ? is >= 1 : is == wanted; });
    if (!fits) fail(name, fmt::format("has shape {}, {}", shapeText(entry->shape), meaning));
    return true;
  }

  /// Values of one image: the whole tensor, or its row `image`.
  template <class T>
  std::vector<T> values(const SafetensorsEntry& entry, at::ScalarType as,
                        std::optional<std::size_t> image) const {
    std::uint64_t count = entry.end - entry.begin;
    std::uint64_t begin = header.data_begin + entry.begin;
    if (image) {
      count /= static_cast<std::uint64_t>(entry.shape.front());
      begin += count * *image;
    }
    at::Tensor raw =
        at::empty({static_cast<std::int64_t>(count / entry.width)}, at::TensorOptions(entry.type));
    bytes.read(begin, raw.data_ptr(), count);
    const at::Tensor converted = raw.to(as);
    const T* first = converted.data_ptr<T>();
    return std::vector<T>(first, first + converted.numel());
  }

  std::vector<std::int64_t> whole(std::string_view name, std::size_t image) const {
    const SafetensorsEntry* entry = find(name);
    return entry == nullptr ? std::vector<std::int64_t>()
                            : values<std::int64_t>(*entry, at::kLong, image);
  }

  /// Finite.
  std::vector<double> real(std::string_view name, std::size_t image) const {
    const SafetensorsEntry* entry = find(name);
    if (entry == nullptr) return {};
    std::vector<double> list = values<double>(*entry, at::kDouble, image);
    const auto odd = std::find_if(list.begin(), list.end(), [](double value) {
      return !(std::abs(value) <= std::numeric_limits<float>::max());
    });
    if (odd != list.end()) {
      fail(name, fmt::format("has {} for image {}, finite numbers are expected", *odd, image));
    }
    return list;
  }

  std::vector<float> floats(std::string_view name, std::size_t image) const {
    const std::vector<double> list = real(name, image);
    return {list.begin(), list.end()};
  }

  TraceBytes bytes;
  SafetensorsHeader header;
  std::map<std::string_view, const SafetensorsEntry*> tensors;
};

namespace {

/// What the file's tensors say of each other.
class TraceChecks {
 public:
  template <class Content>
  static void run(const Content& content, TraceInfo& info) {
    const std::string& file = content.bytes.name();
    const auto images = static_cast<std::int64_t>(info.images.size());
    const std::int64_t patches = info.patches();
    std::map<int, std::set<std::string>> blocks;
    std::vector<std::string> passed_over;
    const std::set<std::string_view> known{"logits", "baseline_logits", "flops", "baseline_flops"};
    const std::set<std::string_view> parts{"groups",   "survivors", "salience", "attention",
                                           "features", "tokens_in", "window"};
    for (const auto& [name, entry] : content.tensors) {
      if (const auto block = numbered(name, "block."); block && parts.contains(block->second)) {
        blocks[block->first].insert(block->second);
      } else if (const auto image = numbered(name, "image."); image && image->second.empty()) {
        if (image->first >= images) {
          content.fail(name, fmt::format("belongs to no image: {} are named", images));
        }
        content.check(name, {-1, -1, 3}, Numbers::kByte, "[height, width, 3] is expected");
        if (entry->shape[0] * entry->shape[1] > kMaxPixels) {
          content.fail(name, fmt::format("has more than {} pixels", kMaxPixels));
        }
      } else if (!known.contains(name)) {
        passed_over.emplace_back(name);
      }
    }
    if (!passed_over.empty()) {
      info.notes.push_back(fmt::format("tensors that a trace does not know were passed over: {}",
                                       someOf(passed_over)));
    }
    if (blocks.empty()) {
      throw Error(fmt::format("{}: holds no block: 'block.0.groups' and on are expected", file));
    }
    const int last = blocks.rbegin()->first;
    if (last >= kMostTracedBlocks) {
      throw Error(fmt::format("{}: has a block {}, at most {} blocks are read", file, last,
                              kMostTracedBlocks));
    }
    info.depth = last + 1;
    const std::string of_patches =
        fmt::format("[{}, {}] is expected, {} image{} on a grid of {} x {} patches", images,
                    patches, images, images == 1 ? "" : "s", info.grid_height, info.grid_width);
    for (int index = 0; index < info.depth; ++index) {
      const std::string name = fmt::format("block.{}.", index);
      if (!content.check(name + "groups", {images, patches}, Numbers::kWhole, of_patches)) {
        throw Error(
            fmt::format("{}: block {} has no groups, though block {} is there: every block "
                        "from 0 on needs them",
                        file, index, last));
      }
      info.has_survivors |=
          content.check(name + "survivors", {images, patches}, Numbers::kWhole, of_patches);
      info.has_salience |=
          content.check(name + "salience", {images, patches}, Numbers::kReal, of_patches);
      info.has_attention |=
          content.check(name + "attention", {images, -1, patches}, Numbers::kReal,
                        fmt::format("[{}, heads, {}] is expected", images, patches));
      content.check(name + "features", {images, patches, -1}, Numbers::kReal,
                    fmt::format("[{}, {}, width] is expected", images, patches));
      content.check(name + "tokens_in", {images}, Numbers::kWhole,
                    fmt::format("[{}] is expected", images));
      content.check(name + "window", {images, 2}, Numbers::kWhole,
                    fmt::format("[{}, 2] is expected", images));
    }
    checkLogits(content, info, images);
    const std::string one = fmt::format("[{}] is expected", images);
    info.has_flops = content.check("flops", {images}, Numbers::kReal, one);
    info.has_baseline_flops = content.check("baseline_flops", {images}, Numbers::kReal, one);
  }

 private:
  template <class Content>
  static void checkLogits(const Content& content, TraceInfo& info, std::int64_t images) {
    const auto named = static_cast<std::int64_t>(info.classes.size());
    std::int64_t classes = named > 0 ? named : -1;
    const auto check = [&](std::string_view name) {
      const std::string meaning =
          named > 0     ? fmt::format("[{}, {}] is expected, the metadata name {} classes", images,
                                      named, named)
          : classes > 0 ? fmt::format("[{}, {}] is expected, as of 'logits'", images, classes)
                        : fmt::format("[{}, classes] is expected", images);
      if (!content.check(name, {images, classes}, Numbers::kReal, meaning)) return false;
      classes = content.find(name)->shape[1];
      return true;
    };
    info.has_logits = check("logits");
    info.has_baseline_logits = check("baseline_logits");
    for (std::int64_t index = named; index < classes; ++index) {
      info.classes.push_back(fmt::format("class {}", index));
    }
  }
};

}  // namespace

TraceFile::TraceFile(const std::filesystem::path& path) {
  const auto content = std::make_shared<const Content>(path);
  TraceInfo info = readTraceInfo(content->header.metadata, path);
  TraceChecks::run(*content, info);
  info_ = std::make_shared<const TraceInfo>(std::move(info));
  content_ = content;
}

TracedImage TraceFile::read(std::size_t image) const {
  if (image >= info_->images.size()) {
    throw Error(fmt::format("{}: has {} images, number {} is asked for", content_->bytes.name(),
                            info_->images.size(), image));
  }
  TracedImage traced;
  traced.name = info_->images[image];
  if (const auto* entry = content_->find(fmt::format("image.{}", image))) {
    Image view;
    view.height = static_cast<int>(entry->shape[0]);
    view.width = static_cast<int>(entry->shape[1]);
    view.pixels = content_->values<std::uint8_t>(*entry, at::kByte, std::nullopt);
    traced.view = std::move(view);
  }
  std::vector<BlockGroups> blocks;
  for (int index = 0; index < info_->depth; ++index) {
    const std::string name = fmt::format("block.{}.", index);
    BlockGroups block;
    block.groups = content_->whole(name + "groups", image);
    block.survivors = content_->whole(name + "survivors", image);
    const std::vector<std::int64_t> tokens = content_->whole(name + "tokens_in", image);
    if (!tokens.empty()) block.tokens_in = tokens.front();
    for (const std::int64_t side : content_->whole(name + "window", image)) {
      if (side < 1 || side > kMostWindow) {
        content_->fail(name + "window", fmt::format("has {} for image {}, 1 to {} are possible",
                                                    side, image, kMostWindow));
      }
      block.window.push_back(static_cast<int>(side));
    }
    blocks.push_back(std::move(block));
  }
  traced.result.layers = layersOf(blocks, info_->prefix_tokens,
                                  fmt::format("{}: image {} ('{}')", content_->bytes.name(), image,
                                              printable(traced.name, 60)));
  for (int index = 0; index < info_->depth; ++index) {
    const std::string name = fmt::format("block.{}.", index);
    LayerTrace& layer = traced.result.layers[static_cast<std::size_t>(index)];
    if (!layer.window.empty()) {
      const auto filled = [](int side, int window) {
        return (side + window - 1) / window * window;
      };
      layer.padding =
          filled(info_->grid_height, layer.window[0]) * filled(info_->grid_width, layer.window[1]) -
          info_->patches();
    }
    layer.salience = content_->floats(name + "salience", image);
    const std::vector<double> heads = content_->real(name + "attention", image);
    if (heads.empty()) continue;
    const auto patches = static_cast<std::size_t>(info_->patches());
    const std::size_t count = heads.size() / patches;
    for (std::size_t patch = 0; patch < patches; ++patch) {
      double sum = 0;
      for (std::size_t head = 0; head < count; ++head) sum += heads[head * patches + patch];
      layer.attention.push_back(static_cast<float>(sum / static_cast<double>(count)));
    }
  }
  traced.result.logits = content_->floats("logits", image);
  traced.baseline.logits = content_->floats("baseline_logits", image);
  const auto flops = [&](std::string_view name, Flops& to) {
    const std::vector<double> value = content_->real(name, image);
    if (value.empty()) return;
    if (value.front() < 0) content_->fail(name, "has a negative number");
    to.paper = value.front();
  };
  flops("flops", traced.result.flops);
  flops("baseline_flops", traced.baseline.flops);
  return traced;
}

}  // namespace adamerge
