// SPDX-License-Identifier: GPL-3.0-or-later
#include "export_fixture.h"

#include <QFile>
#include <algorithm>

#include "sample_inspection.h"

namespace adamerge::ui::test {

namespace fs = std::filesystem;

ExportContext sampleContext(int panes) {
  ExportContext context;
  context.engine = bundledEngine();
  context.block = 5;
  context.panes.push_back(inspectSample());
  if (panes > 1) {
    context.panes.push_back(inspectSample({"tome", {{"r", std::int64_t{6}}}, nullptr, false}));
  }
  return context;
}

QByteArray bytesOf(const fs::path& path) {
  QFile file(QString::fromStdString(path.string()));
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

std::vector<std::string> filesBelow(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

FullDisk::FullDisk(rlim_t bytes) {
  ::getrlimit(RLIMIT_FSIZE, &before_);
  const rlimit limit{bytes, before_.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

FullDisk::~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

}  // namespace adamerge::ui::test
