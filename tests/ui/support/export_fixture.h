// SPDX-License-Identifier: GPL-3.0-or-later
// Things to export, and places that cannot be written to.
#pragma once

#include <sys/resource.h>

#include <QByteArray>
#include <QString>
#include <filesystem>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "export/export_source.h"

namespace adamerge::ui::test {

/// The bundled bird under AdaMerge, and with `panes` 2 under ToMe beside it.
ExportContext sampleContext(int panes = 1);

QByteArray bytesOf(const std::filesystem::path& path);
/// What `function` throws as an Error; empty where it throws none.
template <class Function>
QString errorOf(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return QString::fromStdString(error.what());
  }
  return {};
}
/// Below `folder`, sorted, hidden files too.
std::vector<std::string> filesBelow(const std::filesystem::path& folder);

/// While it lives, no file grows beyond `bytes`: a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes);
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk();

 private:
  rlimit before_{};
};

}  // namespace adamerge::ui::test
