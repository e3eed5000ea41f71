// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/sheet_source.h"

#include <utility>

#include "look/paint.h"

namespace adamerge::ui {
namespace {

class GallerySource : public ExportSource {
 public:
  GallerySource(QString id, QString label, QString help, PictureFigurePtr figure)
      : ExportSource(std::move(id), std::move(label), std::move(help)),
        figure_(std::move(figure)) {}

  QSizeF size(const ExportStyle& style) const override {
    const FigureSize size = figureSize(*figure_, pageOf(style));
    return {size.width_mm, size.height_mm};
  }

  QImage render(const ExportStyle& style, double dpi) const override {
    return drawToImage(size(style), dpi,
                       [&](cairo_t* context) { drawFigure(*figure_, pageOf(style), context); });
  }

  void write(const std::filesystem::path& path, FigureFormat format,
             const ExportStyle& style) const override {
    writeFigure(*figure_, pageOf(style), format, path);
  }

 private:
  /// Small pictures have an overlay of their own.
  static FigureStyle pageOf(const ExportStyle& style) {
    FigureStyle page = style.page;
    page.overlay = tileOverlay();
    return page;
  }

  PictureFigurePtr figure_;
};

}  // namespace

std::vector<ExportSourcePtr> gallerySources(const GallerySheet& made) {
  std::vector<ExportSourcePtr> sources;
  if (made.sheet != nullptr) {
    sources.push_back(std::make_shared<GallerySource>(
        kSheetId, QObject::tr("Contact sheet"),
        QObject::tr("The first images of the gallery with their groups"), made.sheet));
  }
  if (made.counts != nullptr) {
    sources.push_back(std::make_shared<GallerySource>(
        QStringLiteral("counts-per-block"), QObject::tr("Counts per block"),
        QObject::tr("Box plots of the tokens that each block merged over the set"), made.counts));
  }
  return sources;
}

}  // namespace adamerge::ui
