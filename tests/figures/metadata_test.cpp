// SPDX-License-Identifier: GPL-3.0-or-later
// Figures carry what they were made with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <opencv2/imgcodecs.hpp>

#include "adamerge/error.h"
#include "adamerge/provenance.h"
#include "sample_figure.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FigureMetadata : public testing::Test {
 protected:
  FigureMetadata() {
    ModelInfo model;
    model.name = "a \"small\" <model> (v1)";
    model.source = "/models/größe & co\\x";
    input_.provenance = provenanceJson(model, "cpu", "float32", "photo.jpg",
                                       {"tome", {{"r", std::int64_t{5}}}, nullptr, false}, 2);
  }

  fs::path write(FigureFormat format) {
    fs::path path = folder_.path() / "figure";
    writeFigure("groups", input_, {}, format, path);
    return path;
  }

  test::TemporaryFolder folder_;
  FigureInput input_ = test::sampleInput();
};

TEST_F(FigureMetadata, ComesBackFromEveryFormat) {
  for (const FigureFormat format : {FigureFormat::kPng, FigureFormat::kSvg, FigureFormat::kPdf}) {
    const std::string text = readProvenance(write(format));
    EXPECT_EQ(text, input_.provenance) << static_cast<int>(format);
    const Provenance provenance = parseProvenance(text).at(0);
    EXPECT_EQ(provenance.model, "a \"small\" <model> (v1)");
    EXPECT_EQ(provenance.model_source, "/models/größe & co\\x");
  }
}

TEST_F(FigureMetadata, IsWhereOtherProgramsLookForIt) {
  const std::string png = test::fileText(write(FigureFormat::kPng));
  const std::string chunk = std::string("iTXtAdaMerge\0\0\0\0\0", 17) + input_.provenance;
  EXPECT_NE(png.find(chunk), std::string::npos);
  EXPECT_FALSE(cv::imread((folder_.path() / "figure").string()).empty());
  const std::string svg = test::fileText(write(FigureFormat::kSvg));
  EXPECT_THAT(svg, HasSubstr("<metadata id=\"adamerge\">{\"format\":1,\"program\":"));
  EXPECT_THAT(svg, HasSubstr("&lt;model&gt;"));
  const std::string pdf = test::fileText(write(FigureFormat::kPdf));
  for (const char* entry :
       {"/Title (sample.png)", "/Creator (AdaMerge Studio)", "/Keywords <FEFF"}) {
    EXPECT_NE(pdf.find(entry), std::string::npos) << entry;
  }
}

TEST_F(FigureMetadata, IsLeftOutWhereThereIsNone) {
  input_.provenance.clear();
  for (const FigureFormat format : {FigureFormat::kPng, FigureFormat::kSvg, FigureFormat::kPdf}) {
    const fs::path path = write(format);
    EXPECT_EQ(readProvenance(path), "");
    for (const char* mark : {"iTXt", "<metadata", "/Keywords"}) {
      EXPECT_EQ(test::fileText(path).find(mark), std::string::npos) << mark;
    }
  }
}

TEST_F(FigureMetadata, OfAComparisonNamesEveryRun) {
  FigureInput other = input_;
  other.provenance =
      provenanceJson({}, "cpu", "float32", "photo.jpg", {"none", {}, nullptr, false}, 2);
  const std::vector<FigureInput> inputs{input_, other};
  const fs::path path = folder_.path() / "comparison";
  for (const FigureFormat format : {FigureFormat::kPng, FigureFormat::kSvg, FigureFormat::kPdf}) {
    writeComparison("groups", inputs, {}, format, path);
    const std::vector<Provenance> list = parseProvenance(readProvenance(path));
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].choice.method, "tome");
    EXPECT_EQ(list[1].choice.method, "none");
  }
}

TEST_F(FigureMetadata, BrokenOrForeignFilesHaveNone) {
  const std::string png = test::fileText(write(FigureFormat::kPng));
  const fs::path path = folder_.path() / "broken";
  const auto readAs = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    return readProvenance(path);
  };
  for (std::size_t size = 0; size < png.size(); size += 7) {
    const std::string text = readAs(png.substr(0, size));
    EXPECT_TRUE(text.empty() || text == input_.provenance) << size;
  }
  EXPECT_EQ(readAs("%PDF-1.5\n/Keywords (never ends"), "never ends");
  EXPECT_EQ(readAs("%PDF-1.5\n/Keywords (a\\"), "a\\");
  EXPECT_EQ(readAs("%PDF-1.5\n/Keywords <FEFF00610062>"), "ab");
  EXPECT_EQ(readAs("%PDF-1.5\n/Keywords <FEFF0061006"), "a");
  EXPECT_EQ(readAs("%PDF-1.5\n/Keywords <FEFF00zz>"), "");
  EXPECT_EQ(readAs("%PDF-1.5\n/Keywords 12"), "");
  EXPECT_EQ(readAs("<svg><metadata id=\"other\">x</metadata></svg>"), "");
  EXPECT_EQ(readAs("plain text"), "");
  EXPECT_THROW(readProvenance(folder_.path() / "missing"), Error);
}

}  // namespace
}  // namespace adamerge
