// SPDX-License-Identifier: GPL-3.0-or-later
// Something that can leave the program as a file: a figure, the comparison, a plot.
#pragma once

#include <QImage>
#include <QSizeF>
#include <QString>
#include <filesystem>
#include <memory>
#include <vector>

#include "adamerge/figures.h"

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

}  // namespace adamerge::ui
