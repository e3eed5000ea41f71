// SPDX-License-Identifier: GPL-3.0-or-later
// Puts PyTorch checkpoints together opcode by opcode, as torch.save writes them.
#pragma once

#include <caffe2/serialize/inline_container.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "safetensors_writer.h"

namespace adamerge::test {

/// Pickle bytes, protocol 2. Every method adds what leaves one value on the stack, or an opcode.
class Pickle {
 public:
  Pickle() : bytes_("\x80\x02") {}

  Pickle& raw(const std::string& bytes) {
    bytes_ += bytes;
    return *this;
  }
  Pickle& text(const std::string& value) {
    return raw("X" + integerBytes(value.size(), 4) + value);
  }
  Pickle& integer(std::int64_t value) { return raw("\x8a\x08" + integerBytes(value)); }
  Pickle& global(const std::string& module, const std::string& name) {
    return raw("c" + module + "\n" + name + "\n");
  }
  Pickle& integers(const std::vector<std::int64_t>& values) {
    raw("(");
    for (const std::int64_t value : values) integer(value);
    return raw("t");
  }
  Pickle& orderedDict() { return global("collections", "OrderedDict").raw(")R"); }
  Pickle& storage(const std::string& type, const std::string& key, std::int64_t count) {
    raw("(").text("storage").global("torch", type).text(key).text("cpu");
    return integer(count).raw("tQ");
  }
  Pickle& tensor(const std::string& type, const std::string& key, std::int64_t count,
                 std::int64_t offset, const std::vector<std::int64_t>& shape,
                 const std::vector<std::int64_t>& stride) {
    global("torch._utils", "_rebuild_tensor_v2").raw("(").storage(type, key, count);
    return integer(offset).integers(shape).integers(stride).raw("\x89").orderedDict().raw("tR");
  }
  /// A contiguous fp32 tensor with a storage of its own.
  Pickle& tensor(const std::string& key, const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> stride(shape.size());
    std::int64_t count = 1;
    for (std::size_t i = shape.size(); i-- > 0; count *= shape[i]) stride[i] = count;
    return tensor("FloatStorage", key, count, 0, shape, stride);
  }
  std::string stop() const { return bytes_ + "."; }

 private:
  std::string bytes_;
};

/// A zip archive as torch.save makes, with these records.
inline std::string zipBytes(const std::map<std::string, std::string>& records) {
  std::string bytes;
  caffe2::serialize::PyTorchStreamWriter writer([&bytes](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  for (const auto& [name, content] : records) {
    writer.writeRecord(name, content.data(), content.size());
  }
  writer.writeEndOfFile();
  return bytes;
}

/// {"a": [2, 3] of 0...5, "b": [2] of 10, 11} as the value on the stack, storages "0" and "1".
inline Pickle& addSmallStateDict(Pickle& pickle, const std::string& prefix = "") {
  pickle.orderedDict().raw("(").text(prefix + "a").tensor("0", {2, 3});
  return pickle.text(prefix + "b").tensor("1", {2}).raw("u");
}
inline std::map<std::string, std::string> smallRecords(const std::string& pickle) {
  return {{"data.pkl", pickle},
          {"data/0", dataBytes(at::arange(6, at::kFloat))},
          {"data/1", dataBytes(at::arange(10, 12, at::kFloat))}};
}

}  // namespace adamerge::test
