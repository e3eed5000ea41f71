// SPDX-License-Identifier: GPL-3.0-or-later
// A PDF's keywords as poppler reads them; its user links PkgConfig::POPPLER_CPP.
#pragma once

#include <poppler-document.h>

#include <filesystem>
#include <memory>
#include <string>

namespace adamerge::test {

inline std::string pdfKeywords(const std::filesystem::path& path) {
  const std::unique_ptr<poppler::document> document(
      poppler::document::load_from_file(path.string()));
  if (document == nullptr) return "not a PDF";
  const poppler::byte_array text = document->get_keywords().to_utf8();
  return {text.begin(), text.end()};
}

}  // namespace adamerge::test
