// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "error_message.h"
#include "measured_images.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DatasetTest : public testing::Test {
 protected:
  static ModelInfo modelOf(const std::vector<std::string>& labels) {
    ModelInfo model;
    model.name = "a-model";
    model.labels = labels;
    model.vit.classes = static_cast<int>(labels.size());
    return model;
  }
  /// One tiny image in each of `folders`.
  void makeFolders(const std::vector<std::string>& folders) const {
    for (const std::string& name : folders) {
      test::writeBytes(root_ / name / "image.ppm", std::string("P6 1 1 255\n") + "abc");
    }
  }
  std::vector<int> labels(const Dataset& set) const {
    std::vector<int> list;
    for (std::size_t i = 0; i < set.size(); ++i) list.push_back(set.label(i));
    return list;
  }
  std::string problem(const DatasetOptions& options = {}) const {
    return test::errorMessage([&] { Dataset::open(root_, model_, options); });
  }

  test::TemporaryFolder folder_;
  fs::path root_ = folder_.path() / "set";
  ModelInfo model_ = modelOf({"tench, Tinca tinca", "great white shark", "hot-dog"});
};

TEST_F(DatasetTest, MatchesFoldersByNameWhateverCaseAndUnderscores) {
  makeFolders({"Great_White-Shark", "HOT DOG", "tench"});
  const Dataset set = Dataset::open(root_ / "", model_);
  EXPECT_TRUE(set.labelled());
  EXPECT_EQ(set.name(), root_.string());
  EXPECT_THAT(labels(set), ElementsAre(1, 2, 0));
  EXPECT_EQ(set.imageName(0), "Great_White-Shark/image.ppm");
  EXPECT_THAT(set.load(0).pixels, ElementsAre('a', 'b', 'c'));
  EXPECT_THAT(set.notes(), IsEmpty());
}

TEST_F(DatasetTest, MatchesByNumberOrByOrderWithANote) {
  makeFolders({"0", "2"});
  const Dataset numbered = Dataset::open(root_, model_);
  EXPECT_THAT(labels(numbered), ElementsAre(0, 2));
  EXPECT_THAT(numbered.notes(), ElementsAre(HasSubstr("class indices")));

  root_ = folder_.path() / "ordered";
  makeFolders({"n01440764", "n01484850", "n07697537"});
  const Dataset ordered = Dataset::open(root_, model_);
  EXPECT_THAT(labels(ordered), ElementsAre(0, 1, 2));
  EXPECT_THAT(ordered.notes(), ElementsAre(HasSubstr("matched by order")));
}

TEST_F(DatasetTest, OrderOfTextThatIsNoOrderOfNumberSaysNothing) {
  makeFolders({"class_2", "class_10", "class_9"});
  EXPECT_THAT(problem(), testing::AllOf(HasSubstr("'class_10' stands before 'class_2'"),
                                        HasSubstr("--labels FILE")));
  root_ = folder_.path() / "padded";
  makeFolders({"class_02", "class_10", "class_09"});
  EXPECT_THAT(labels(Dataset::open(root_, model_)), ElementsAre(0, 1, 2));
  root_ = folder_.path() / "from-one";
  makeFolders({"8", "9", "10"});
  EXPECT_THAT(problem(), HasSubstr("'10' stands before '8'"));
}

TEST_F(DatasetTest, FoldersOfSystemsAreNoClasses) {
  makeFolders({"tench", "hot dog", "__MACOSX", "$RECYCLE.BIN", "System Volume Information",
               "lost+found", "@eaDir", ".git", "tench/@eaDir"});
  EXPECT_THAT(labels(Dataset::open(root_, model_)), ElementsAre(2, 0));
}

TEST_F(DatasetTest, NamesClassesTheModelDoesNotKnow) {
  makeFolders({"tench", "unicorn", "yeti"});
  EXPECT_THAT(problem(), testing::AllOf(HasSubstr("2 of the 3 classes here: unicorn, yeti"),
                                        HasSubstr("hot-dog"), HasSubstr("--labels")));
}

