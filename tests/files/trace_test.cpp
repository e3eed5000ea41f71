// SPDX-License-Identifier: GPL-3.0-or-later
// Traces as other programs write them: what is made of them, and every way to be wrong.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "adamerge/trace_file.h"
#include "temporary_folder.h"

namespace adamerge::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A file of the format, written without a line of ours.
struct Written {
  struct Tensor {
    std::string dtype;
    std::vector<std::int64_t> shape;
    std::string bytes;
  };
  std::map<std::string, std::string> metadata{
      {"format", "adamerge-trace"}, {"version", "1"},
      {"model", "a-model"},         {"method", "Mine"},
      {"grid", "[2, 3]"},           {"prefix_tokens", "1"},
      {"images", R"(["a.png"])"},   {"settings", R"({"r":8,"name":"x"})"}};
  std::map<std::string, Tensor> tensors;
  /// One more, of which the file has only the entry.
  struct Claimed {
    std::string name;
    Tensor tensor;
    std::int64_t bytes = 0;
  };
  std::optional<Claimed> last;

  template <class T>
  void add(const std::string& name, const std::string& dtype, std::vector<std::int64_t> shape,
           const std::vector<T>& values) {
    std::string bytes(values.size() * sizeof(T), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    tensors[name] = {dtype, std::move(shape), bytes};
  }
  void groups(int block, const std::vector<std::int32_t>& values) {
    add("block." + std::to_string(block) + ".groups", "I32",
        {1, static_cast<std::int64_t>(values.size())}, values);
  }

  std::string bytes() const {
    nlohmann::json header = {{"__metadata__", metadata}};
    std::string data;
    for (const auto& [name, tensor] : tensors) {
      header[name] = {{"dtype", tensor.dtype},
                      {"shape", tensor.shape},
                      {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
      data += tensor.bytes;
    }
    if (last) {
      header[last->name] = {
          {"dtype", last->tensor.dtype},
          {"shape", last->tensor.shape},
          {"data_offsets", {data.size(), static_cast<std::int64_t>(data.size()) + last->bytes}}};
    }
    const std::string text = header.dump();
    std::string length;
    for (int i = 0; i < 8; ++i) length.push_back(static_cast<char>(text.size() >> (8 * i)));
    return length + text + data;
  }
};

/// Two blocks over 2 x 3 patches; block 1 joins what block 0 had and drops one patch.
Written sampleTrace() {
  Written trace;
  trace.groups(0, {5, 5, 0, 1, 2, 3});
  trace.groups(1, {4, 4, 4, 0, -1, 1});
  trace.add<std::uint8_t>("image.0", "U8", {2, 3, 3}, std::vector<std::uint8_t>(18, 7));
  return trace;
}

std::filesystem::path write(const TemporaryFolder& folder, const Written& trace) {
  const auto path = folder.path() / "a.adamerge-trace";
  std::ofstream(path, std::ios::binary) << trace.bytes();
  return path;
}

TracedImage readBack(const Written& trace) {
  const TemporaryFolder folder;
  return TraceFile(write(folder, trace)).read(0);
}

std::string problemOf(const std::string& bytes) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.adamerge-trace";
  std::ofstream(path, std::ios::binary) << bytes;
  try {
    const TraceFile file(path);
    for (std::size_t image = 0; image < file.info().images.size(); ++image) file.read(image);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a.adamerge-trace"));
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "read";
}

TEST(Trace, SaysWhatItIs) {
  const TemporaryFolder folder;
  const TraceFile file(write(folder, sampleTrace()));
  const TraceInfo& info = file.info();
  EXPECT_EQ(describe(info), "Mine, r 8, name x");
  EXPECT_EQ(info.patches(), 6);
  EXPECT_EQ(info.depth, 2);
  EXPECT_FALSE(info.has_logits || info.has_salience || info.has_survivors || info.has_flops);
  const ModelInfo model = modelOf(info);
  EXPECT_EQ(model.vit.patchTokens(), 6);
  EXPECT_EQ(model.vit.prefixTokens(), 1);
  EXPECT_EQ(model.vit.classes, 0);
}

TEST(Trace, IsFoundWhereItWasOrBesideItsFigure) {
  const TemporaryFolder folder;
  const std::filesystem::path figure = folder.path() / "figure.pdf";
  const std::filesystem::path trace = folder.path() / "run.adamerge-trace";
  EXPECT_FALSE(findTrace({"run.adamerge-trace", {}}, figure).has_value());
  std::ofstream(trace) << "x";
  for (const auto& said : {trace, std::filesystem::path("run.adamerge-trace"),
                           std::filesystem::path("/elsewhere/run.adamerge-trace")}) {
    EXPECT_EQ(findTrace({said, {}}, figure), trace) << said;
  }
  std::filesystem::create_directory(folder.path() / "runs");
  std::filesystem::rename(trace, folder.path() / "runs" / "run.adamerge-trace");
  EXPECT_EQ(findTrace({"runs/run.adamerge-trace", {}}, figure),
            folder.path() / "runs" / "run.adamerge-trace");
  EXPECT_FALSE(findTrace({"/elsewhere/run.adamerge-trace", {}}, figure).has_value());
}

TEST(Trace, FiguresCarryWhatTheyShow) {
  const TemporaryFolder folder;
  const TraceFile file(write(folder, sampleTrace()));
  const std::string text = provenanceJson(file.info(), "a.png", 1);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json.at("method"), "Mine");
  EXPECT_EQ(json.at("settings"), nlohmann::json::parse(R"({"r":8,"name":"x"})"));
  EXPECT_EQ(json.at("block"), 2);
  EXPECT_TRUE(
      nlohmann::json::parse(provenanceJson(file.info(), "a.png", -1)).at("block").is_null());
  const TracedFigure shown = tracedBy(text).value();
  EXPECT_EQ(shown.trace, file.info().file);
  EXPECT_EQ(shown.image, "a.png");
  EXPECT_EQ(shown.layer, 1);
  EXPECT_EQ(tracedBy("[" + text + ",{}]")->trace, file.info().file);
  for (const char* other : {"", "[]", "{}", "[{}]", "3", R"({"trace":3})"}) {
    EXPECT_FALSE(tracedBy(other).has_value()) << other;
  }
  for (const char* block : {"null", "0", "-3", "1e30", "99999999999", "\"2\""}) {
    EXPECT_EQ(tracedBy(fmt::format(R"({{"trace":"t","block":{}}})", block))->layer, -1) << block;
  }
  const MethodChoice ours{"tome", {{"r", std::int64_t{8}}}, nullptr, false};
  const std::string run = provenanceJson({}, "cpu", "float32", "a.png", ours, 0);
  EXPECT_EQ(parseProvenance("[" + run + "," + text + "]").size(), 1U);
  EXPECT_FALSE(tracedBy("[" + run + "," + text + "]").has_value());
  EXPECT_THAT([&] { parseProvenance("[" + text + "]"); },
              testing::ThrowsMessage<Error>(HasSubstr("it shows a trace, ")));
  // It is no run of ours, whose settings could be restored.
  EXPECT_THAT([&] { parseProvenance(text); },
              testing::ThrowsMessage<Error>(HasSubstr("it shows a trace, ")));
}

TEST(Trace, GroupsBecomeTokensMergesAndDrops) {
  const TracedImage image = readBack(sampleTrace());
  ASSERT_EQ(image.result.layers.size(), 2U);
  const LayerTrace& first = image.result.layers[0];
  EXPECT_THAT(first.groups, ElementsAre(0, 0, 1, 2, 3, 4));
  EXPECT_EQ(first.tokens_in, 7);
  EXPECT_EQ(first.tokens_out, 6);
  ASSERT_EQ(first.merges.size(), 1U);
  EXPECT_EQ(first.merges[0].source, 1);
  EXPECT_EQ(first.merges[0].destination, 0);
  EXPECT_TRUE(std::isnan(first.merges[0].similarity)) << "no file says it";
  const LayerTrace& second = image.result.layers[1];
  EXPECT_THAT(second.groups, ElementsAre(0, 0, 0, 1, 2, 3));
  EXPECT_THAT(second.dropped, ElementsAre(4));
  EXPECT_EQ(second.tokens_in, 6);
  EXPECT_EQ(second.tokens_out, 4);
  EXPECT_FALSE(second.restored);
  EXPECT_THAT(survivingPatches(image.result.layers, 1), ElementsAre(0, 0, 0, 3, 4, 5));
  EXPECT_EQ(image.view->pixels.size(), 18U);
}

TEST(Trace, SurvivorsNameTheTokenThatStayed) {
  Written trace = sampleTrace();
  trace.add<std::int32_t>("block.0.survivors", "I32", {1, 6}, {1, 1, 2, 3, 4, 5});
  trace.add<std::int32_t>("block.1.survivors", "I32", {1, 6}, {2, 2, 2, 3, 4, 5});
  const TracedImage image = readBack(trace);
  EXPECT_THAT(survivingPatches(image.result.layers, 0), ElementsAre(1, 1, 2, 3, 4, 5));
  EXPECT_THAT(survivingPatches(image.result.layers, 1), ElementsAre(2, 2, 2, 3, 4, 5));
}

TEST(Trace, GroupsThatPartAgainHoldForTheirBlockAlone) {
  Written trace = sampleTrace();
  trace.groups(1, {0, 1, 1, 2, 3, 4});
  const TracedImage image = readBack(trace);
  for (const LayerTrace& layer : image.result.layers) EXPECT_TRUE(layer.restored);
  EXPECT_THAT(survivingPatches(image.result.layers, 0), ElementsAre(0, 0, 2, 3, 4, 5));
  EXPECT_THAT(survivingPatches(image.result.layers, 1), ElementsAre(0, 1, 1, 3, 4, 5));
}

TEST(Trace, BlocksThatRanInWindowsAreRestored) {
  Written trace = sampleTrace();
  trace.groups(1, {5, 5, 0, 1, 2, 3});  // as block 0, so that nothing parts
  for (const char* block : {"block.0.window", "block.1.window"}) {
    trace.add<std::int32_t>(block, "I32", {1, 2}, {2, 2});
  }
  for (const LayerTrace& layer : readBack(trace).result.layers) {
    EXPECT_TRUE(layer.restored);
    EXPECT_THAT(layer.window, ElementsAre(2, 2));
    EXPECT_EQ(layer.padding, 2) << "the second window lacks a column";
    EXPECT_EQ(layer.tokens_out, 7);
    EXPECT_EQ(layer.tokens_inside, 6);
  }
}

TEST(Trace, HeadsAreAveragedAndHalvesWidened) {
  Written trace = sampleTrace();
  std::vector<float> heads(12, 0.25F);
  std::fill(heads.begin() + 6, heads.end(), 0.75F);
  trace.add<float>("block.1.attention", "F32", {1, 2, 6}, heads);
  trace.add<std::uint16_t>("block.0.salience", "F16", {1, 6},
                           {0x3800, 0x3800, 0x3C00, 0, 0, 0});  // 0.5, 1
  trace.add<double>("logits", "F64", {1, 2}, {1, 3});
  trace.metadata["classes"] = R"(["cat","dog"])";
  const TracedImage image = readBack(trace);
  EXPECT_THAT(image.result.layers[0].attention, IsEmpty());
  EXPECT_THAT(image.result.layers[1].attention, testing::Each(0.5F));
  EXPECT_THAT(image.result.layers[0].salience, ElementsAre(0.5F, 0.5F, 1, 0, 0, 0));
  EXPECT_THAT(image.result.logits, ElementsAre(1, 3));
}

TEST(Trace, WithoutAPictureTheNameIsOne) {
  const TemporaryFolder folder;
  Written trace = sampleTrace();
  trace.tensors.erase("image.0");
  trace.metadata["images"] = R"(["a.ppm"])";
  const TraceFile file(write(folder, trace));
  EXPECT_THAT([&] { pictureOf(file.info(), file.read(0)); },
              testing::ThrowsMessage<Error>(testing::AllOf(HasSubstr("a.ppm"), HasSubstr("path"))));
  std::ofstream(folder.path() / "a.ppm", std::ios::binary) << "P6 8 4 255\n"
                                                           << std::string(96, 'x');
  const TracedPicture picture = pictureOf(file.info(), file.read(0));
  EXPECT_EQ(picture.view.width, 6);
  EXPECT_EQ(picture.view.height, 4);
  EXPECT_EQ(picture.crop.x, 1);
  EXPECT_THAT(picture.note, HasSubstr("middle"));
}

TEST(Trace, EveryDamageIsASentence) {
  struct Damage {
    const char* says;
    std::function<void(Written&)> make;
  };
  const auto bytes_of = [](const std::function<void(Written&)>& make) {
    Written trace = sampleTrace();
    make(trace);
    return trace.bytes();
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Damage> damages{
      {"format ''", [](Written& t) { t.metadata.erase("format"); }},
      {"version '2'; version 1 is read", [](Written& t) { t.metadata["version"] = "2"; }},
      {"grid", [](Written& t) { t.metadata["grid"] = "[14]"; }},
      {"grid", [](Written& t) { t.metadata.erase("grid"); }},
      {"has shape [1, 6], [1, 9] is expected, 1 image on a grid of 3 x 3 patches",
       [](Written& t) { t.metadata["grid"] = "[3, 3]"; }},
      {"images", [](Written& t) { t.metadata["images"] = "a.png"; }},
      {"settings", [](Written& t) { t.metadata["settings"] = "[1]"; }},
      {"prefix_tokens is 'one'", [](Written& t) { t.metadata["prefix_tokens"] = "one"; }},
      {"puts patch 2 into group 6; 0 to 5 are possible",
       [](Written& t) {
         t.groups(1, {0, 1, 6, 3, 4, 5});
       }},
      {"group -2",
       [](Written& t) {
         t.groups(0, {0, 1, -2, 3, 4, 5});
       }},
      {"block 1 has no groups, though block 3 is there",
       [](Written& t) {
         t.tensors.erase("block.1.groups");
         t.groups(3, {0, 1, 2, 3, 4, 5});
       }},
      {"holds no block", [](Written& t) { t.tensors.clear(); }},
      {"is of type F32, whole numbers (I32) are expected",
       [](Written& t) {
         t.add<float>("block.0.groups", "F32", {1, 6}, {0, 1, 2, 3, 4, 5});
       }},
      {"'block.0.salience' has nan for image 0",
       [nan](Written& t) {
         t.add<float>("block.0.salience", "F32", {1, 6}, {0, 1, nan, 3, 4, 5});
       }},
      {"the metadata name 3 classes",
       [](Written& t) {
         t.metadata["classes"] = R"(["a","b","c"])";
         t.add<float>("logits", "F32", {1, 2}, {0, 1});
       }},
      {"[1, 2] is expected, as of 'logits'",
       [](Written& t) {
         t.add<float>("logits", "F32", {1, 2}, {0, 1});
         t.add<float>("baseline_logits", "F32", {1, 3}, {0, 1, 2});
       }},
      {"'logits' has inf",
       [](Written& t) {
         t.add<float>("logits", "F32", {1, 1}, {std::numeric_limits<float>::infinity()});
       }},
      {"'image.1' belongs to no image",
       [](Written& t) {
         t.add<std::uint8_t>("image.1", "U8", {1, 1, 3}, {1, 2, 3});
       }},
      {"'image.0' has shape [2, 3]",
       [](Written& t) {
         t.add<std::uint8_t>("image.0", "U8", {2, 3}, {1, 2, 3, 4, 5, 6});
       }},
      {"which is of another group",
       [](Written& t) {
         t.add<std::int32_t>("block.0.survivors", "I32", {1, 6}, {2, 2, 2, 3, 4, 5});
       }},
      {"but patch 0 stood for its token before",
       [](Written& t) {
         t.add<std::int32_t>("block.1.survivors", "I32", {1, 6}, {1, 1, 1, 3, 4, 5});
       }},
      {"takes in 900 tokens",
       [](Written& t) { t.add<std::int32_t>("block.1.tokens_in", "I32", {1}, {900}); }},
      {"'block.0.window' has 0 for image 0, 1 to 4096 are possible",
       [](Written& t) {
         t.add<std::int32_t>("block.0.window", "I32", {1, 2}, {2, 0});
       }},
      {"[1, 2] is expected",
       [](Written& t) {
         t.add<std::int32_t>("block.0.window", "I32", {1, 1}, {2});
       }},
      {"at most 4096 blocks",
       [](Written& t) {
         t.groups(2147483647, {0, 1, 2, 3, 4, 5});
       }},
  };
  for (const Damage& damage : damages) {
    EXPECT_THAT(problemOf(bytes_of(damage.make)), HasSubstr(damage.says));
  }
}

TEST(Trace, AFileCutShortAnywhereIsASentence) {
  const std::string whole = sampleTrace().bytes();
  ASSERT_EQ(problemOf(whole), "read");
  for (std::size_t length = 1; length < whole.size(); length += 7) {
    EXPECT_NE(problemOf(whole.substr(0, length)), "read") << length;
  }
}

/// A training run may write into the file itself.
TEST(Trace, AFileThatShrinksAfterItWasOpenedIsASentence) {
  const TemporaryFolder folder;
  const auto path = write(folder, sampleTrace());
  const TraceFile file(path);
  std::filesystem::resize_file(path, 40);
  EXPECT_THAT([&] { file.read(0); }, testing::ThrowsMessage<Error>(HasSubstr("ends at byte 40")));
}

/// Only the header and what is asked for is read.
TEST(Trace, TenGigabytesAreOpenedAtOnce) {
  const TemporaryFolder folder;
  Written trace = sampleTrace();
  constexpr std::int64_t kWidth = 850'000'000;
  constexpr std::int64_t kBytes = 6 * kWidth * 2;
  // By its name last in the file, and there a hole.
  trace.last = Written::Claimed{"z", {"F16", {1, 6, kWidth}, ""}, kBytes};
  const auto path = write(folder, trace);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) + kBytes);
  const TraceFile file(path);
  EXPECT_EQ(file.read(0).result.layers[1].tokens_out, 4);
  EXPECT_THAT(file.info().notes, ElementsAre(HasSubstr("z")));
}

TEST(Trace, IsKnownByItsName) {
  EXPECT_TRUE(isTraceName("/a/run.ADAMERGE-trace"));
  EXPECT_FALSE(isTraceName("/a/run.adamerge"));
}

}  // namespace
}  // namespace adamerge::test
