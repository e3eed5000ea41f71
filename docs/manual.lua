-- SPDX-License-Identifier: GPL-3.0-or-later
-- The manual is one page: links to the files of other chapters become links within it.
local chapters = {["core/README.md"] = "#the-core", ["models/README.md"] = "#the-bundled-model-1"}

function Link(link)
  local file, place = link.target:match("^([%w/_.-]*%.md)(.*)$")
  if not file then return nil end
  if place == "" then place = chapters[file] or error("the manual has no chapter " .. file) end
  link.target = place
  return link
end
