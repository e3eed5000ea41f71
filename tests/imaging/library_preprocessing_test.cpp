// SPDX-License-Identifier: GPL-3.0-or-later
// Each library's own config gives the pixels that the library gives: networks' folders as timm,
// open_clip and transformers save them, with what these make of a picture.
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "adamerge/image.h"
#include "error_message.h"
#include "model/preprocessing_config.h"
#include "pictures.h"
#include "tensor_file.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::errorMessage;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using Resize = Preprocessing::Resize;

json readJson(const fs::path& path) {
  std::ifstream file(path);
  return file ? json::parse(file) : json::object();
}

/// Of weights that are published without a config, by the folder's name.
PreprocessingConfig publishedFor(const std::string& name) {
  if (name.starts_with("openai")) return publishedPreprocessing(Publisher::kOpenAiClip);
  if (name.starts_with("meta-dinov3")) return publishedPreprocessing(Publisher::kMetaDinov3);
  if (name.starts_with("meta")) return publishedPreprocessing(Publisher::kMetaDinov2);
  EXPECT_TRUE(name.starts_with("fair-mae")) << name;
  return publishedPreprocessing(Publisher::kFairMae);
}

PreprocessingConfig configOf(const fs::path& folder) {
  const json config = readJson(folder / "config.json");
  const json processor = readJson(folder / "preprocessor_config.json");
  const json open_clip = readJson(folder / "open_clip_config.json");
  if (!processor.empty()) {
    return readHuggingFacePreprocessing({&processor, "preprocessor_config.json"},
                                        config.at("model_type").get<std::string>());
  }
  if (!open_clip.empty()) {
    return readOpenClipPreprocessing({&open_clip.at("preprocess_cfg"), "open_clip_config.json"});
  }
  if (config.empty()) return publishedFor(folder.filename().string());
  return readTimmPreprocessing({&config.at("pretrained_cfg"), "config.json"});
}

/// The largest difference from `name` in the folder's reference, in units of the normalised input
/// times its deviation, so that 1/255 is one step of an 8-bit picture.
double error(const fs::path& folder, const char* picture, const char* name) {
  const test::FileTensor wanted = test::readTensor(folder / "case.safetensors", name);
  if (wanted.shape.size() != 4) {
    ADD_FAILURE() << folder << " has no " << name;
    return 1;
  }
  const Preprocessing preprocessing =
      preprocessingFor(configOf(folder), {wanted.shape[2], wanted.shape[3]});
  const PreparedImage prepared = prepareImage(loadImage(folder / picture), preprocessing);
  EXPECT_EQ(prepared.input.height, wanted.shape[2]);
  EXPECT_EQ(prepared.input.width, wanted.shape[3]);
  EXPECT_EQ(prepared.input.values.size(), wanted.values.size());
  if (prepared.input.values.size() != wanted.values.size()) return 1;
  double largest = 0;
  const std::size_t plane = wanted.values.size() / 3;
  for (std::size_t i = 0; i < wanted.values.size(); ++i) {
    const double difference = std::abs(double{prepared.input.values[i]} - wanted.values[i]);
    largest = std::max(largest, difference * preprocessing.std[i / plane]);
  }
  return largest;
}

/// 8 bits: Pillow, as timm and open_clip use it, to the last bit. transformers 5 resizes with
/// torchvision, whose 16-bit weights (Pillow's have 22) round at most one step of 255 otherwise.
/// DINOv3's processor has no such rounding: single precision.
double photoBound(const std::string& folder) {
  constexpr double kSinglePrecision = 1e-6;
  constexpr double kOneStep = 1.0 / 255 + kSinglePrecision;
  return folder.starts_with("hf-") && !folder.starts_with("hf-dinov3") ? kOneStep
                                                                       : kSinglePrecision;
}

