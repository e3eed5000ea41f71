// SPDX-License-Identifier: GPL-3.0-or-later
// Something that can leave the program as a file: a figure, the comparison, a plot.
#pragma once

#include <QImage>
#include <QSizeF>
#include <QString>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "adamerge/engine.h"
#include "adamerge/figures.h"
#include "bench/data.h"

namespace adamerge::ui {

/// What all sources can be asked for.
struct ExportStyle {
  FigureStyle page;
  int block = 0;  ///< 0-based; for sources that show one block
};

class ExportSource {
 public:
  ExportSource(QString id, QString label, QString help)
      : id_(std::move(id)), label_(std::move(label)), help_(std::move(help)) {}
  ExportSource(const ExportSource&) = delete;
  ExportSource& operator=(const ExportSource&) = delete;
  virtual ~ExportSource() = default;

  const QString& id() const { return id_; }        ///< for file names: "groups"
  const QString& label() const { return label_; }  ///< for people
  const QString& help() const { return help_; }    ///< one sentence

  /// Shows one chosen block.
  virtual bool perBlock() const { return false; }
  /// Whether render() and write() may run off the UI thread.
  virtual bool anyThread() const { return true; }

  /// Has numbers of its own, for a CSV file.
  virtual bool hasTable() const { return false; }
  virtual void writeTable(const std::filesystem::path& /*path*/) const {}

  /// In mm. Throws Error where it cannot be drawn.
  virtual QSizeF size(const ExportStyle& style) const = 0;
  /// The whole page at `dpi`, drawn by the code that writes files. Throws Error.
  virtual QImage render(const ExportStyle& style, double dpi) const = 0;
  /// Writes beside, then renames. Throws Error.
  virtual void write(const std::filesystem::path& path, FigureFormat format,
                     const ExportStyle& style) const = 0;

 private:
  QString id_;
  QString label_;
  QString help_;
};
using ExportSourcePtr = std::shared_ptr<const ExportSource>;

// What there is to export when a dialog opens: results do not change under it.

class Workbench;

struct ExportContext {
  std::shared_ptr<const Engine> engine;
  std::vector<InspectionPtr> panes;  ///< of the panes shown, those with a result
  std::vector<LensShownPtr> lenses;  ///< of each, may be null
  std::vector<QString> notes;        ///< of each, as far as given: what its caption has to say
  std::size_t active = 0;            ///< which of them is worked in
  OverlayStyle overlay;
  int block = 0;
  std::optional<int> selected_patch;
  std::vector<ExportSourcePtr> gallery;  ///< figures of the images that an evaluation measured

  /// nullptr: there is no result yet.
  InspectionPtr activePane() const { return panes.empty() ? nullptr : panes[active]; }
};

ExportContext exportContext(Workbench& workbench);

}  // namespace adamerge::ui
