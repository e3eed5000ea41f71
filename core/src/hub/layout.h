// SPDX-License-Identifier: GPL-3.0-or-later
// Where things are in the Hugging Face cache:
//   models--OWNER--NAME/refs/REVISION          the commit that a branch or tag is at
//   models--OWNER--NAME/snapshots/COMMIT/FILE  a link to the file's blob
//   models--OWNER--NAME/blobs/HASH             the bytes
//   models--OWNER--NAME/.no_exist/COMMIT/FILE  the commit has no such file
//   .locks/models--OWNER--NAME/HASH.lock       held (flock) by who fetches the blob
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace adamerge::hub {

/// "models--OWNER--NAME".
std::string folderName(const std::string& repository);
/// The other way; nullopt for any other folder.
std::optional<std::string> repositoryOf(const std::string& folder_name);

/// Lower-case hexadecimal digits, `length` of them.
bool isHash(std::string_view text, std::size_t length);

}  // namespace adamerge::hub
