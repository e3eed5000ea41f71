// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "support/json.h"

namespace adamerge {

/// One object of a config file, with a prefix such as "model_args.".
using ConfigFields = JsonFields;

}  // namespace adamerge