TEST_F(DatasetTest, WordsThatTheModelDoesNotKnowAreNotMatchedByOrder) {
  makeFolders({"lion", "unicorn", "yeti"});
  EXPECT_THAT(problem(), HasSubstr("does not know 3 of the 3 classes here: lion, unicorn, yeti"));
  model_ = modelOf({"class 0", "class 1", "class 2"});
  EXPECT_THAT(labels(Dataset::open(root_, model_)), ElementsAre(0, 1, 2));
}

TEST_F(DatasetTest, MatchesNamesOfMacOS) {
  // "Baer" and "Loewe" with their umlauts as one character and as letter and mark.
  const std::string bear = "B\u00e4r";
  const std::string bear_of_mac = "Ba\u0308r";
  const std::string lion_of_mac = "Lo\u0308we";
  model_ = modelOf({"L\u00f6we", bear});
  makeFolders({bear_of_mac, lion_of_mac});
  const Dataset set = Dataset::open(root_, model_);
  EXPECT_THAT(labels(set), ElementsAre(1, 0));
  EXPECT_THAT(set.notes(), IsEmpty());

  const fs::path file = folder_.path() / "labels.csv";
  test::writeBytes(file, bear + ",0\nL\u00f6we,1\n");
  EXPECT_THAT(labels(Dataset::open(root_, model_, {.labels = file})), ElementsAre(0, 1));
  test::writeBytes(file, bear + ",\n");
  EXPECT_THAT(problem({.labels = file}), HasSubstr("line 1 names no class for 'B\u00e4r'"));
}

TEST_F(DatasetTest, RefusesWhatHasNoClasses) {
  EXPECT_THAT(problem(), HasSubstr("there is no such file or folder"));
  fs::create_directories(root_ / "tench");
  EXPECT_THAT(problem(), HasSubstr("the folder holds no image"));
  makeFolders({"tench"});
  EXPECT_THAT(problem(), HasSubstr("only one sub-folder, tench, holds images"));
  fs::rename(root_ / "tench" / "image.ppm", root_ / "image.ppm");
  EXPECT_THAT(problem(), HasSubstr("no sub-folders"));
  root_ /= "image.ppm";
  EXPECT_THAT(problem(), HasSubstr("this is a file"));
  model_ = modelOf({});
  EXPECT_THAT(problem(), HasSubstr("no classifier"));
}

TEST_F(DatasetTest, KnowsTheClassesOfAFolder) {
  makeFolders({"shark", "dog/small", "dog/large"});
  EXPECT_THAT(datasetClasses(root_ / ""), ElementsAre("dog", "shark"));
  fs::remove_all(root_ / "dog");
  EXPECT_THAT(test::errorMessage([&] { datasetClasses(root_ / ""); }),
              testing::AllOf(HasSubstr("set: only one sub-folder, shark, holds images"),
                             HasSubstr("at least two classes")));
  const fs::path image = root_ / "shark" / "image.ppm";
  for (const fs::path& path : {image, root_ / "shark"}) {
    EXPECT_THAT(test::errorMessage([&] { datasetClasses(path); }),
                HasSubstr("no sub-folder holds an image"));
  }
}

TEST_F(DatasetTest, ReadsAMappingFile) {
  makeFolders({"n1", "n 2", "n3"});
  const fs::path file = folder_.path() / "labels.txt";
  test::writeBytes(file,
                   "# ImageNet\r\nn1 tench, Tinca tinca\r\nn 2,2\n\nn3\tGreat white shark\n"
                   "n4 0\n");
  EXPECT_THAT(labels(Dataset::open(root_, model_, {.labels = file})), ElementsAre(2, 0, 1))
      << "sorted: 'n 2', n1, n3";

  test::writeBytes(file, "n1 0\nn 2\tunicorn\n");
  EXPECT_THAT(problem({.labels = file}),
              testing::AllOf(HasSubstr("labels.txt: line 2"), HasSubstr("unicorn")));
  test::writeBytes(file, "n1 0\nn 2 3\n");
  EXPECT_THAT(problem({.labels = file}), HasSubstr("an index from 0 to 2"));
  test::writeBytes(file, "n1\n");
  EXPECT_THAT(problem({.labels = file}), HasSubstr("line 1 holds 'n1'"));
  test::writeBytes(file, "n1 0\n");
  EXPECT_THAT(problem({.labels = file}), HasSubstr("2 of the 3 classes"));
  EXPECT_THAT(problem({.labels = folder_.path() / "none"}), HasSubstr("none: "));
}

