// SPDX-License-Identifier: GPL-3.0-or-later
// Damaged files either load or say what is wrong; nothing else may happen.
#include <gtest/gtest.h>

#include <random>

#include "checkpoint_writer.h"
#include "model/load_model.h"
#include "python_pickles.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

class Damage : public ::testing::Test {
 protected:
  /// Loads `bytes` under `name` and touches every value.
  template <class Load>
  void attempt(const std::string& name, const std::string& bytes, Load load) {
    test::writeBytes(folder_.path() / name, bytes);
    try {
      load();
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }

  /// Cut short, and with bytes changed, at random places, most of them near `focus` bytes.
  template <class Load>
  void damage(const std::string& name, const std::string& whole, std::size_t focus, Load load) {
    std::mt19937 random(20240607);
    const auto place = [&](bool near) { return random() % (near ? focus : whole.size()); };
    constexpr int kRounds = 200;
    for (int round = 0; round < kRounds; ++round) {
      attempt(name, whole.substr(0, place(round % 2 == 0)), load);
      std::string flipped = whole;
      for (int i = 0; i <= round % 3; ++i) {
        char& byte = flipped[place(round % 4 != 0)];
        byte = round % 2 == 0 ? static_cast<char>(byte ^ (1 << random() % 8))
                              : static_cast<char>(random());
      }
      attempt(name, flipped, load);
    }
  }

  void readAll(const std::string& name) {
    for (const auto& [key, tensor] : readWeights(folder_.path() / name).tensors) {
      tensor.to(at::kDouble).sum().item<double>();
    }
  }

  test::TemporaryFolder folder_;
};

TEST_F(Damage, Safetensors) {
  const std::string whole = test::safetensorsBytes({{"a", at::ones({4, 4})},
                                                    {"b", at::ones({3}, at::kHalf)},
                                                    {"c", at::ones({5}, at::kDouble)}});
  damage("w.safetensors", whole, whole.size(), [this] { readAll("w.safetensors"); });
}

TEST_F(Damage, Index) {
  test::writeSafetensors(folder_.path() / "w.safetensors", {{"a", at::ones({4})}});
  const std::string whole = R"({"weight_map": {"a": "w.safetensors"}})";
  damage("x.json", whole, whole.size(), [this] { readAll("x.json"); });
}

TEST_F(Damage, ZipArchive) {
  const std::string whole =
      test::zipBytes(test::smallRecords(test::fromHex(test::kPythonProtocol2)));
  damage("w.pth", whole, whole.size(), [this] { readAll("w.pth"); });
}

TEST_F(Damage, Pickle) {
  for (const std::string_view digits : {test::kPythonProtocol2, test::kPythonProtocol4}) {
    const std::string whole = test::fromHex(digits);
    std::mt19937 random(7);
    for (int round = 0; round < 500; ++round) {
      std::string bytes = whole;
      for (int i = 0; i <= round % 2; ++i) {
        bytes[random() % bytes.size()] = static_cast<char>(random());
      }
      if (round % 10 == 0) bytes.resize(random() % bytes.size());
      attempt("w.pth", test::zipBytes(test::smallRecords(bytes)), [this] { readAll("w.pth"); });
    }
  }
}

TEST_F(Damage, ModelFolder) {
  const auto source = std::filesystem::path(ADAMERGE_TEST_DATA) / "vit-variants";
  const auto load = [this] { loadModel(folder_.path()); };
  for (const char* variant : {"class-token", "hugging-face-vit"}) {
    for (const auto& entry : std::filesystem::directory_iterator(source / variant)) {
      std::filesystem::copy(entry.path(), folder_.path(),
                            std::filesystem::copy_options::overwrite_existing);
    }
    const std::string config = test::readBytes(source / variant / "config.json");
    damage("config.json", config, config.size(), load);
    test::writeBytes(folder_.path() / "config.json", config);
    const std::string weights = test::readBytes(source / variant / "model.safetensors");
    damage("model.safetensors", weights, 4000, load);
    test::writeBytes(folder_.path() / "model.safetensors", weights);
  }
  const std::string preprocessor =
      test::readBytes(source / "hugging-face-vit" / "preprocessor_config.json");
  damage("preprocessor_config.json", preprocessor, preprocessor.size(), load);
}

}  // namespace
}  // namespace adamerge
