// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_message.h"

namespace adamerge {
namespace {

using namespace std::string_view_literals;

TEST(Text, OfUtf8StaysWithoutItsMark) {
  EXPECT_EQ(utf8Text(""), "");
  EXPECT_EQ(utf8Text("B\u00e4r\r\n"), "B\u00e4r\r\n");
  EXPECT_EQ(utf8Text("\xEF\xBB\xBF{}"), "{}");
  EXPECT_EQ(utf8Text("B\xE4r"), "B\xE4r") << "what it is, others decide";
}

TEST(Text, OfUtf16BecomesUtf8) {
  EXPECT_EQ(utf8Text("\xFF\xFE"sv), "");
  EXPECT_EQ(utf8Text("\xFF\xFE{\0}\0"sv), "{}");
  EXPECT_EQ(utf8Text("\xFE\xFF\0{\0}"sv), "{}");
  EXPECT_EQ(utf8Text("{\0\xE4\0"sv), "{\u00e4") << "no mark";
  // One, two, three and four bytes of UTF-8: A, a-umlaut, a Chinese character, a smiley.
  EXPECT_EQ(utf8Text("\xFE\xFF\0A\0\xE4\x6F\x22\xD8\x3D\xDE\0"sv), "A\u00e4\u6f22\U0001F600");
}

TEST(Text, HalfACharacterOfUtf16IsRefused) {
  for (const std::string_view bytes :
       {"\xFF\xFE{"sv, "\xFE\xFF\xD8\x3D"sv, "\xFE\xFF\xD8\x3D\0A"sv, "\xFE\xFF\xDE\0\0A"sv}) {
    EXPECT_THAT(test::errorMessage([&] { utf8Text(bytes); }), testing::HasSubstr("UTF-16"));
  }
}

}  // namespace
}  // namespace adamerge
