// SPDX-License-Identifier: GPL-3.0-or-later
// Figures carry what they were made with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "adamerge/report.h"
#include "pdf_keywords.h"
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

TEST_F(FigureMetadata, ComesBackFromAPdf) {
  const std::string text = test::pdfKeywords(write(FigureFormat::kPdf));
  EXPECT_EQ(text, input_.provenance);
  const Provenance provenance = parseProvenance(text).at(0);
  EXPECT_EQ(provenance.model, "a \"small\" <model> (v1)");
  EXPECT_EQ(provenance.model_source, "/models/größe & co\\x");
}

TEST_F(FigureMetadata, IsWhereOtherProgramsLookForIt) {
  const std::string png = test::fileText(write(FigureFormat::kPng));
  const std::string chunk = std::string("iTXtAdaMerge\0\0\0\0\0", 17) + input_.provenance;
  EXPECT_NE(png.find(chunk), std::string::npos);
  EXPECT_FALSE(cv::imread((folder_.path() / "figure").string()).empty());
  const std::string svg = test::fileText(write(FigureFormat::kSvg));
  EXPECT_THAT(svg, HasSubstr("<metadata id=\"adamerge\">{\"format\":1,\"program\":"));
  EXPECT_THAT(svg, HasSubstr("&lt;model&gt;"));
  const fs::path path = write(FigureFormat::kPdf);
  const std::string pdf = test::fileText(path);
  for (const char* entry : {"/Title (sample.png)", "/Creator (AdaMerge Studio)", "/Keywords "}) {
    EXPECT_NE(pdf.find(entry), std::string::npos) << entry;
  }
  EXPECT_EQ(test::pdfKeywords(path), input_.provenance);
}

TEST_F(FigureMetadata, IsLeftOutWhereThereIsNone) {
  input_.provenance.clear();
  for (const FigureFormat format : {FigureFormat::kPng, FigureFormat::kSvg, FigureFormat::kPdf}) {
    const fs::path path = write(format);
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
  writeComparison("groups", inputs, {}, FigureFormat::kPdf, path);
  const std::vector<Provenance> list = parseProvenance(test::pdfKeywords(path));
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].choice.method, "tome");
  EXPECT_EQ(list[1].choice.method, "none");
}

}  // namespace
}  // namespace adamerge
