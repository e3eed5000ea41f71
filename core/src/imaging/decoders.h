// SPDX-License-Identifier: GPL-3.0-or-later
// One decoder per format. Each checks the size before it decodes pixels and returns 8-bit RGB, with
// alpha laid over white, not yet turned by its EXIF orientation (TIFF: already turned).
#pragma once

#include <string>

#include "adamerge/image.h"
#include "imaging/format.h"

namespace adamerge::imaging {

Image decodeJpeg(const Bytes& bytes, const std::string& name);
Image decodePng(const Bytes& bytes, const std::string& name);
Image decodeWebp(const Bytes& bytes, const std::string& name);
Image decodeTiff(const Bytes& bytes, const std::string& name);
Image decodeBmp(const Bytes& bytes, const std::string& name);
Image decodePnm(const Bytes& bytes, const std::string& name);

}  // namespace adamerge::imaging
