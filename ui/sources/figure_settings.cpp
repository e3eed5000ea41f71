// SPDX-License-Identifier: GPL-3.0-or-later
// What exported figures carry: the settings that they were made with, or the trace that they show.
#include <algorithm>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "bench/traces.h"
#include "bench/workbench.h"
#include "look/message.h"
#include "look/text.h"
#include "sources/embedded_settings.h"
#include "sources/sources.h"
#include "sources/video.h"

namespace adamerge::ui {

/// The block and the image that the figure shows whose trace this is.
void Sources::restoreFigure(const Picture& trace) {
  if (!awaited_ || awaited_->trace != trace.path) return;
  if (awaited_->layer >= 0) parts_.workbench.view().setBlock(awaited_->layer);
  const std::vector<std::string>& names = trace.traced->info->images;
  const auto image = std::find(names.begin(), names.end(), awaited_->image);
  if (image != names.end()) first_frame_ = static_cast<int>(image - names.begin());
  awaited_.reset();
}

/// SVG and PDF are no pictures: what they carry is all there is.
void Sources::openFigure(const std::filesystem::path& path) {
  lookForSettings(
      path,
      [this, path](const std::string& provenance) {
        if (const auto trace = tracedBy(provenance)) return openTraceOf(path, *trace);
        offerSettings(path, provenance);
      },
      [this, path] {
        parts_.messages.show(Severity::kError,
                             tr("%1 carries no settings: of SVG and PDF files, those that AdaMerge "
                                "Studio exported do.")
                                 .arg(fileName(path)));
      });
}

void Sources::openTraceOf(const std::filesystem::path& figure, const TracedFigure& shown) {
  const std::optional<std::filesystem::path> trace = findTrace(shown, figure);
  if (!trace) {
    parts_.messages.show(Severity::kError,
                         tr("%1 shows the trace %2, which is neither there nor beside the figure.")
                             .arg(fileName(figure), QString::fromStdString(shown.trace.string())));
    return;
  }
  openImage(*trace);
  awaited_ = shown;
  awaited_->trace = *trace;
}

void Sources::lookForSettings(const std::filesystem::path& path,
                              std::function<void(const std::string& provenance)> found,
                              std::function<void()> otherwise) {
  jobs_.run(kSettingsJob, Urgency::kBackground,
            [path, found = std::move(found), otherwise = std::move(otherwise)](
                const std::stop_token& /*stop*/, const Jobs::Tell& tell) {
              const auto provenance = readProvenance(path);
              if (provenance) {
                tell([found, text = *provenance] { found(text); });
              } else if (otherwise) {
                tell(otherwise);
              }
            });
}

void Sources::offerSettings(const std::filesystem::path& path, const std::string& provenance) {
  const QString name = fileName(path);
  if (const auto trace = tracedBy(provenance)) {
    parts_.messages.show(
        Severity::kInfo, tr("%1 was exported by AdaMerge Studio and shows a trace.").arg(name),
        {{tr("Open the trace"), [this, path, trace = *trace] { openTraceOf(path, trace); },
          QString::fromStdString(trace->trace.string())}});
    return;
  }
  std::vector<MessageAction> actions{
      {tr("Restore settings"), [this, provenance, name] { restoreSettings(provenance, name); }}};
  try {
    const std::filesystem::path picture = parseProvenance(provenance).front().image;
    std::error_code code;
    if (picture.is_absolute() && std::filesystem::is_regular_file(picture, code)) {
      actions.push_back({tr("Settings and picture"),
                         [this, provenance, name, picture] {
                           openImage(picture);
                           restoreSettings(provenance, name);
                         },
                         tr("Also opens %1").arg(QString::fromStdString(picture.string()))});
    }
  } catch (const Error&) {
    // Restoring says what is wrong with it.
  }
  parts_.messages.show(Severity::kInfo,
                       tr("%1 was exported by AdaMerge Studio and carries its settings.").arg(name),
                       std::move(actions));
}

void Sources::restoreSettings(const std::string& text, const QString& name) {
  Workbench& workbench = parts_.workbench;
  try {
    const std::vector<Provenance> canvases = parseProvenance(text);
    const Provenance& provenance = canvases.front();
    if (canvases.size() > 1) {
      // Of a comparison every canvas, with the counts that it shows.
      workbench.setEqualFlops(false);
      for (std::size_t index = 1; index < canvases.size(); ++index) {
        workbench.restoreChoice(static_cast<int>(index), canvases[index].choice);
      }
      workbench.setPaneCount(static_cast<int>(canvases.size()));
      workbench.setActivePane(0);
    }
    workbench.edit(workbench.activeIndex(), provenance.choice,
                   tr("restore settings of %1").arg(name));
    workbench.endEdit();
    if (provenance.layer >= 0) workbench.view().setBlock(provenance.layer);
    const LoadedModelPtr model = workbench.model();
    if (model != nullptr && model->info.name != provenance.model) {
      parts_.messages.show(
          Severity::kWarning,
          tr("The settings of %1 were made with the model %2; the present one is %3.")
              .arg(name, QString::fromStdString(provenance.model),
                   QString::fromStdString(model->info.name)));
    }
  } catch (const std::exception& error) {
    parts_.messages.show(Severity::kError, tr("%1: %2").arg(name, errorText(error)));
  }
}

}  // namespace adamerge::ui
