// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/zip_archive.h"

#include <caffe2/serialize/inline_container.h>
#include <caffe2/serialize/read_adapter_interface.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "adamerge/error.h"

namespace adamerge {
namespace {

/// Reads past the end are short instead of thrown: the zip reader in between is C.
class MappingAdapter : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit MappingAdapter(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {}

  std::size_t size() const override { return file_->bytes().size(); }
  std::size_t read(std::uint64_t position, void* buffer, std::size_t count,
                   const char* /*what*/) const override {
    if (position >= size()) return 0;
    count = std::min<std::size_t>(count, size() - position);
    std::memcpy(buffer, file_->bytes().data() + position, count);
    return count;
  }

 private:
  std::shared_ptr<const MappedFile> file_;
};

template <class Function>
auto translated(const MappedFile& file, Function function) {
  const auto fail = [&file](std::string_view reason) {
    throw Error(
        fmt::format("{}: the zip archive cannot be read ({}): is it a PyTorch checkpoint, and was "
                    "it downloaded completely?",
                    file.name(), reason.substr(0, reason.find('\n'))));
  };
  try {
    return function();
  } catch (const c10::Error& error) {
    fail(error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    fail("a record is larger than the memory");
  } catch (const std::exception& error) {
    fail(error.what());
  }
  throw std::logic_error("unreachable");
}

}  // namespace

ZipArchive::ZipArchive(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
  reader_ = translated(*file_, [&] {
    return std::make_unique<caffe2::serialize::PyTorchStreamReader>(
        std::make_shared<MappingAdapter>(file_));
  });
}

ZipArchive::~ZipArchive() = default;

std::vector<std::string> ZipArchive::records() {
  return translated(*file_, [&] { return reader_->getAllRecords(); });
}

bool ZipArchive::has(const std::string& record) {
  return translated(*file_, [&] { return reader_->hasRecord(record); });
}

ZipRecord ZipArchive::read(const std::string& record) {
  return translated(*file_, [&] {
    auto [data, size] = reader_->getRecord(record);
    return ZipRecord{std::move(data), size};
  });
}

}  // namespace adamerge