TEST_F(DatasetTest, ReadsMappingFilesOfOtherSystems) {
  makeFolders({"n1", "n,2", "n 3"});
  const fs::path file = folder_.path() / "labels.csv";
  const auto read = [&](const std::string& bytes) {
    test::writeBytes(file, bytes);
    return labels(Dataset::open(root_, model_, {.labels = file}));
  };
  const auto expected = ElementsAre(1, 2, 0);  // sorted: 'n 3', 'n,2', n1
  EXPECT_THAT(read("\xEF\xBB\xBFn1,tench\r\n\"n,2\",hot-dog\r\nn 3,1\r\n"), expected) << "mark";
  EXPECT_THAT(read("folder;class\nn1;tench;\n\"n,2\";hot dog;\nn 3;great white shark;\n"),
              expected);
  EXPECT_THAT(read("sep=;\nn1;0\nn,2;2\nn 3;1\n"), expected) << "Excel's own first line";
  EXPECT_THAT(read("\"n1\",\"tench, Tinca tinca\"\n\"n,2\",\"hot-dog\"\n\"n 3\",\"1\"\n"),
              expected);
  std::string utf16 = "\xFF\xFE";
  for (const char c : std::string("n1\t0\r\nn,2\t2\r\nn 3\t1\r\n")) utf16 += {c, '\0'};
  EXPECT_THAT(read(utf16), expected);
  EXPECT_THAT(read("n1,0\rn,2\t2\rn 3,1\r"), expected) << "lines end in CR alone";
  EXPECT_THAT(read("\u00A0n1,\u00A00\nn,2\t2\u200B\nn 3,1\v\n"), expected) << "blanks";
  EXPECT_THAT(read("n1,0\nn,2\t2\nn 3,1\nn1,tench\n"), expected) << "the same twice";
  test::writeBytes(file, "n1,0\nn,2\t2\nn 3,1\nn1,hot-dog\n");
  EXPECT_THAT(problem({.labels = file}),
              HasSubstr("'n1' is class 0 by line 1 and class 2 by line 4"));
  test::writeBytes(file, std::string("n1,0\nn,2\t2\0\nn 3,1\n", 19));
  EXPECT_THAT(problem({.labels = file}), HasSubstr("holds bytes of value 0"));
  test::writeBytes(file, "n1,B\xE4r\n");
  EXPECT_THAT(problem({.labels = file}), testing::AllOf(HasSubstr("'B?r'"), HasSubstr("no UTF-8")));
  test::writeBytes(file, "\"n1,0\n");
  EXPECT_THAT(problem({.labels = file}), HasSubstr("line 1 has a quote without its end"));
  test::writeBytes(file, "n1,0\nB\xE4r,1\n");
  EXPECT_THAT(problem({.labels = file}), HasSubstr("no UTF-8"));
}

TEST_F(DatasetTest, EqualNamesAreMatchedByTheOrderOfTheirLinesOrRefused) {
  model_ = modelOf({"tench, Tinca tinca", "crane", "goldfish", "crane"});
  makeFolders({"n0", "n1", "n2"});
  const fs::path file = folder_.path() / "LOC_synset_mapping.txt";
  test::writeBytes(file, "n0 tench, Tinca tinca\nn1 crane\nn9 goldfish\nn2 crane\n");
  const Dataset set = Dataset::open(root_, model_, {.labels = file});
  EXPECT_THAT(labels(set), ElementsAre(0, 1, 3));
  EXPECT_THAT(set.notes(), ElementsAre(HasSubstr("'n1' is 1, by the order of the lines"),
                                       HasSubstr("'n2' is 3, by the order of the lines")));
  // One of the two says nothing of the order.
  test::writeBytes(file, "n0 tench\nn1 crane\nn2 goldfish\n");
  EXPECT_THAT(problem({.labels = file}),
              HasSubstr("line 2: 'crane' is ambiguous, a-model has it as classes 1 and 3"));

  root_ = folder_.path() / "by-name";
  makeFolders({"crane", "tench"});
  EXPECT_THAT(problem(), testing::AllOf(HasSubstr("'crane' is ambiguous"),
                                        HasSubstr("classes 1 and 3"), HasSubstr("--labels")));
}

