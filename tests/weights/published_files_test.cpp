// SPDX-License-Identifier: GPL-3.0-or-later
// Files as PyTorch, training scripts and the networks' authors leave them. tests/data/weights was
// written by PyTorch itself (make_fixtures.py); ../shared holds more, where it is present.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint_writer.h"
#include "error_message.h"
#include "temporary_folder.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using test::errorMessage;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const fs::path kData = fs::path(ADAMERGE_TEST_DATA) / "weights";
const fs::path kCases = fs::path(ADAMERGE_SHARED) / "cases";
const fs::path kFamilies = fs::path(ADAMERGE_SHARED) / "reference" / "families";

void expectSame(const StateDict& tensors, const StateDict& expected) {
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(tensors.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const auto found = tensors.find(name);
    ASSERT_NE(found, tensors.end()) << name;
    EXPECT_EQ(found->second.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_EQ(found->second.sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(found->second.equal(tensor)) << name;
  }
}

TEST(PublishedFiles, TorchScriptIsReadWithoutBeingRun) {
  const LoadedWeights loaded = readWeights(kData / "torchscript.pt");
  EXPECT_TRUE(loaded.torchscript);
  EXPECT_THAT(loaded.notes, IsEmpty());
  expectSame(loaded.tensors, readWeights(kData / "torchscript.safetensors").tensors);
  EXPECT_EQ(loaded.tensors.at("visual.conv1.weight").scalar_type(), at::kHalf);
  EXPECT_EQ(loaded.tensors.at("visual.class_embedding").scalar_type(), at::kFloat);
  EXPECT_EQ(loaded.tensors.at("input_resolution").dim(), 0);
  EXPECT_EQ(loaded.tensors.at("input_resolution").item<std::int64_t>(), 4);
}

TEST(PublishedFiles, TrainingCheckpointsOfAnyProtocolAndPackingGiveTheirWeights) {
  const StateDict expected = readWeights(kData / "training.safetensors").tensors;
  for (const char* name : {"training.pth.tar", "training-protocol4.pth", "training-rezipped.pth"}) {
    SCOPED_TRACE(name);
    const LoadedWeights loaded = readWeights(kData / name);
    expectSame(loaded.tensors, expected);
    EXPECT_FALSE(loaded.torchscript);
    EXPECT_THAT(loaded.notes,
                ElementsAre("The prefix 'module._orig_mod.' was taken off the tensors' names.",
                            AllOf(HasSubstr("args (argparse.Namespace)"),
                                  HasSubstr("best_acc1 (numpy._core.multiarray.scalar)"),
                                  HasSubstr("path (pathlib.PurePosixPath)"))));
  }
}

struct Case {
  const char* file;
  const char* same_as;  ///< a file that holds the same tensors under plain names
  std::vector<const char*> told;
};

TEST(PublishedFiles, CasesOfTrainingScripts) {
  if (!fs::exists(kCases)) GTEST_SKIP() << kCases << " is absent";
  const std::vector<Case> cases{
      {"training-checkpoints/defaultdict.pth", "ema/raw.pth", {"log"}},
      {"training-checkpoints/model_best.pth.tar", "ema/raw.pth", {"args (argparse.Namespace)"}},
      {"training-checkpoints/numpy-best-acc.pth", "ema/raw.pth", {"best_acc1 (numpy"}},
      {"training-checkpoints/set.pth", "ema/raw.pth", {"classes (__builtin__.set)"}},
      {"training-checkpoints/torch-size.pth", "ema/raw.pth", {"size (torch.Size)"}},
      {"ema/both.pth", "ema/ema.pth", {"state_dict_ema was taken, not state_dict."}},
      {"ema/only-ema.pth", "ema/ema.pth", {}},
      {"weights-prefixes/model.ckpt", "ema/raw.pth", {"prefix 'model.'", "hyper_parameters"}},
      {"weights-prefixes/net.ckpt", "ema/raw.pth", {"prefix 'net.'"}},
      {"weights-prefixes/plain-orig_mod.pth", "ema/raw.pth", {"prefix '_orig_mod.'"}},
      {"weights-prefixes/orig_mod/model.safetensors", "ema/raw.pth", {"prefix '_orig_mod.'"}},
      {"dino-teacher/checkpoint.pth",
       "dino-teacher/teacher-only.pth",
       {"teacher.backbone was taken, not student.module.backbone", "prefix 'backbone.'",
        "head.mlp.0.weight", "dino_loss"}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.file);
    const LoadedWeights loaded = readWeights(kCases / one.file);
    expectSame(loaded.tensors, readWeights(kCases / one.same_as).tensors);
    const std::string notes = fmt::format("{}", fmt::join(loaded.notes, " "));
    for (const char* told : one.told) EXPECT_THAT(notes, HasSubstr(told));
  }
  // Raw and averaged differ, and each can be had.
  const auto sum = [](const char* file, const std::string& wanted = {}) {
    double total = 0;
    for (const auto& [name, tensor] : readWeights(kCases / file, {}, {}, wanted).tensors) {
      total += tensor.to(at::kDouble).sum().item<double>();
    }
    return total;
  };
  EXPECT_NE(sum("ema/raw.pth"), sum("ema/ema.pth"));
  EXPECT_EQ(sum("ema/both.pth", "state_dict"), sum("ema/raw.pth"));
  EXPECT_EQ(sum("ema/both.pth", "state_dict_ema"), sum("ema/ema.pth"));
  EXPECT_THAT(readWeights(kCases / "dino-teacher/checkpoint.pth", {}, {}, "student").notes.front(),
              HasSubstr("student.module.backbone was taken, not teacher.backbone"));
  EXPECT_THAT(errorMessage([&] { sum("ema/both.pth", "model"); }),
              AllOf(HasSubstr("'model'"), HasSubstr("state_dict, state_dict_ema")));
}

TEST(PublishedFiles, JaxArchivesAreRefusedWithWhatToDo) {
  if (!fs::exists(kCases)) GTEST_SKIP() << kCases << " is absent";
  EXPECT_THAT(errorMessage([] { readWeights(kCases / "jax-npz" / "ViT-tiny.npz"); }),
              AllOf(HasSubstr("NumPy"), HasSubstr("JAX"), HasSubstr("timm")));
}

TEST(PublishedFiles, FuzzersFindsAreRefusedBeforeTheyTakeMemory) {
  if (!fs::exists(kCases)) GTEST_SKIP() << kCases << " is absent";
  const fs::path fuzz = kCases / "fuzz";
  for (const char* bomb : {"zip-bomb-overlap/bomb-overlap.pth", "zip-bomb-pickle/bomb-pickle.pth",
                           "zip-bomb-pickle/bomb-tensors.pth"}) {
    EXPECT_THAT(errorMessage([&] { readWeights(fuzz / bomb); }),
                AllOf(HasSubstr("claims"), HasSubstr("more than the file's")));
  }
  EXPECT_THAT(errorMessage([&] { readWeights(fuzz / "shard-self-reference" / "weights.bin"); }),
              HasSubstr("names it as a shard"));
  EXPECT_THAT(errorMessage([&] {
                readWeights(fuzz / "shard-name-too-long" / "model.safetensors.index.json");
              }),
              HasSubstr("a file name is expected"));
}

TEST(PublishedFiles, FamiliesAsTheirAuthorsPublishThem) {
  if (!fs::exists(kFamilies)) GTEST_SKIP() << kFamilies << " is absent";
  struct Published {
    const char* file;
    std::size_t count;
    const char* name;
    std::vector<std::int64_t> shape;
    at::ScalarType type;
  };
  const std::vector<Published> files{
      {"openai-clip/ViT-tiny.pt", 41, "visual.conv1.weight", {128, 3, 5, 5}, at::kHalf},
      {"openai-clip/ViT-tiny.pt", 41, "visual.class_embedding", {128}, at::kFloat},
      {"openai-clip/ViT-tiny.pt", 41, "context_length", {}, at::kLong},
      {"fair-mae-finetuned/checkpoint-99.pth", 32, "fc_norm.weight", {64}, at::kFloat},
      {"meta-dinov3/dinov3_vit_tiny5_pretrain_lvd1689m-00000000.pth",
       38,
       "rope_embed.periods",
       {4},
       at::kBFloat16},
      {"meta-dinov3-swiglu/dinov3_vit_tiny4_pretrain_lvd1689m-00000000.pth",
       44,
       "rope_embed.periods",
       {3},
       at::kBFloat16},
      {"meta-dinov2/dinov2_vit_tiny4_pretrain.pth", 35, "cls_token", {1, 1, 64}, at::kFloat},
      {"meta-dinov2-registers-swiglu/dinov2_vit_tiny4_reg4_pretrain.pth",
       36,
       "register_tokens",
       {1, 4, 64},
       at::kFloat},
      {"hf-vit-classify-state-dict/pytorch_model.bin",
       40,
       "vit.embeddings.cls_token",
       {1, 1, 24},
       at::kFloat},
      {"hf-mae-encoder/pytorch_model.bin", 38, "embeddings.cls_token", {1, 1, 24}, at::kFloat},
      {"hf-beit-shared/pytorch_model.bin", 42, "beit.embeddings.cls_token", {1, 1, 24}, at::kFloat},
      {"hf-dinov3-gated/pytorch_model.bin",
       45,
       "embeddings.register_tokens",
       {1, 4, 32},
       at::kFloat},
  };
  for (const Published& one : files) {
    SCOPED_TRACE(one.file);
    const LoadedWeights loaded = readWeights(kFamilies / one.file);
    EXPECT_EQ(loaded.tensors.size(), one.count);
    ASSERT_TRUE(loaded.tensors.contains(one.name));
    const at::Tensor& tensor = loaded.tensors.find(one.name)->second;
    EXPECT_EQ(tensor.sizes(), at::IntArrayRef(one.shape)) << one.name;
    EXPECT_EQ(tensor.scalar_type(), one.type) << one.name;
  }
}

TEST(PublishedFiles, NamesThatBelongToAFamilyStay) {
  if (!fs::exists(kFamilies)) GTEST_SKIP() << kFamilies << " is absent";
  int folders = 0;
  for (const auto& entry : fs::directory_iterator(kFamilies)) {
    for (const char* name : {"model.safetensors", "open_clip_model.safetensors"}) {
      const fs::path path = entry.path() / name;
      if (!fs::exists(path)) continue;
      const LoadedWeights loaded = readWeights(path);
      EXPECT_THAT(loaded.notes, IsEmpty()) << path;
      ++folders;
    }
  }
  EXPECT_GT(folders, 40);
}

}  // namespace
}  // namespace adamerge