void expectLibrariesPixels(const fs::path& families, std::size_t folders, int photos) {
  std::size_t seen = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(families)) {
    const fs::path& folder = entry.path();
    const std::string name = folder.filename().string();
    if (!fs::exists(folder / "case.safetensors")) continue;
    ++seen;
    SCOPED_TRACE(name);
    EXPECT_LE(error(folder, "image.png", "input"), 1e-6);
    if (!fs::exists(folder / "photo.png")) continue;
    --photos;
    const double found = error(folder, "photo.png", "photo_input");
    EXPECT_LE(found, photoBound(name));
    testing::Test::RecordProperty(name, std::to_string(found * 255));
  }
  EXPECT_EQ(seen, folders);
  EXPECT_EQ(photos, 0);
}

TEST(LibraryPreprocessing, PixelsOfEveryFamily) {
  const fs::path families = fs::path(ADAMERGE_SHARED) / "reference/families";
  if (!fs::exists(families)) GTEST_SKIP() << families << " is not there";
  expectLibrariesPixels(families, 70, 8);
}

TEST(LibraryPreprocessing, PixelsOfFamiliesInTheRepository) {
  expectLibrariesPixels(test::preprocessingData() / "families", 6, 5);
}

/// An input of 27 pixels under patches of 5: the picture keeps its last two pixels.
TEST(LibraryPreprocessing, PixelsBeyondTheGridArePartOfThePicture) {
  const Preprocessing p =
      preprocessingFor(configOf(test::preprocessingData() / "families/timm-siglip"), {27, 27});
  EXPECT_EQ(p.crop_width, 27);
  EXPECT_EQ(prepareImage(test::pattern(100, 50), p).view.width, 27);
}

// ---- Hugging Face ----

PreprocessingConfig huggingFace(const json& fields, std::string_view model_type = "vit") {
  return readHuggingFacePreprocessing({&fields, "preprocessor_config.json"}, model_type);
}

TEST(HuggingFacePreprocessing, DefaultsOfEachClass) {
  struct Case {
    const char* type;
    const char* model_type;
    Resize resize;
    Interpolation interpolation;
    float mean, std;  // of red
    int resized;      // for an input of 224
    bool floating_point;
    bool any_size = false;
  };
  constexpr auto kExact = Resize::kExact;
  constexpr auto kShorter = Resize::kShorterSide;
  constexpr auto kBilinear = Interpolation::kBilinear;
  constexpr auto kBicubic = Interpolation::kBicubic;
  const std::vector<Case> cases{
      {"ViT", "vit", kExact, kBilinear, 0.5F, 0.5F, 224, false},
      {"ViT", "vit_mae", kExact, kBilinear, 0.5F, 0.5F, 224, false},
      {"DeiT", "deit", kExact, kBicubic, 0.5F, 0.5F, 256, false},
      {"Beit", "beit", kExact, kBicubic, 0.5F, 0.5F, 224, false, true},
      {"Beit", "data2vec-vision", kExact, kBicubic, 0.5F, 0.5F, 224, false, true},
      {"Bit", "bit", kShorter, kBicubic, 0.48145466F, 0.26862954F, 224, false},
      {"Bit", "dinov2", kShorter, kBicubic, 0.48145466F, 0.26862954F, 224, false, true},
      {"Bit", "dinov2_with_registers", kShorter, kBicubic, 0.48145466F, 0.26862954F, 224, false,
       true},
      {"CLIP", "clip", kShorter, kBicubic, 0.48145466F, 0.26862954F, 224, false},
      {"CLIP", "clip_vision_model", kShorter, kBicubic, 0.48145466F, 0.26862954F, 224, false},
      {"Siglip", "siglip", kExact, kBicubic, 0.5F, 0.5F, 224, false},
      {"Siglip", "siglip_vision_model", kExact, kBicubic, 0.5F, 0.5F, 224, false},
      {"DINOv3ViT", "dinov3_vit", kExact, kBilinear, 0.485F, 0.229F, 224, true, true}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.model_type);
    std::vector<json> files{json::object(), {{"do_normalize", true}}};
    for (const char* ending : {"ImageProcessor", "ImageProcessorFast", "FeatureExtractor"}) {
      files.push_back({{"image_processor_type", std::string(c.type) + ending}});
      files.push_back({{"feature_extractor_type", std::string(c.type) + ending},
                       {"size", nullptr},
                       {"crop_size", nullptr},
                       {"do_center_crop", nullptr},
                       {"resample", nullptr},
                       {"image_mean", nullptr}});
    }
    for (const json& file : files) {
      SCOPED_TRACE(file.dump());
      // A named class decides, whatever the network is.
      const bool named =
          file.contains("image_processor_type") || file.contains("feature_extractor_type");
      const PreprocessingConfig config = huggingFace(file, named ? "vit" : c.model_type);
      const Preprocessing p = preprocessingFor(config, {224, 224});
      EXPECT_EQ(p.resize, c.resize);
      EXPECT_EQ(p.interpolation, c.interpolation);
      EXPECT_FLOAT_EQ(p.mean[0], c.mean);
      EXPECT_FLOAT_EQ(p.std[0], c.std);
      EXPECT_EQ(p.resize_width, c.resized);
      EXPECT_EQ(p.crop_width, 224);
      EXPECT_EQ(p.floating_point, c.floating_point);
      // The file states no size: the class's counts where the network takes any.
      EXPECT_EQ(config.crop.has_value(), !file.empty() && !named && c.any_size);
      if (file.empty()) {
        EXPECT_THAT(config.notes,
                    Contains(AllOf(HasSubstr("no preprocessor_config.json"),
                                   HasSubstr(std::string(c.type) + "ImageProcessor"))));
      } else if (config.crop) {
        EXPECT_THAT(config.notes, IsEmpty());
      } else {
        EXPECT_THAT(config.notes, testing::ElementsAre(HasSubstr("names no size")));
      }
    }
  }
}