TEST_F(DatasetTest, MatchesByTheCodeBehindALabel) {
  model_ = modelOf({"tench, Tinca tinca (n01440764)", "springer (n02102040)", "n07697537"});
  makeFolders({"n01440764", "n02102040", "n07697537"});
  EXPECT_THAT(labels(Dataset::open(root_, model_)), ElementsAre(0, 1, 2));
  root_ = folder_.path() / "by-name";
  makeFolders({"Tinca tinca", "springer"});
  EXPECT_THAT(labels(Dataset::open(root_, model_)), ElementsAre(0, 1));
  // Of labels with and without, the brackets are part of a name.
  model_ = modelOf({"crane (bird)", "great tit"});
  root_ = folder_.path() / "birds";
  makeFolders({"bird", "great tit"});
  EXPECT_THAT(problem(), HasSubstr("does not know 1 of the 2"));
}

TEST_F(DatasetTest, TakesImagesAtAnyDepthWithoutLabels) {
  makeFolders({"a/b/c", "unicorn"});
  const Dataset set = Dataset::open(root_, model_, {.unlabelled = true});
  EXPECT_FALSE(set.labelled());
  EXPECT_THAT(labels(set), ElementsAre(-1, -1));
  EXPECT_EQ(set.imageName(0), "a/b/c/image.ppm");
}

TEST_F(DatasetTest, DrawsTheSameSampleForTheSameSeedInOrder) {
  std::vector<std::string> folders;
  for (int i = 100; i < 150; ++i) folders.push_back("tench/" + std::to_string(i));
  folders.emplace_back("hot dog");
  makeFolders(folders);
  const Dataset set = Dataset::open(root_, model_);
  const Dataset first = set.sample(10, 1);
  EXPECT_EQ(first.size(), 10U);
  EXPECT_EQ(first.fingerprint(), set.sample(10, 1).fingerprint());
  EXPECT_NE(first.fingerprint(), set.sample(10, 2).fingerprint());
  for (std::size_t i = 1; i < first.size(); ++i) {
    EXPECT_LT(first.imageName(i - 1), first.imageName(i));
  }
  EXPECT_THAT(first.name(), HasSubstr("10 images drawn with seed 1"));
  EXPECT_EQ(set.sample(0, 1).size(), set.size());
  EXPECT_EQ(set.sample(1000, 1).fingerprint(), set.fingerprint());
}

TEST_F(DatasetTest, ShufflesAllImagesAlwaysAlike) {
  std::vector<std::string> folders;
  for (int i = 100; i < 150; ++i) folders.push_back("tench/" + std::to_string(i));
  for (int i = 100; i < 150; ++i) folders.push_back("hot dog/" + std::to_string(i));
  makeFolders(folders);
  const Dataset set = Dataset::open(root_, model_);
  const Dataset shuffled = set.shuffled();
  EXPECT_EQ(shuffled.fingerprint(), set.shuffled().fingerprint());
  std::multiset<std::string> before;
  std::multiset<std::string> after;
  int first_half = 0;
  for (std::size_t i = 0; i < set.size(); ++i) {
    before.insert(set.imageName(i));
    after.insert(shuffled.imageName(i));
    EXPECT_EQ(shuffled.label(i) == 0, shuffled.imageName(i).starts_with("tench"));
    if (i < 50 && shuffled.label(i) == 0) ++first_half;
  }
  EXPECT_EQ(after, before);
  EXPECT_NEAR(first_half, 25, 12) << "neither class comes first";
}

