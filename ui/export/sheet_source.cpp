// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/sheet_source.h"

#include <utility>

#include "look/paint.h"

namespace adamerge::ui {
namespace {

/// A figure that the core measures, draws and writes by three functions of one form.
template <class Figure>
class GallerySource : public ExportSource {
 public:
  struct Functions {
    FigureSize (*size)(const Figure&, const FigureStyle&);
    void (*draw)(const Figure&, const FigureStyle&, cairo_t*);
    void (*write)(const Figure&, const FigureStyle&, FigureFormat, const std::filesystem::path&);
  };

  GallerySource(QString id, QString label, QString help, std::shared_ptr<const Figure> figure,
                Functions functions)
      : ExportSource(std::move(id), std::move(label), std::move(help)),
        figure_(std::move(figure)),
        functions_(functions) {}

  QSizeF size(const ExportStyle& style) const override {
    const FigureSize size = functions_.size(*figure_, pageOf(style));
    return {size.width_mm, size.height_mm};
  }

  QImage render(const ExportStyle& style, double dpi) const override {
    return drawToImage(size(style), dpi, [&](cairo_t* context) {
      functions_.draw(*figure_, pageOf(style), context);
    });
  }

  void write(const std::filesystem::path& path, FigureFormat format,
             const ExportStyle& style) const override {
    functions_.write(*figure_, pageOf(style), format, path);
  }

 private:
  /// Small pictures have an overlay of their own.
  static FigureStyle pageOf(const ExportStyle& style) {
    FigureStyle page = style.page;
    page.overlay = tileOverlay();
    return page;
  }

  std::shared_ptr<const Figure> figure_;
  Functions functions_;
};

}  // namespace

std::vector<ExportSourcePtr> gallerySources(const GallerySheet& made) {
  std::vector<ExportSourcePtr> sources;
  if (made.sheet != nullptr) {
    sources.push_back(std::make_shared<GallerySource<ContactSheet>>(
        kSheetId, QObject::tr("Contact sheet"),
        QObject::tr("The first images of the gallery with their groups"), made.sheet,
        GallerySource<ContactSheet>::Functions{contactSheetSize, drawContactSheet,
                                               writeContactSheet}));
  }
  if (made.counts != nullptr) {
    sources.push_back(std::make_shared<GallerySource<CountsFigure>>(
        QStringLiteral("counts-per-block"), QObject::tr("Counts per block"),
        QObject::tr("Box plots of the tokens that each block merged over the set"), made.counts,
        GallerySource<CountsFigure>::Functions{countsFigureSize, drawCountsFigure,
                                               writeCountsFigure}));
  }
  return sources;
}

}  // namespace adamerge::ui