TEST(HuggingFacePreprocessing, WhatANumberAsSizeMeans) {
  for (const char* type : {"ViT", "DeiT", "Beit", "Siglip", "DINOv3ViT", "CLIP", "Bit"}) {
    const std::string name = std::string(type) + "ImageProcessor";
    const bool shortest = name.starts_with("CLIP") || name.starts_with("Bit");
    const auto config = huggingFace({{"image_processor_type", name}, {"size", 48}});
    EXPECT_EQ(config.resize, shortest ? Resize::kShorterSide : Resize::kExact) << name;
    EXPECT_EQ(config.resize_size->width, 48);
    const bool crops = shortest || name.starts_with("DeiT");
    EXPECT_EQ(config.crop->width, crops ? 224 : 48) << name;
    const auto edge = huggingFace({{"image_processor_type", name},
                                   {"size", {{"shortest_edge", 48}}},
                                   {"do_center_crop", true},
                                   {"crop_size", {{"height", 32}, {"width", 40}}}});
    EXPECT_EQ(edge.resize, Resize::kShorterSide);
    EXPECT_EQ(edge.crop->height, 32);
    const Preprocessing p = preprocessingFor(edge, {32, 40});
    EXPECT_EQ(p.resize_height, 48);
    EXPECT_EQ(p.resize_width, 48);
  }
  EXPECT_EQ(huggingFace({{"default_to_square", true}, {"size", 48}}, "clip").resize,
            Resize::kExact);
  EXPECT_EQ(huggingFace({{"size", {30, 40}}}).resize_size->width, 40);
}

TEST(HuggingFacePreprocessing, ShortestEdgeCutsTheLongSideAndCropsRoundDown) {
  const json file{{"image_processor_type", "BitImageProcessor"},
                  {"size", {{"shortest_edge", 10}}},
                  {"crop_size", 8},
                  {"resample", 0}};
  const Preprocessing p = preprocessingFor(huggingFace(file), {8, 8});
  // 37 x 20 to int(18.5) x 10; (18 - 8) / 2 = 5, (10 - 8) / 2 = 1.
  const Rectangle crop = prepareImage(test::pattern(37, 20), p).crop;
  EXPECT_NEAR(crop.x, 5 * 37.0 / 18, 1e-9);
  EXPECT_NEAR(crop.y, 2, 1e-9);
  // 39 x 20 to 19 x 10: (19 - 8) / 2 = 5.5 begins at 5, where torchvision begins at 6.
  EXPECT_NEAR(prepareImage(test::pattern(39, 20), p).crop.x, 5 * 39.0 / 19, 1e-9);
}