class CifarTest : public testing::Test {
 protected:
  static const ModelInfo& model() { return test::bundledEngine().info(); }
  std::string problem() const {
    return test::errorMessage([&] { Dataset::open(folder_.path(), model()); });
  }
  test::TemporaryFolder folder_;
};

TEST_F(CifarTest, ReadsPlanesAndLabels) {
  test::writeCifarBatch(folder_.path() / "data_batch_1.bin", {9, 0, 3});
  test::writeCifarBatch(folder_.path() / "data_batch_2.bin", {1});
  const Dataset set = Dataset::open(folder_.path(), model());
  ASSERT_EQ(set.size(), 4U);
  EXPECT_EQ(set.label(0), 9);
  EXPECT_EQ(set.label(3), 1);
  EXPECT_EQ(set.imageName(2), "data_batch_1.bin, image 3");
  EXPECT_EQ(set.load(2).pixels, test::patternPixels(2));
  EXPECT_EQ(set.load(3).pixels, test::patternPixels(0));
  EXPECT_THAT(set.notes(), ElementsAre(HasSubstr("CIFAR-10's names are assumed")));

  test::writeCifarBatch(folder_.path() / "test_batch.bin", {5, 6});
  const Dataset test_part = Dataset::open(folder_.path(), model());
  EXPECT_EQ(test_part.size(), 2U);
  EXPECT_THAT(test_part.notes(), testing::Contains(HasSubstr("test_batch.bin is used")));
  EXPECT_EQ(Dataset::open(folder_.path() / "data_batch_1.bin", model()).size(), 3U);

  const Dataset training = Dataset::open(folder_.path(), model(), {.training = true});
  EXPECT_EQ(training.size(), 4U);
  EXPECT_THAT(training.notes(), testing::Contains(HasSubstr("the training batches are used")));
}

TEST_F(CifarTest, TakesTheTestBatchForTrainingWhereThereIsNoOther) {
  test::writeCifarBatch(folder_.path() / "test_batch.bin", {5, 6});
  EXPECT_EQ(Dataset::open(folder_.path(), model(), {.training = true}).size(), 2U);
}

TEST_F(CifarTest, KnowsItsClasses) {
  test::writeCifarBatch(folder_.path() / "data_batch_1.bin", {9, 0, 3});
  EXPECT_EQ(datasetClasses(folder_.path()), model().labels);
  EXPECT_EQ(datasetClasses(folder_.path() / "data_batch_1.bin"), model().labels);
}

TEST_F(CifarTest, MatchesTheNamesOfTheMetaFile) {
  test::writeCifarBatch(folder_.path() / "test_batch.bin", {0, 1});
  test::writeBytes(folder_.path() / "batches.meta.txt",
                   "truck\nship\nhorse\nfrog\ndog\ndeer\ncat\nbird\nautomobile\nairplane\n\n");
  const Dataset set = Dataset::open(folder_.path(), model());
  EXPECT_EQ(set.label(0), 9);
  EXPECT_EQ(set.label(1), 8);
  test::writeBytes(folder_.path() / "batches.meta.txt", "truck\nship\n");
  EXPECT_THAT(problem(), HasSubstr("names 2 classes"));
}

TEST_F(CifarTest, RefusesCutAndForeignFiles) {
  const fs::path file = folder_.path() / "test_batch.bin";
  test::writeCifarBatch(file, {0, 1});
  fs::resize_file(file, fs::file_size(file) - 1);
  EXPECT_THAT(problem(), HasSubstr("test_batch.bin: not CIFAR-10's binary format, or cut off"));
  fs::resize_file(file, 0);
  EXPECT_THAT(problem(), HasSubstr("0 bytes"));
  test::writeCifarBatch(file, {0, 10});
  EXPECT_THAT(problem(), HasSubstr("image 2 has the label 10"));
  test::writeCifarBatch(file, {4, 4});
  EXPECT_THAT(problem(), HasSubstr("all images are of one class, deer"));
}

