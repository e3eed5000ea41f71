// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint_writer.h"
#include "error_message.h"

namespace adamerge {
namespace {

using test::errorMessage;
using test::Pickle;
using ::testing::HasSubstr;

pickle::Document parse(const std::string& bytes) {
  return pickle::parse({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()},
                       "some.pth");
}

std::string errorFor(const std::string& body) {
  const std::string message = errorMessage([&] { parse("\x80\x02" + body); });
  EXPECT_THAT(message, HasSubstr("some.pth"));
  return message;
}

template <class T>
T root(const std::string& body) {
  const pickle::Document document = parse(body + ".");
  const T* value = document.get<T>(document.root);
  EXPECT_NE(value, nullptr);
  return value == nullptr ? T() : *value;
}

TEST(PickleParser, ReadsNumbers) {
  using namespace std::string_literals;
  EXPECT_EQ(root<std::int64_t>("K\xff"), 255);
  EXPECT_EQ(root<std::int64_t>("M\x01\x02"), 513);
  EXPECT_EQ(root<std::int64_t>("J\xfe\xff\xff\xff"), -2);
  EXPECT_EQ(root<std::int64_t>("\x8a\x00"s), 0);
  EXPECT_EQ(root<std::int64_t>("\x8a\x01\x80"), -128);
  EXPECT_EQ(root<std::int64_t>("\x8a\x05\x00\x00\x00\x00\x01"s), 1LL << 32);
  EXPECT_EQ(root<double>("G\x3f\xf8\x00\x00\x00\x00\x00\x00"s), 1.5);
  EXPECT_EQ(root<bool>("\x88"), true);
  root<pickle::Nothing>("\x8a\x09" + std::string(9, '\x01'));
  root<pickle::Nothing>("\x8b\x0a\0\0\0"s + std::string(10, '\x01'));
  root<pickle::Nothing>("C\2ab");
  root<pickle::Nothing>("N");
}

TEST(PickleParser, KeepsTheNamesOfObjectsAndTheirAttributes) {
  const pickle::Document document = parse("cargparse\nNamespace\n)\x81}(K\1K\2ub.");
  EXPECT_EQ(document.className(document.root), "argparse.Namespace");
  EXPECT_EQ(document.description(document.root), "argparse.Namespace");
  const auto* object = document.get<pickle::Object>(document.root);
  ASSERT_NE(object, nullptr);
  ASSERT_TRUE(object->attributes.has_value());
  EXPECT_EQ(document.get<pickle::Dict>(*object->attributes)->items.size(), 1U);
}

TEST(PickleParser, MemoryFollowsTheSizeOfThePickle) {
  EXPECT_THAT(errorFor(std::string(3'000'000, 'N') + "."), HasSubstr("over 2000000 values"));
  // A name of a megabyte, taken again and again, is kept once.
  const std::string name(1U << 20U, 'x');
  std::string many = "X" + test::integerBytes(name.size(), 4) + name + "q\1";
  for (int i = 0; i < 100'000; ++i) many += "0h\1h\1\x93)\x81";
  EXPECT_EQ(parse("\x80\x02" + many + ".").values.size(), 1U + 3U * 100'000U);
}

TEST(PickleParser, ReadsContainers) {
  EXPECT_EQ(root<pickle::Sequence>("K\1K\2K\3\x87").items.size(), 3U);
  EXPECT_EQ(root<pickle::Sequence>("](K\1K\2eK\3a").items.size(), 3U);
  EXPECT_EQ(root<pickle::Dict>("}(K\1K\2K\3K\4uK\5K\6s").items.size(), 3U);
  EXPECT_EQ(root<std::string>(std::string("X\2\0\0\0hi", 7)), "hi");
  EXPECT_EQ(root<std::string>("\x8c\2hi"), "hi");
  EXPECT_EQ(root<std::string>(std::string("\x8d\2\0\0\0\0\0\0\0hi", 11)), "hi");
}

TEST(PickleParser, MemoRecallsTheSameValue) {
  for (const std::string& recall : {std::string("]q\5h\5"), std::string("]r\5\0\0\0j\5\0\0\0", 11),
                                    std::string("]\x94h\0", 4)}) {
    const pickle::Document document = parse(recall + "\x86.");
    const auto* pair = document.get<pickle::Sequence>(document.root);
    ASSERT_NE(pair, nullptr);
    EXPECT_EQ(pair->items[0], pair->items[1]);
  }
}

TEST(PickleParser, DeepNestingAndCyclesAreHarmless) {
  parse(std::string(100'000, ']') + std::string(99'999, 'a') + ".");
  std::string tuples = ")";
  for (int i = 0; i < 100'000; ++i) tuples += "\x85";
  parse(tuples + ".");
  parse("]q\1h\1a.");
}

TEST(PickleParser, RefusesMalformedStreams) {
  EXPECT_THAT(errorFor(""), HasSubstr("ends at byte 2"));
  EXPECT_THAT(errorFor("X\xff\xff\xff\xffhi"), HasSubstr("ends at byte"));
  EXPECT_THAT(errorFor("\x8d\xff\xff\xff\xff\xff\xff\xff\xffhi"), HasSubstr("ends at byte"));
  EXPECT_THAT(errorFor("ctorch\nFloat"), HasSubstr("ends at byte"));
  EXPECT_THAT(errorFor("."), HasSubstr("stack runs empty"));
  EXPECT_THAT(errorFor("K\1a."), HasSubstr("stack runs empty"));
  EXPECT_THAT(errorFor("](a."), HasSubstr("stack runs empty")) << "takes from below a mark";
  EXPECT_THAT(errorFor("K\1e."), HasSubstr("mark is missing"));
  EXPECT_THAT(errorFor("K\1K\2."), HasSubstr("left over"));
  EXPECT_THAT(errorFor("(]."), HasSubstr("left over"));
  EXPECT_THAT(errorFor("h\7."), HasSubstr("memo slot 7"));
  EXPECT_THAT(errorFor("]r\xff\xff\xff\xff."), HasSubstr("memo slot 4294967295"));
  EXPECT_THAT(errorFor(")K\1a."), HasSubstr("no list"));
  EXPECT_THAT(errorFor("]K\1K\2s."), HasSubstr("no dict"));
  EXPECT_THAT(errorFor("}(K\1u."), HasSubstr("no dict"));
  EXPECT_THAT(errorFor("]Nb."), HasSubstr("has none"));
  EXPECT_THAT(errorFor("])R."), HasSubstr("no function"));
  EXPECT_THAT(errorFor("K\1K\2\x93."), HasSubstr("not a text"));
}

TEST(PickleParser, RefusesOpcodesThatNoStateDictHas) {
  for (const char opcode : {'i', 'o', 'P', 'I', 'S', '2', '\x82', '\x97'}) {
    EXPECT_THAT(errorFor(std::string(1, opcode)), HasSubstr("no state dict has opcode"));
  }
}

TEST(PickleParser, RefusesMalformedTensors) {
  const auto with = [](Pickle pickle) { return pickle.stop().substr(2); };
  const std::string rebuild = "ctorch._utils\n_rebuild_tensor_v2\n";
  EXPECT_THAT(errorFor(rebuild + ")R."), HasSubstr("arguments"));
  EXPECT_THAT(errorFor(rebuild + "(K\1K\2K\3K\4tR."), HasSubstr("no storage"));
  EXPECT_THAT(errorFor(rebuild + "K\1R."), HasSubstr("arguments"));
  EXPECT_THAT(errorFor(with(Pickle().storage("FloatStorage", "0", -1))), HasSubstr("storage"));
  EXPECT_THAT(errorFor("K\1Q."), HasSubstr("arguments"));
  EXPECT_THAT(
      errorFor(with(Pickle().tensor("FloatStorage", "0", 1, 0, std::vector<std::int64_t>(17, 1),
                                    std::vector<std::int64_t>(17, 1)))),
      HasSubstr("16 axes"));
  EXPECT_THAT(errorFor("ctorch._utils\n_rebuild_parameter\nK\1\x85R."), HasSubstr("no tensor"));
}

}  // namespace
}  // namespace adamerge