TEST(HuggingFacePreprocessing, CropsBeyondThePictureAreBlack) {
  const json file{{"image_processor_type", "CLIPImageProcessor"},
                  {"size", {{"shortest_edge", 4}}},
                  {"crop_size", 7},
                  {"image_mean", {0.5, 0.25, 0}},
                  {"image_std", {1, 1, 1}}};
  const PreparedImage prepared = prepareImage(Image{4, 4, std::vector<std::uint8_t>(48, 255)},
                                              preprocessingFor(huggingFace(file), {7, 7}));
  EXPECT_EQ(test::colorAt(prepared.view, 0, 0), (test::Color{0, 0, 0}));
  EXPECT_EQ(test::colorAt(prepared.view, 1, 1), (test::Color{255, 255, 255}));
  EXPECT_EQ(test::colorAt(prepared.view, 5, 5), (test::Color{0, 0, 0}));
  EXPECT_FLOAT_EQ(prepared.input.values[0], -0.5F);
}

TEST(HuggingFacePreprocessing, FloatingPointKeepsWhatEightBitsRoundOff) {
  const json file{{"image_processor_type", "DINOv3ViTImageProcessorFast"},
                  {"size", 1},
                  {"image_mean", {0, 0, 0}},
                  {"image_std", {1, 1, 1}}};
  const Image two{2, 1, {0, 10, 255, 1, 20, 255}};
  const PreparedImage prepared = prepareImage(two, preprocessingFor(huggingFace(file), {1, 1}));
  EXPECT_THAT(prepared.input.values,
              testing::Pointwise(testing::FloatNear(1e-7F), {0.5F / 255, 15.0F / 255, 1.0F}));
  EXPECT_EQ(test::colorAt(prepared.view, 0, 0), (test::Color{1, 15, 255}));
  // Not rescaled, torchvision gets bytes and rounds.
  json bytes = file;
  bytes["do_rescale"] = false;
  EXPECT_FALSE(huggingFace(bytes).floating_point);
}

TEST(HuggingFacePreprocessing, EveryFieldIsCheckedByName) {
  const auto problem = [](const char* key, const json& value) {
    const std::string message = errorMessage([&] { huggingFace({{key, value}}); });
    EXPECT_THAT(message, AllOf(HasSubstr("preprocessor_config.json: "), HasSubstr(key)));
    return message;
  };
  const std::vector<std::pair<const char*, std::vector<json>>> wrong{
      {"image_processor_type", {3, "Siglip2ImageProcessor"}},
      {"feature_extractor_type", {json::array()}},
      {"size",
       {0,
        -1,
        2.5,
        "224",
        true,
        json::array({1, 2, 3}),
        json::object(),
        {{"width", 3}},
        {{"height", 3}},
        {{"shortest_edge", 0}},
        {{"shortest_edge", {3, 4}}},
        {{"longest_edge", 30}},
        {{"shortest_edge", 3}, {"longest_edge", 30}},
        {{"height", 3}, {"width", 0}},
        {{"height", 3}, {"width", 4}, {"depth", 5}},
        {{"max_height", 3}, {"max_width", 4}}}},
      {"crop_size", {0, "x", {{"shortest_edge", 3}}, {{"height", 3}}}},
      {"default_to_square", {1}},
      {"resample", {4, 5, 6, -1, "bicubic", 2.5}},
      {"do_resize", {"yes"}},
      {"do_center_crop", {1}},
      {"do_rescale", {0}},
      {"do_normalize", {"no"}},
      {"rescale_factor", {0, -1, 1e300, 1e-300, "1/255"}},
      {"image_mean",
       {"x", json::array(), {0.5, 0.5}, {0.5, 0.5, 0.5, 0.5}, {0.5, 0.5, "x"}, {1e300, 0, 0}}},
      {"image_std", {{0.5, 0, 0.5}, {0.5, -1, 0.5}, json::array({0}), 0}}};
  for (const auto& [key, values] : wrong) {
    for (const json& value : values) problem(key, value);
  }
  EXPECT_THAT(problem("resample", 4), HasSubstr("is 4 (box); 0 to 3"));
  EXPECT_THAT(problem("resample", 5), HasSubstr("is 5 (hamming); 0 to 3"));
  EXPECT_THAT(problem("rescale_factor", 0), HasSubstr("is 0, a positive number"));
  EXPECT_THAT(problem("image_processor_type", "Siglip2ImageProcessor"), HasSubstr("NaFlex"));
  EXPECT_THAT(errorMessage([] {
                huggingFace({{"resample", 1}}, "dinov3_vit");
              }),
              HasSubstr("resample is 1 (lanczos)"));
}

