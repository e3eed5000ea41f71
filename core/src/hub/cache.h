// SPDX-License-Identifier: GPL-3.0-or-later
// Where things are in the Hugging Face cache:
//   models--OWNER--NAME/refs/REVISION          the commit that a branch or tag is at
//   models--OWNER--NAME/snapshots/COMMIT/FILE  a link to the file's blob
//   models--OWNER--NAME/blobs/HASH             the bytes
//   models--OWNER--NAME/.no_exist/COMMIT/FILE  the commit has no such file
//   .locks/models--OWNER--NAME/HASH.lock       held (flock) by who fetches the blob
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adamerge/hub.h"

namespace adamerge::hub {

/// "models--OWNER--NAME".
std::string folderName(const std::string& repository);
/// The other way; nullopt for any other folder.
std::optional<std::string> repositoryOf(const std::string& folder_name);

/// Lower-case hexadecimal digits, `length` of them.
bool isHash(std::string_view text, std::size_t length);

inline constexpr std::size_t kSha256Digits = 64;

/// The hash by which the hub names a file's content, of bytes as they come.
class Digest {
 public:
  /// Of the kind that `hash` is: SHA-256 where it has its digits, else git's SHA-1 of a blob of
  /// `bytes` bytes.
  Digest(std::string_view hash, std::int64_t bytes);
  void add(std::string_view bytes);
  std::string hex();  ///< once, at the end

 private:
  std::shared_ptr<void> context_;
};

constexpr std::size_t kCommitDigits = 40;

/// What says how a model is built, how it sees images and what AdaMerge was calibrated to; a
/// repository has some of them.
constexpr std::array<std::string_view, 4> kConfigFiles{"config.json", "preprocessor_config.json",
                                                       "open_clip_config.json", "stats.json"};

/// One model repository in the cache: what of a snapshot is there.
class CachedRepository {
 public:
  CachedRepository(const std::string& repository, const Settings& settings);

  std::filesystem::path blob(const std::string& hash) const { return folder_ / "blobs" / hash; }
  std::filesystem::path reference(const std::string& revision) const;
  std::filesystem::path snapshots() const { return folder_ / "snapshots"; }
  std::filesystem::path snapshot(const std::string& commit) const { return snapshots() / commit; }
  /// There is a file of this name where the commit has no such file.
  std::filesystem::path absence(const std::string& commit, std::string_view file) const;
  std::filesystem::path lock(const std::string& hash) const;

  /// The commit that the cache has for a branch, a tag or a commit; empty: none.
  std::string commitOf(const std::string& revision) const;
  /// What the snapshot lacks to be run as its authors mean it, for people; empty: nothing.
  std::string missing(const std::string& commit) const;

 private:
  bool knows(const std::string& commit, std::string_view file) const;

  std::filesystem::path folder_;
  std::filesystem::path locks_;
};

}  // namespace adamerge::hub
