// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_message.h"
#include "model/model_config.h"
#include "safetensors_writer.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

using test::errorMessage;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ModelFilesTest : public ::testing::Test {
 public:
  ModelFilesTest& with(const std::string& name) {
    test::writeBytes(folder_.path() / name, "x");
    return *this;
  }
  ModelFiles find() { return findModelFiles(folder_.path()); }
  std::string weights() { return find().weights.filename(); }

  test::TemporaryFolder folder_;
};

TEST_F(ModelFilesTest, AnyNameServesWhereItIsTheOnlyOne) {
  for (const char* name :
       {"ViT-B-32.pt", "dinov2_vits14_pretrain.pth", "model_best.pth.tar", "epoch=3.ckpt",
        "x.safetensors", "x.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin"}) {
    with(name).with("README.md").with("._" + std::string(name));
    EXPECT_EQ(weights(), name);
    EXPECT_THAT(find().notes, IsEmpty());
    std::filesystem::remove(folder_.path() / name);
  }
}

TEST_F(ModelFilesTest, OfSeveralTheSafestIsTakenAndTold) {
  with("pytorch_model.bin").with("open_clip_pytorch_model.bin").with("optimizer.pt");
  EXPECT_EQ(weights(), "pytorch_model.bin");
  with("model.safetensors").with("other.safetensors");
  EXPECT_EQ(weights(), "model.safetensors");
  EXPECT_THAT(find().notes,
              ElementsAre(AllOf(HasSubstr("model.safetensors was taken"),
                                HasSubstr("not pytorch_model.bin, open_clip_pytorch_model.bin"))));
}

TEST_F(ModelFilesTest, OneNetworkInTwoFormatsIsNoQuestion) {
  with("vit.pth").with("vit.safetensors").with("training_args.bin");
  EXPECT_EQ(weights(), "vit.safetensors");
  EXPECT_THAT(find().notes, ElementsAre(HasSubstr("not vit.pth")));
  with("deit.pth");
  EXPECT_THAT(errorMessage([this] { find(); }),
              AllOf(HasSubstr("several"), HasSubstr("deit.pth, vit.pth, vit.safetensors")));
}

TEST_F(ModelFilesTest, EveryLibraryHasItsConfig) {
  with("config.json").with("open_clip_config.json").with("open_clip_model.safetensors");
  EXPECT_EQ(find().config.filename(), "open_clip_config.json");
  EXPECT_EQ(findModelFiles(folder_.path() / "open_clip_config.json").weights.filename(),
            "open_clip_model.safetensors");
  with("model.safetensors");
  EXPECT_EQ(find().config.filename(), "config.json");
  EXPECT_EQ(findModelFiles(folder_.path() / "open_clip_model.safetensors").config.filename(),
            "open_clip_config.json");
}

TEST_F(ModelFilesTest, SaysWhatIsThereInstead) {
  EXPECT_THAT(
      errorMessage([this] { find(); }),
      AllOf(HasSubstr("no weights"), HasSubstr("holds no files"), HasSubstr("model.safetensors")));
  with("notes.txt");
  std::filesystem::create_symlink("x.pth", folder_.path() / "x.pth");
  EXPECT_THAT(errorMessage([this] { find(); }), HasSubstr("it holds notes.txt, x.pth"));
  for (const auto& [name, what] :
       std::vector<std::pair<std::string, std::string>>{{"ViT-B_16.npz", "timm.create_model"},
                                                        {"flax_model.msgpack", "Flax"},
                                                        {"tf_model.h5", "TensorFlow"},
                                                        {"model.onnx", "ONNX"}}) {
    with(name);
    EXPECT_THAT(errorMessage([this] { find(); }), AllOf(HasSubstr(name), HasSubstr(what)));
    std::filesystem::remove(folder_.path() / name);
  }
  EXPECT_THAT(errorMessage([this] { findModelFiles(folder_.path() / "none"); }),
              HasSubstr("no such"));
  EXPECT_THAT(errorMessage([this] { findModelFiles(folder_.path() / std::string(300, 'x')); }),
              AllOf(HasSubstr("too long"), Not(HasSubstr("no such"))));
}

}  // namespace
}  // namespace adamerge
