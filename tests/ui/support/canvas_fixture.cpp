// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas_fixture.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "bench/loaders.h"

namespace adamerge::ui::test {

PicturePtr widePicture(int band) {
  const Image& sample = *samplePicture()->original;
  Image wide;
  wide.width = sample.width + 2 * band;
  wide.height = sample.height;
  wide.pixels.assign(static_cast<std::size_t>(wide.width) * wide.height * 3, kBandLevel);
  for (int y = 0; y < sample.height; ++y) {
    std::copy_n(sample.at(0, y), sample.width * 3, wide.at(band, y));
  }
  return makePicture(std::move(wide), QStringLiteral("wide.png"));
}

InspectionPtr inspectPicture(const PicturePtr& picture, const MethodChoice& choice) {
  const Engine& engine = *bundledEngine();
  auto inspection = std::make_shared<Inspection>();
  inspection->model = bundledModel();
  inspection->picture = picture;
  inspection->prepared = std::make_shared<PreparedImage>(
      prepareImage(*picture->original, engine.info().preprocessing));
  inspection->choice = choice;
  inspection->choice.settings = completeSettings(choice);
  const std::array<InputTensor, 1> input{inspection->prepared->input};
  inspection->result = engine.run(input, choice).front();
  inspection->baseline = std::make_shared<ImageResult>(engine.run(input, {}).front());
  for (int block = 0; block < inspection->depth(); ++block) {
    inspection->survivors.push_back(survivingPatches(inspection->result.layers, block));
  }
  return inspection;
}

MethodChoice adaMerge(int r_max) {
  return {"adamerge", {{"r_max", std::int64_t{r_max}}}, nullptr, false};
}

OverlayStyle plainFill() {
  OverlayStyle style;
  style.kind = OverlayKind::kGroups;
  style.groups = GroupStyle::kFill;
  style.opacity = 1;
  return style;
}

QImage painted(QWidget& widget, double ratio) {
  QImage image((QSizeF(widget.size()) * ratio).toSize(), QImage::Format_RGB32);
  image.setDevicePixelRatio(ratio);
  widget.render(&image);
  return image;
}

QColor colorAt(const QImage& image, const QPointF& position) {
  return image.pixelColor((position * image.devicePixelRatio()).toPoint());
}

QColor toColor(const std::array<std::uint8_t, 3>& rgb) { return {rgb[0], rgb[1], rgb[2]}; }

int difference(const QColor& a, const QColor& b) {
  return std::max({std::abs(a.red() - b.red()), std::abs(a.green() - b.green()),
                   std::abs(a.blue() - b.blue())});
}

ShownPane::ShownPane(InspectionPtr inspection, int index) : pane(index) {
  pane.setChoice(inspection->choice);
  view.setDepth(inspection->depth());
  view.setOverlay(plainFill());
  pane.setInspection(std::move(inspection));
}

ShownCanvas::ShownCanvas(InspectionPtr inspection, const QSize& size)
    : ShownPane(std::move(inspection)), canvas(pane, view, port) {
  canvas.setCaptionVisible(false);
  canvas.resize(size);
  canvas.show();
}

QPointF ShownCanvas::centreOf(int patch) const {
  return canvas.mapping().toWidget(pane.inspection()->patchRect(patch).center());
}

}  // namespace adamerge::ui::test