TEST(ImageSources, LeaveOutTheSameImagesAndTellOfEachOnce) {
  const test::TemporaryFolder folder;
  test::makeClassFolders(folder.path());
  test::writeBytes(folder.path() / "bird" / "bad.png", "no picture");
  const ModelInfo& model = test::bundledEngine().info();
  const Dataset set = Dataset::open(folder.path(), model, {.unlabelled = true});
  std::vector<std::string> problems;
  ImageSource images(set, model.preprocessing,
                     [&](const std::string& problem) { problems.push_back(problem); });
  EXPECT_EQ(images.size(), set.size());
  const std::vector<InputTensor> all = images.readAll();
  EXPECT_EQ(all.size(), set.size() - 1);
  EXPECT_EQ(images.skipped(), 1U);
  std::vector<InputTensor> parts;
  for (std::size_t first = 0; first < images.size(); first += 5) {
    for (InputTensor& input : images.read(first, 5)) parts.push_back(std::move(input));
  }
  ASSERT_EQ(parts.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(parts[i].values, all[i].values) << i;
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_THAT(problems[0], testing::HasSubstr("bad.png"));
  EXPECT_THAT(images.read(images.size(), 4), testing::IsEmpty());
  EXPECT_THAT(images.read(images.size() - 1, static_cast<std::size_t>(-1)), testing::SizeIs(1));

  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(images.read(0, 1, stop.get_token()), Cancelled);
}

TEST(ImageSources, TellOfFilesThatHoldMoreTheFirstByName) {
  const test::TemporaryFolder folder;
  std::ifstream sample(fs::path(ADAMERGE_MODELS) / "../resources/samples/bird.png",
                       std::ios::binary);
  std::string animated{std::istreambuf_iterator<char>(sample), {}};
  constexpr std::size_t kAfterHeader = 33;
  animated.insert(kAfterHeader, std::string("\0\0\0\x08"
                                            "acTL\0\0\0\x02\0\0\0\0\0\0\0\0",
                                            20));
  for (const char* name : {"a.png", "b.png", "c.png", "d.png", "e.png"}) {
    test::writeBytes(folder.path() / name, animated);
  }
  const ModelInfo& model = test::bundledEngine().info();
  const Dataset set = Dataset::open(folder.path(), model, {.unlabelled = true});
  std::vector<std::string> notes;
  ImageSource images(set, model.preprocessing, {},
                     [&](const std::string& note) { notes.push_back(note); });
  for (int pass = 0; pass < 2; ++pass) EXPECT_EQ(images.readAll().size(), 5U);
  EXPECT_THAT(notes, testing::ElementsAre(
                         "a.png: is an animation of 2 pictures, of which the first is read",
                         "b.png: is an animation of 2 pictures, of which the first is read",
                         "c.png: is an animation of 2 pictures, of which the first is read",
                         "more images are like these"));
  const Evaluation evaluation = evaluate(test::bundledEngine(), set, {}, {.batch = 2});
  EXPECT_EQ(evaluation.image_notes.size(), 4U);
  EXPECT_EQ(evaluation.image_notes.back(), notes.back());
  EXPECT_THAT(evaluationJson(evaluation, "c"), testing::HasSubstr("more images are like these"));
}

TEST(ImageSources, OfBinaryFilesAndOfNothingReadable) {
  const test::TemporaryFolder folder;
  test::writeCifarBatch(folder.path() / "data_batch_1.bin", {1, 2, 3});
  const ModelInfo& model = test::bundledEngine().info();
  ImageSource images(Dataset::open(folder.path(), model, {.unlabelled = true, .training = true}),
                     model.preprocessing);
  EXPECT_EQ(images.readAll().size(), 3U);

  test::writeBytes(folder.path() / "bad" / "bad.png", "no picture");
  ImageSource bad(Dataset::open(folder.path() / "bad", model, {.unlabelled = true}),
                  model.preprocessing);
  EXPECT_THAT(test::errorMessage([&] { bad.readAll(); }),
              testing::AllOf(testing::HasSubstr("bad: "), testing::HasSubstr("no image")));
}

}  // namespace
}  // namespace adamerge
