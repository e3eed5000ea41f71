// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/entries.h"

namespace adamerge {
namespace {

class None final : public ImageMethod {
 public:
  Stage stage() const override { return Stage::kNever; }
  MergePlan plan(const LayerTokens& /*layer*/) const override { return {}; }
};

}  // namespace

MethodEntry noneEntry() {
  MethodEntry entry;
  entry.info.id = "none";
  entry.info.merges_inside = true;
  entry.info.label = "Unmerged";
  entry.info.description = "The model as it is: no token merges.";
  entry.make = [](const Settings&, const MethodContext&) { return std::make_unique<None>(); };
  return entry;
}

}  // namespace adamerge