TEST(HuggingFacePreprocessing, WhatIsNotKnownIsTold) {
  EXPECT_THAT(
      huggingFace({{"size", 48}, {"do_pad", true}, {"do_shine", false}, {"pad_size", {}}}).notes,
      testing::ElementsAre(HasSubstr("do_pad in preprocessor_config.json is not known")));
  EXPECT_THAT(huggingFace({{"image_processor_type", "ConvNextImageProcessor"}}, "beit").notes,
              Contains(AllOf(HasSubstr("'ConvNextImageProcessor'"), HasSubstr("BeitImage"))));
  const PreprocessingConfig cropped = huggingFace({{"size", 48}, {"crop_size", 32}});
  EXPECT_EQ(cropped.crop->width, 32);
  EXPECT_THAT(cropped.notes, Contains(HasSubstr("cropped")));
  // A ViT's processor has no crop of its own.
  const json named{{"image_processor_type", "ViTImageProcessor"}, {"size", 48}, {"crop_size", 32}};
  EXPECT_EQ(huggingFace(named).crop->width, 48);
}

TEST(HuggingFacePreprocessing, OneNumberIsEveryChannels) {
  for (const json& value : {json(0.25), json::array({0.25})}) {
    const PreprocessingConfig read = huggingFace({{"image_mean", value}, {"image_std", value}});
    EXPECT_EQ(read.mean, (std::array<float, 3>{0.25F, 0.25F, 0.25F}));
    EXPECT_EQ(read.std, read.mean);
  }
}

// What transformers 5 does; 4 ignores do_center_crop in these classes.
TEST(HuggingFacePreprocessing, CropsOnlyToASizeThatIsKnown) {
  const json crops{{"size", 48}, {"do_center_crop", true}};
  EXPECT_THAT(errorMessage([&] { huggingFace(crops, "vit"); }),
              HasSubstr("do_center_crop is true, but there is no crop_size"));
  EXPECT_EQ(huggingFace(crops, "beit").crop->width, 224);
}

TEST(HuggingFacePreprocessing, WithoutASizeTheClassesOwnWhereTheNetworkTakesIt) {
  const json fields{{"do_rescale", true}};
  EXPECT_EQ(huggingFace(fields, "dinov2").crop->height, 224);
  EXPECT_EQ(huggingFace(fields, "dinov3_vit").crop->height, 224);
  const PreprocessingConfig fixed = huggingFace(fields, "vit");
  EXPECT_FALSE(fixed.crop);
  EXPECT_THAT(fixed.notes, Contains(HasSubstr("names no size")));
}

// ---- open_clip ----

PreprocessingConfig openClip(const json& fields) {
  return readOpenClipPreprocessing({&fields, "open_clip_config.json", "preprocess_cfg."});
}

