// SPDX-License-Identifier: GPL-3.0-or-later
// Connects the plots to the controller: the plots themselves know only plain results.
#pragma once

namespace adamerge::ui {

class AccuracyPlot;
class ChangePlot;
class CountsPlot;
class RedundancyPlot;
class SweepPlot;
class TokensPlot;
class TreePlot;
class Workbench;

/// The plot follows the workbench, and clicks in it change the view or the settings. The workbench
/// must outlive the plot.
void bindPlot(TokensPlot& plot, Workbench& workbench);
void bindPlot(RedundancyPlot& plot, Workbench& workbench);
void bindPlot(ChangePlot& plot, Workbench& workbench);
/// The block alone; what it shows is the gallery's.
void bindPlot(CountsPlot& plot, Workbench& workbench);
/// Of the active canvas.
void bindPlot(TreePlot& plot, Workbench& workbench);
void bindPlot(SweepPlot& plot, Workbench& workbench);
/// Reads results.json of each model that is opened, and follows evaluations of it.
void bindPlot(AccuracyPlot& plot, Workbench& workbench);
/// Reads results.json of the present model again.
void readRecord(AccuracyPlot& plot, Workbench& workbench);

}  // namespace adamerge::ui
