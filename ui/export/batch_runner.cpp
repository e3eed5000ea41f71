// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "adamerge/error.h"
#include "adamerge/preprocess.h"
#include "adamerge/report.h"
#include "compute/error_text.h"
#include "export/batch_table.h"
#include "export/figure_input.h"
#include "support/files.h"

namespace adamerge::ui {
namespace {

/// A file that cannot be written: the next one could not either, so that the batch ends.
class WriteFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename Write>
void orFail(const Write& write) {
  try {
    write();
  } catch (const Error& error) {
    throw WriteFailure(error.what());
  }
}

}  // namespace

BatchSummary BatchRunner::run(const std::stop_token& stop) {
  table_ = batchTableHeader();
  try {
    // What does not suit the model is said once, before any image is read.
    for (const MethodChoice& choice : plan_.choices) engine_.prepare(choice);
    int done = 0;
    for (const BatchImage& image : plan_.images) {
      progress_(done++, QString::fromStdString(image.name));
      runImage(image, stop);
      throwIfStopped(stop);
    }
  } catch (const Cancelled&) {
    summary_.cancelled = true;
  } catch (const std::exception& error) {
    summary_.problem = errorText(error);
  }
  if (summary_.runs > 0) writeTable();
  return summary_;
}

void BatchRunner::runImage(const BatchImage& image, const std::stop_token& stop) {
  try {
    throwIfStopped(stop);
    const auto original = std::make_shared<const Image>(loadImage(image.file));
    throwIfStopped(stop);
    const auto prepared = std::make_shared<const PreparedImage>(
        prepareImage(*original, engine_.info().preprocessing));
    const std::span input(&prepared->input, 1);
    const ImageResult baseline = engine_.run(input, {}, {.trace = false}, stop).front();
    for (const MethodChoice& choice : plan_.choices) {
      const RunOptions options{.trace = !plan_.kinds.empty()};
      const ImageResult result = engine_.run(input, choice, options, stop).front();
      for (const std::string& warning : result.warnings) note(warning);
      std::string line = batchTableLine(engine_.info(), {image.name, choice, result, baseline});
      const FigureSubject subject{
          engine_.info(),   image.file,      QString::fromStdString(image.file.filename().string()),
          original,         prepared,        choice,
          engine_.device(), engine_.dtype(), baseline.flops.paper};
      writeFigures(image, subject, result, stop);
      table_ += line;
      ++summary_.runs;
    }
  } catch (const Error& error) {
    summary_.skipped.append(errorText(error));
    return;
  }
  ++summary_.images;
}

void BatchRunner::writeFigures(const BatchImage& image, const FigureSubject& subject,
                               const ImageResult& result, const std::stop_token& stop) {
  for (const FigureKind& kind : figureKinds()) {
    if (std::find(plan_.kinds.begin(), plan_.kinds.end(), kind.id) == plan_.kinds.end()) continue;
    const FigureInput input =
        makeFigureInput(subject, result, kind.per_layer ? plan_.style.block : -1,
                        {plan_.style.page.overlay, std::nullopt, nullptr});
    try {
      figureSize(kind.id, input, plan_.style.page);
    } catch (const Error& error) {
      note(fmt::format("{}: {}", findMethod(subject.choice.method).label,
                       errorText(error).toStdString()));
      continue;
    }
    for (const FigureFormat format : plan_.formats) {
      throwIfStopped(stop);
      orFail([&] {
        writeFigure(kind.id, input, plan_.style.page, format,
                    plan_.figure(image, subject.choice, kind, format));
      });
      ++summary_.files;
    }
  }
}

void BatchRunner::note(const std::string& sentence) {
  if (noted_.insert(sentence).second) summary_.notes.append(QString::fromStdString(sentence));
}

void BatchRunner::writeTable() {
  try {
    writeFileAtomically(plan_.table(), table_);
    summary_.table = true;
  } catch (const Error& error) {
    // One sentence is enough: the first.
    if (summary_.problem.isEmpty()) summary_.problem = errorText(error);
  }
}

}  // namespace adamerge::ui
