// SPDX-License-Identifier: GPL-3.0-or-later
// The summary of a batch: one line per image and choice, for spreadsheets and pandas.
#pragma once

#include <string>

#include "adamerge/image.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"

namespace adamerge::ui {

struct BatchRecord {
  const std::string& image;  ///< name
  const MethodChoice& choice;
  const ImageResult& result;
  const ImageResult& baseline;  ///< the unmerged model on the same image
};

/// "image,method,settings,...\n"
std::string batchTableHeader();
/// Columns about classes are empty for models without a classifier.
std::string batchTableLine(const ModelInfo& model, const BatchRecord& record);

}  // namespace adamerge::ui
