// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint_writer.h"
#include "error_message.h"
#include "python_pickles.h"
#include "temporary_folder.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

using test::errorMessage;
using test::Pickle;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Checkpoint : public ::testing::Test {
 protected:
  StateDict read(const std::map<std::string, std::string>& records) {
    test::writeBytes(path_, test::zipBytes(records));
    return readWeights(path_).tensors;
  }
  std::string errorFor(const std::map<std::string, std::string>& records) {
    const std::string message = errorMessage([&] { read(records); });
    EXPECT_THAT(message, HasSubstr(path_.string()));
    return message;
  }
  /// A state dict of one tensor "w" over the storage "0" of `floats` fp32 numbers 0, 1, 2...
  std::map<std::string, std::string> oneTensor(const Pickle& tensor, int floats) {
    return {{"data.pkl", tensor.stop()},
            {"data/0", test::dataBytes(at::arange(floats, at::kFloat))}};
  }
  static Pickle view(std::int64_t count, std::int64_t offset,
                     const std::vector<std::int64_t>& shape,
                     const std::vector<std::int64_t>& stride) {
    Pickle pickle;
    pickle.raw("}").text("w").tensor("FloatStorage", "0", count, offset, shape, stride).raw("s");
    return pickle;
  }
  static void expectSmallStateDict(const StateDict& tensors) {
    ASSERT_EQ(tensors.size(), 2U);
    EXPECT_TRUE(tensors.at("a").equal(at::arange(6, at::kFloat).reshape({2, 3})));
    EXPECT_TRUE(tensors.at("b").equal(at::arange(10, 12, at::kFloat)));
  }

  test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "some.pth";
};

TEST_F(Checkpoint, ReadsPlainStateDict) {
  Pickle pickle;
  expectSmallStateDict(read(test::smallRecords(test::addSmallStateDict(pickle).stop())));
}

TEST_F(Checkpoint, ReadsWhatPythonWrites) {
  for (const std::string_view digits : {test::kPythonProtocol2, test::kPythonProtocol4}) {
    expectSmallStateDict(read(test::smallRecords(test::fromHex(digits))));
  }
}

TEST_F(Checkpoint, ReadsEveryNesting) {
  for (const char* key : {"model", "state_dict", "model_state_dict", "model_ema"}) {
    Pickle pickle;
    pickle.raw("}(").text("epoch").integer(7).text(key);
    test::addSmallStateDict(pickle).text("notes").raw("](").text("x").raw("Neu");
    expectSmallStateDict(read(test::smallRecords(pickle.stop())));
  }
}

TEST_F(Checkpoint, RemovesPrefixes) {
  for (const char* prefix : {"module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."}) {
    Pickle pickle;
    expectSmallStateDict(read(test::smallRecords(test::addSmallStateDict(pickle, prefix).stop())));
  }
}

TEST_F(Checkpoint, KeepsAPrefixThatNotAllNamesHave) {
  Pickle pickle;
  pickle.raw("}(").text("module.a").tensor("0", {2, 3}).text("b").tensor("1", {2}).raw("u");
  const StateDict tensors = read(test::smallRecords(pickle.stop()));
  EXPECT_TRUE(tensors.contains("module.a"));
  EXPECT_TRUE(tensors.contains("b"));
}

TEST_F(Checkpoint, ReadsEveryStorageType) {
  const std::map<std::string, at::ScalarType> types{
      {"FloatStorage", at::kFloat},       {"HalfStorage", at::kHalf},
      {"BFloat16Storage", at::kBFloat16}, {"DoubleStorage", at::kDouble},
      {"LongStorage", at::kLong},         {"IntStorage", at::kInt},
      {"ShortStorage", at::kShort},       {"CharStorage", at::kChar},
      {"ByteStorage", at::kByte},         {"BoolStorage", at::kBool}};
  for (const auto& [name, type] : types) {
    const at::Tensor values = at::arange(4, at::kFloat).to(type);
    Pickle pickle;
    pickle.raw("}").text("w").tensor(name, "0", 4, 0, {4}, {1}).raw("s");
    const StateDict tensors =
        read({{"data.pkl", pickle.stop()}, {"data/0", test::dataBytes(values)}});
    EXPECT_EQ(tensors.at("w").scalar_type(), type) << name;
    EXPECT_TRUE(tensors.at("w").equal(values)) << name;
  }
}