TEST(OpenClipPreprocessing, DefaultsAndNotSquare) {
  const Preprocessing square = preprocessingFor(openClip(json::object()), {224, 224});
  EXPECT_EQ(square.resize, Resize::kShorterSide);
  EXPECT_EQ(square.interpolation, Interpolation::kBicubic);
  EXPECT_FLOAT_EQ(square.mean[0], 0.48145466F);
  EXPECT_FLOAT_EQ(square.std[2], 0.27577711F);
  EXPECT_EQ(square.resize_height, 224);

  const json bilinear{{"interpolation", "bilinear"}};
  EXPECT_EQ(preprocessingFor(openClip(bilinear), {32, 32}).interpolation, Interpolation::kBilinear);
  const Preprocessing wide = preprocessingFor(openClip(bilinear), {30, 50});
  EXPECT_EQ(wide.interpolation, Interpolation::kBicubic);
  // min(61 / 30, 97 / 50) = 1.94: 61 / 1.94 = 31.4, rounded 31; (31 - 30) / 2 = 0.5, even 0.
  const Rectangle crop = prepareImage(test::pattern(97, 61), wide).crop;
  EXPECT_NEAR(crop.x, 0, 1e-9);
  EXPECT_NEAR(crop.y, 0, 1e-9);
  EXPECT_NEAR(crop.height, 30 * 61.0 / 31, 1e-9);
}

TEST(OpenClipPreprocessing, LongestPadsWithItsFillColor) {
  const json longest{{"resize_mode", "longest"}, {"mean", {0.5, 0.5, 0.5}}};
  const auto corner = [](const json& fields) {
    return test::colorAt(
        prepareImage(test::pattern(40, 20), preprocessingFor(openClip(fields), {41, 41})).view, 0,
        0);
  };
  EXPECT_EQ(corner(longest), (test::Color{0, 0, 0}));
  json grey = longest;
  grey["fill_color"] = 128;
  EXPECT_EQ(corner(grey), (test::Color{128, 128, 128}));
  // 40 x 20 to 41 x 20 (20.5 to even): 10 rows above, 11 below.
  const Rectangle crop =
      prepareImage(test::pattern(40, 20), preprocessingFor(openClip(longest), {41, 41})).crop;
  EXPECT_NEAR(crop.y, -10, 1e-9);
}

TEST(OpenClipPreprocessing, EveryFieldIsCheckedByName) {
  const std::vector<std::pair<const char*, std::vector<json>>> wrong{
      {"mean", {{0.5, 0.5}, "x", true}},
      {"std", {{0.5, 0, 0.5}, {0.5, 0.5}}},
      {"interpolation", {"nearest", "lanczos", "", 3}},
      {"resize_mode", {"center", "", false}},
      {"mode", {"L", 1}},
      {"fill_color", {256, -1, "black"}}};
  for (const auto& [key, values] : wrong) {
    for (const json& value : values) {
      EXPECT_THAT(errorMessage([&, k = key] {
                    openClip({{k, value}});
                  }),
                  AllOf(HasSubstr("open_clip_config.json: preprocess_cfg."), HasSubstr(key)));
    }
  }
  EXPECT_THAT(openClip({{"interpolation", "random"}}).notes, Contains(HasSubstr("bicubic")));
  EXPECT_THAT(openClip({{"shine", 3}, {"size", 224}}).notes,
              testing::ElementsAre(HasSubstr("preprocess_cfg.shine")));
}

TEST(PublishedPreprocessing, IsOfTheNetworksInputSize) {
  for (const Publisher publisher :
       {Publisher::kOpenAiClip, Publisher::kMetaDinov2, Publisher::kMetaDinov3,
        Publisher::kMetaDinov3Satellite, Publisher::kFairMae}) {
    const PreprocessingConfig config = publishedPreprocessing(publisher);
    EXPECT_EQ(preprocessingFor(config, {518, 518}).resize_width, 518);
    EXPECT_THAT(config.notes, Contains(HasSubstr("There is no config")));
  }
  EXPECT_FLOAT_EQ(publishedPreprocessing(Publisher::kMetaDinov3Satellite).mean[2], 0.296F);
}

}  // namespace
}  // namespace adamerge
