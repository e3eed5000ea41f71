// SPDX-License-Identifier: GPL-3.0-or-later
#include "random_vit.h"

#include <fmt/format.h>

#include "model/load_model.h"
#include "safetensors_writer.h"

namespace adamerge {

void writeRandomVitBase(const std::filesystem::path& folder) {
  constexpr const char* kArchitecture = "vit_base_patch16_224";
  const LoadedModel model = randomModel(kArchitecture);
  std::filesystem::create_directories(folder);
  test::writeSafetensors(folder / "model.safetensors", model.weights);
  test::writeBytes(folder / "config.json",
                   fmt::format(R"({{"architecture": "{}", "num_classes": {}}})", kArchitecture,
                               model.info.vit.classes));
}

}  // namespace adamerge