TEST_F(Checkpoint, ReadsParametersAndStateOfOrderedDicts) {
  Pickle pickle;
  pickle.orderedDict().raw("(").text("w").global("torch._utils", "_rebuild_parameter").raw("(");
  pickle.tensor("0", {3}).raw("\x88").orderedDict().raw("tRu");
  pickle.raw("}").text("_metadata").orderedDict().raw("sb");
  EXPECT_TRUE(read(oneTensor(pickle, 3)).at("w").equal(at::arange(3, at::kFloat)));
}

TEST_F(Checkpoint, ReadsStridedViews) {
  const at::Tensor tensor = read(oneTensor(view(12, 1, {3, 2}, {1, 4}), 12)).at("w");
  EXPECT_TRUE(tensor.equal(at::arange(12, at::kFloat).as_strided({3, 2}, {1, 4}, 1)));
}

TEST_F(Checkpoint, SharesStorages) {
  Pickle pickle;
  pickle.raw("}(").text("all").tensor("FloatStorage", "0", 6, 0, {6}, {1});
  pickle.text("tail").tensor("FloatStorage", "0", 6, 4, {2}, {1}).raw("u");
  const StateDict tensors = read(oneTensor(pickle, 6));
  EXPECT_EQ(tensors.at("tail").data_ptr<float>(), tensors.at("all").data_ptr<float>() + 4);
}

TEST_F(Checkpoint, RefusesViewsBeyondTheStorage) {
  EXPECT_THAT(errorFor(oneTensor(view(6, 0, {7}, {1}), 6)),
              AllOf(HasSubstr("'w'"), HasSubstr("shape [7]"), HasSubstr("6 elements")));
  EXPECT_THAT(errorFor(oneTensor(view(6, 2, {5}, {1}), 6)), HasSubstr("offset 2"));
  EXPECT_THAT(errorFor(oneTensor(view(6, 0, {3}, {3}), 6)), HasSubstr("stride [3]"));
  EXPECT_THAT(errorFor(oneTensor(view(6, 0, {1LL << 40}, {0}), 6)), HasSubstr("beyond"));
  EXPECT_THAT(errorFor(oneTensor(view(6, 7, {0}, {1}), 6)), HasSubstr("beyond"));
  EXPECT_THAT(errorFor(oneTensor(view(6, 0, {1LL << 62, 8}, {1LL << 62, 1}), 6)),
              HasSubstr("beyond"));
  EXPECT_THAT(errorFor(oneTensor(view(6, -1, {2}, {1}), 6)), HasSubstr("make no tensor"));
  EXPECT_THAT(errorFor(oneTensor(view(6, 5, {2}, {-1}), 6)), HasSubstr("make no tensor"));
  EXPECT_THAT(errorFor(oneTensor(view(6, 0, {-2}, {1}), 6)), HasSubstr("make no tensor"));
  EXPECT_THAT(errorFor(oneTensor(view(6, 0, {2, 3}, {1}), 6)), HasSubstr("make no tensor"));
}

TEST_F(Checkpoint, RefusesShortAndMissingStorages) {
  EXPECT_THAT(errorFor(oneTensor(view(12, 0, {12}, {1}), 6)),
              AllOf(HasSubstr("'w'"), HasSubstr("24 bytes"), HasSubstr("12 elements of 4")));
  EXPECT_THAT(errorFor(oneTensor(view(1LL << 62, 0, {2}, {1}), 6)), HasSubstr("24 bytes"));
  auto records = oneTensor(view(6, 0, {6}, {1}), 6);
  records.erase("data/0");
  EXPECT_THAT(errorFor(records),
              AllOf(HasSubstr("'w'"), HasSubstr("data/0"), HasSubstr("missing")));
}

TEST_F(Checkpoint, PassesOverObjectsWithoutBuildingThem) {
  for (const auto& [module, name] :
       std::vector<std::pair<std::string, std::string>>{{"argparse", "Namespace"},
                                                        {"os", "system"},
                                                        {"numpy.core.multiarray", "scalar"},
                                                        {"torch", "load"},
                                                        {"builtins", "eval"}}) {
    for (const std::string& made :
         {std::string(")\x81"), std::string(")R"), std::string(")}\x92"),
          std::string(")R}(X\1\0\0\0aK\1ub", 14), std::string(")R](K\1K\2e0(K\1K\2u", 16)}) {
      Pickle pickle;
      pickle.raw("}(").text("args").global(module, name).raw(made).text("model");
      test::addSmallStateDict(pickle).raw("u");
      test::writeBytes(path_, test::zipBytes(test::smallRecords(pickle.stop())));
      const LoadedWeights loaded = readWeights(path_);
      expectSmallStateDict(loaded.tensors);
      EXPECT_THAT(loaded.notes, ::testing::ElementsAre("Passed over in the file: args (" + module +
                                                       "." + name + ")."));
    }
  }
}

