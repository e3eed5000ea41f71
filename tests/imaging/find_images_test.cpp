// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include "adamerge/error.h"
#include "pictures.h"
#include "temporary_folder.h"
#include "unprivileged.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using test::messageOf;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

void touch(const fs::path& path) {
  fs::create_directories(path.parent_path());
  test::writeBytes(path, {1});
}

TEST(FindImages, AnyDepthAnyCaseSortedWithoutHidden) {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  for (const char* name :
       {"b.PNG", "a/z/deep.JpEg", "a/y.tiff", "c.webp", "d.ppm", "e.bmp", "f.jpg", "notes.txt",
        "png", ".hidden.png", ".cache/g.png", "a/.DS_Store"}) {
    touch(root / name);
  }
  fs::create_directory(root / "folder.png");
  EXPECT_THAT(findImages(root),
              ElementsAre(root / "a/y.tiff", root / "a/z/deep.JpEg", root / "b.PNG",
                          root / "c.webp", root / "d.ppm", root / "e.bmp", root / "f.jpg"));
}

TEST(FindImages, LinksAreFollowedOnceAndLoopsEnd) {
  const TemporaryFolder folder;
  const TemporaryFolder elsewhere;
  const fs::path root = folder.path();
  touch(root / "sub/a.png");
  touch(elsewhere.path() / "b.png");
  fs::create_directory_symlink(root, root / "sub/up");
  fs::create_directory_symlink(root / "sub", root / "again");
  fs::create_directory_symlink(elsewhere.path(), root / "other");
  fs::create_symlink(root / "nowhere.png", root / "dangling.png");
  EXPECT_THAT(findImages(root), ElementsAre(root / "other/b.png", root / "sub/a.png"));
}

TEST(FindImages, AFileIsItsOnlyEntry) {
  const TemporaryFolder folder;
  touch(folder.path() / "picture");
  EXPECT_THAT(findImages(folder.path() / "picture"), ElementsAre(folder.path() / "picture"));
}

TEST(FindImages, NothingThereNothingInIt) {
  const TemporaryFolder folder;
  EXPECT_THAT(messageOf([&] { findImages(folder.path() / "missing"); }),
              testing::AllOf(HasSubstr("missing: there is no such file or folder"),
                             HasSubstr("is expected")));
  touch(folder.path() / "notes.txt");
  EXPECT_THAT(messageOf([&] { findImages(folder.path()); }),
              testing::AllOf(HasSubstr("holds no image"), HasSubstr("JPEG, PNG, WebP")));
}

TEST(FindImages, ClosedFolders) {
  const TemporaryFolder folder;
  touch(folder.path() / "a.png");
  touch(folder.path() / "closed/b.png");
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder.path() / "closed", fs::perms::none);
  {
    const test::Unprivileged nobody;
    EXPECT_THAT(findImages(folder.path()), ElementsAre(folder.path() / "a.png"));
    EXPECT_THAT(messageOf([&] { findImages(folder.path() / "closed"); }),
                HasSubstr("closed: the folder cannot be listed"));
  }
  fs::permissions(folder.path() / "closed", fs::perms::owner_all);
}

TEST(FindImages, StopsWhenAsked) {
  const TemporaryFolder folder;
  touch(folder.path() / "a.png");
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(findImages(folder.path(), source.get_token()), Cancelled);
}

}  // namespace
}  // namespace adamerge
