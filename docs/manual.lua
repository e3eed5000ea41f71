-- SPDX-License-Identifier: GPL-3.0-or-later
-- The manual is one page: links to the files of other chapters become links within it.
local chapters = {
  ["core/README.md"] = "#the-core",
  ["models/README.md"] = "#the-bundled-model",
  ["first-steps.md"] = "#first-steps",
  ["studio.md"] = "#the-studio-view-by-view",
  ["command-line.md"] = "#the-command-line",
  ["methods.md"] = "#methods-and-their-equations",
  ["flops.md"] = "#how-flops-are-counted",
  ["models.md"] = "#models",
  ["dense.md"] = "#class-maps-and-fourier-networks",
  ["figures.md"] = "#reproducing-a-papers-figure",
  ["files.md"] = "#file-formats",
  ["performance.md"] = "#speed-memory-precision-threads",
  ["gpu.md"] = "#gpu",
  ["building.md"] = "#building-packages-tests",
}

function Link(link)
  local file, place = link.target:match("^([%w/_.-]*%.md)(.*)$")
  if not file then return nil end
  local chapter = file:gsub("^%.%./", ""):gsub("^docs/", "")
  link.target = place ~= "" and place or chapters[chapter] or error("the manual has no chapter " .. file)
  return link
end
