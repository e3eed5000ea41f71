// SPDX-License-Identifier: GPL-3.0-or-later
// What was open, as a file that another person can open.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/engine.h"
#include "adamerge/figures.h"
#include "bench/evaluation.h"
#include "bench/workbench.h"

namespace adamerge::ui {

struct Session {
  std::filesystem::path model;  ///< empty: none was loaded
  EngineOptions engine;
  std::filesystem::path statistics;  ///< in place of the model's own; empty: none
  std::filesystem::path picture;     ///< empty: none, or one that is no file
  std::filesystem::path folder;      ///< listed beside the picture; empty: none
  std::vector<MethodChoice> panes;   ///< method and settings alone; as many as panes are known
  int pane_count = 1;
  int active_pane = 0;
  bool equal_flops = false;
  OverlayStyle overlay;
  std::optional<int> block;  ///< 0-based; nullopt: the last
  std::optional<int> selected_patch;
  CompressionMode compression_mode = CompressionMode::kCount;  ///< for the window
  std::optional<EvaluationSetup> evaluation;                   ///< for the window
  std::string preview;                                         ///< a PNG as base64, for others
  std::string window_geometry;                                 ///< base64, for the window
  std::string window_state;                                    ///< base64, for the window
};

/// The JSON text, paths as they are.
std::string toJson(const Session& session);
/// Checks everything. `name` names the text in messages. Throws Error.
Session parseSession(const std::string& text, const std::string& name);

/// Paths below the file's folder are written relative to it. Throws Error.
void saveSession(const Session& session, const std::filesystem::path& file);
/// Writes what Workbench::useStatistics() took to `file`, for the session to name it; without any,
/// nothing, and the session names none. Throws Error.
void keepStatistics(const Workbench& workbench, const std::filesystem::path& file,
                    Session& session);
/// Relative paths are taken from the file's folder. Throws Error.
Session openSession(const std::filesystem::path& file);

/// What belongs to the window (folder, compression mode, evaluation, geometry) is left to it.
Session captureSession(Workbench& workbench);
/// Restores everything but what belongs to the window; statistics that are gone or not the model's
/// are told by Workbench::failed(); loads model and picture if they are others.
/// Block and selection follow once both are there. Empties the history.
void applySession(Workbench& workbench, const Session& session);

}  // namespace adamerge::ui
