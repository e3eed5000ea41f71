// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/figure_input.h"

#include "adamerge/report.h"

namespace adamerge::ui {

FigureInput makeFigureInput(const FigureSubject& subject, ImageResult result, int block,
                            const FigureExtras& extras) {
  const VitConfig& vit = subject.model.vit;
  FigureInput input;
  input.title = subject.name.toStdString();
  input.subtitle = describe(subject.choice);
  input.image = *subject.prepared;
  input.original = subject.original;
  input.grid_height = vit.gridHeight();
  input.grid_width = vit.gridWidth();
  input.prefix_tokens = vit.prefixTokens();
  input.result = std::move(result);
  input.layer = block;
  input.selected_patch = extras.selected_patch;
  if (extras.other != nullptr) {
    input.other = std::shared_ptr<const ImageResult>(extras.other, &extras.other->result);
  }
  input.unmerged_flops = subject.unmerged_flops;
  input.provenance = provenanceJson(subject.model, subject.device, subject.dtype,
                                    subject.file.empty() ? input.title : subject.file.string(),
                                    subject.choice, block);
  return input;
}

FigureInput makeFigureInput(const Inspection& inspection, int block, const FigureExtras& extras) {
  const LoadedModel& model = *inspection.model;
  const Picture& picture = *inspection.picture;
  const FigureSubject subject{model.info,       picture.path,        picture.name,
                              picture.original, inspection.prepared, inspection.choice,
                              model.device,     model.dtype,         model.unmerged.paper};
  return makeFigureInput(subject, inspection.result, block, extras);
}

}  // namespace adamerge::ui