TEST_F(Checkpoint, RefusesWholeObjectsAndTypesOfTensorsItHasNot) {
  EXPECT_THAT(errorFor({{"data.pkl", Pickle().global("timm.models", "ViT").raw(")\x81").stop()}}),
              AllOf(HasSubstr("timm.models.ViT"), HasSubstr("torch.save(model.state_dict()")));
  EXPECT_THAT(
      errorFor(oneTensor(
          Pickle().raw("}").text("w").tensor("ComplexFloatStorage", "0", 1, 0, {1}, {1}).raw("s"),
          6)),
      AllOf(HasSubstr("'w'"), HasSubstr("torch.ComplexFloatStorage")));
  Pickle whole;
  whole.raw("}(")
      .text("model")
      .global("yolo", "Net")
      .raw(")\x81")
      .text("epoch")
      .integer(1)
      .raw("u");
  EXPECT_THAT(errorFor({{"data.pkl", whole.stop()}}),
              AllOf(HasSubstr("no tensors"), HasSubstr("model (yolo.Net), epoch"),
                    HasSubstr("torch.save(model.state_dict()")));
}

TEST_F(Checkpoint, NamesWhatIsNoTensor) {
  Pickle mixed;
  test::addSmallStateDict(mixed).text("count").integer(3).raw("s");
  test::writeBytes(path_, test::zipBytes(test::smallRecords(mixed.stop())));
  const LoadedWeights loaded = readWeights(path_);
  expectSmallStateDict(loaded.tensors);
  EXPECT_THAT(loaded.notes, ::testing::ElementsAre("Passed over in the file: count."));
  EXPECT_THAT(errorFor({{"data.pkl", Pickle().raw("](").tensor("0", {2, 3}).raw("e").stop()}}),
              AllOf(HasSubstr("holds a list"), HasSubstr("torch.save(model.state_dict()")));
}

TEST_F(Checkpoint, DictsInThemselvesAndInManyOthersEnd) {
  Pickle cycle;
  cycle.raw("}q\1(").text("self").raw("h\1").text("model");
  test::addSmallStateDict(cycle).raw("u");
  EXPECT_THAT(errorFor(test::smallRecords(cycle.stop())), HasSubstr("too deeply or too often"));
  // Each of 60 dicts holds the one before twice: 2^60 ways down.
  Pickle tree;
  test::addSmallStateDict(tree).raw("q\1");
  for (int i = 0; i < 60; ++i) {
    tree.raw("0}(").text("a").raw("h\1").text("b").raw("h\1uq\1");
  }
  EXPECT_THAT(errorFor(test::smallRecords(tree.stop())), HasSubstr("too deeply or too often"));
}

TEST_F(Checkpoint, RefusesOtherArchives) {
  Pickle pickle;
  auto records = test::smallRecords(test::addSmallStateDict(pickle).stop());
  auto script = records;
  script["data.pkl"] = Pickle().global("__torch__", "Net").raw(")\x81}b").stop();
  script["constants.pkl"] = Pickle().raw(")").stop();
  script["code/__torch__.py"] = "pass";
  EXPECT_THAT(errorFor(script), AllOf(HasSubstr("TorchScript"), HasSubstr("freeze")));
  auto big = records;
  big["byteorder"] = "big";
  EXPECT_THAT(errorFor(big), AllOf(HasSubstr("'big'"), HasSubstr("'little'")));
  auto little = records;
  little["byteorder"] = "little";
  expectSmallStateDict(read(little));
  EXPECT_THAT(errorFor({{"word/document.xml", "<x/>"}}), HasSubstr("no data.pkl"));
  EXPECT_THAT(errorFor({{"cls.npy", "x"}}), HasSubstr("NumPy arrays"));
}

TEST_F(Checkpoint, RefusesTruncatedArchives) {
  Pickle pickle;
  const std::string whole =
      test::zipBytes(test::smallRecords(test::addSmallStateDict(pickle).stop()));
  for (const std::size_t size :
       {std::size_t{4}, std::size_t{40}, whole.size() / 2, whole.size() - 1}) {
    test::writeBytes(path_, whole.substr(0, size));
    EXPECT_THAT(errorMessage([this] { readWeights(path_); }),
                AllOf(HasSubstr(path_.string()), HasSubstr("zip archive"),
                      HasSubstr("downloaded completely")));
  }
}

}  // namespace
}  // namespace adamerge
