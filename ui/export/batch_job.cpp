// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <thread>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/image.h"
#include "adamerge/pace.h"
#include "adamerge/report.h"
#include "bench/data.h"
#include "bench/traces.h"
#include "export/figure_source.h"

namespace adamerge::ui {
namespace {

/// As RFC 4180 wants it.
std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"') result += '"';
    result += letter;
  }
  return result + '"';
}

std::string classColumns(const ModelInfo& model, const BatchRecord& record) {
  if (record.result.logits.empty()) return ",,,,";
  const Prediction merged = topPredictions(record.result.logits, model.labels, 1).front();
  if (record.baseline.logits.empty()) {
    return fmt::format("{},{:.6f},,,", quoted(merged.label), merged.probability);
  }
  const Prediction before = topPredictions(record.baseline.logits, model.labels, 1).front();
  return fmt::format("{},{:.6f},{},{:.6f},{}", quoted(merged.label), merged.probability,
                     quoted(before.label), before.probability, merged.index == before.index);
}

}  // namespace

std::string batchTableHeader() {
  return "image,method,settings,calibrated,flops_paper_g,flops_paper_percent,flops_total_g,"
         "tokens_in,tokens_out,top1,top1_probability,unmerged_top1,unmerged_probability,"
         "top1_agrees,logit_cosine,kl_divergence,embedding_cosine\n";
}

std::string batchTableLine(const ModelInfo& model, const BatchRecord& record) {
  const ImageResult& result = record.result;
  std::string flops = ",,";
  if (result.flops.paper > 0) {
    flops = fmt::format("{:.6f},", result.flops.paper);
    if (record.baseline.flops.paper > 0) {
      flops += fmt::format("{:.3f}", 100 * result.flops.paper / record.baseline.flops.paper);
    }
    flops += result.flops.total > 0 ? fmt::format(",{:.6f}", result.flops.total) : ",";
  }
  std::string logits = ",";
  if (!result.logits.empty() && !record.baseline.logits.empty()) {
    const Fidelity fidelity = compareLogits(record.baseline.logits, result.logits);
    logits = fmt::format("{:.6f},{:.6f}", fidelity.logit_cosine, fidelity.kl_divergence);
  }
  const std::string embedding =
      result.embedding.empty() ? ""
                               : fmt::format("{:.6f}", embeddingCosine(record.baseline, result));
  return fmt::format("{},{},{},{},{},{},{},{},{},{}\n", quoted(record.image), quoted(record.method),
                     quoted(record.settings), result.calibrated, flops,
                     result.layers.front().tokens_in, result.layers.back().tokens_out,
                     classColumns(model, record), logits, embedding);
}

BatchJob::BatchJob(QObject* parent) : QObject(parent) {}

void BatchJob::start(std::shared_ptr<const Engine> engine, BatchPlan plan) {
  if (running_) return;
  running_ = true;
  stop_ = {};
  jobs_.run(
      "batch", Urgency::kBackground,
      [this, engine = std::move(engine), plan = std::move(plan), own = stop_](
          const std::stop_token& closing, const Jobs::Tell& tell) mutable {
        // The end of the dialog stops it like the user.
        const std::stop_callback link(closing, [&own] { own.request_stop(); });
        const int total = static_cast<int>(plan.images.size());
        PaceMeter pace;
        pace.add(0, total);
        BatchRunner runner(*engine, plan, [&](int done, const QString& image) {
          pace.add(done, total);
          tell([this, progress = BatchProgress{done, total, pace.perSecond(), pace.secondsLeft(),
                                               image}] { emit progressed(progress); });
        });
        tell([this, summary = runner.run(own.get_token())] {
          running_ = false;
          emit ended(summary);
        });
      });
}

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
    runAll(stop);
  } catch (const Cancelled&) {
    summary_.cancelled = true;
  } catch (const std::exception& error) {
    summary_.problem = errorText(error);
  }
  if (summary_.runs > 0) writeTable();
  if (!summary_.cancelled && summary_.problem.isEmpty()) {
    journal_.remove();
    return summary_;
  }
  try {
    journal_.save();
  } catch (const Error& error) {
    if (summary_.problem.isEmpty()) summary_.problem = errorText(error);
  }
  return summary_;
}

void BatchRunner::runAll(const std::stop_token& stop) {
  // What does not suit the model is said once, before any image is read.
  for (const MethodChoice& choice : plan_.choices) engine_.prepare(choice, stop);
  int number = 0;
  for (const BatchImage& image : plan_.images) {
    throwIfStopped(stop);
    progress_(number++, QString::fromStdString(image.name));
    if (const FinishedImage* done = journal_.find(image)) {
      ++summary_.continued;
      count(*done);
      continue;
    }
    runImage(image, stop);
    orFail([&] { journal_.saveSometimes(); });
  }
  throwIfStopped(stop);
}

void BatchRunner::count(const FinishedImage& done) {
  table_ += done.lines;
  summary_.runs += done.runs;
  summary_.files += static_cast<int>(done.figures.size());
  ++summary_.images;
}

void BatchRunner::runImage(const BatchImage& image, const std::stop_token& stop) {
  FinishedImage done;
  try {
    throwIfStopped(stop);
    if (image.traced) {
      runTraced(image, stop, done);
    } else {
      runPicture(image, stop, done);
    }
  } catch (const Error& error) {
    const QString name = QString::fromStdString(image.name);
    const QString problem = errorText(error);
    summary_.skipped.append(problem.contains(name) ? problem
                                                   : name + QStringLiteral(": ") + problem);
    return;
  }
  count(done);
  journal_.add(image, done);
}

void BatchRunner::runPicture(const BatchImage& image, const std::stop_token& stop,
                             FinishedImage& done) {
  const auto original = std::make_shared<const Image>(loadImage(image.file));
  if (!original->note.empty()) note(fmt::format("{}: {}", image.name, original->note));
  throwIfStopped(stop);
  const auto prepared =
      std::make_shared<const PreparedImage>(prepareImage(*original, engine_.info().preprocessing));
  const std::span input(&prepared->input, 1);
  const RunOptions plain{.trace = false, .record = !plan_.kinds.empty()};
  const ImageResult baseline = engine_.run(input, {}, plain, stop).front();
  for (const MethodChoice& choice : plan_.choices) {
    const bool figures = !plan_.kinds.empty();
    const RunOptions options{.trace = figures, .record = figures};
    const ImageResult result = engine_.run(input, choice, options, stop).front();
    for (const std::string& warning : result.warnings) note(warning);
    std::string line = batchTableLine(
        engine_.info(),
        {image.name, choice.method, describe(choice, engine_.info().vit), result, baseline});
    const FigureSubject subject{
        engine_.info(),   image.file,      QString::fromStdString(image.file.filename().string()),
        original,         prepared,        choice,
        engine_.device(), engine_.dtype(), baseline.flops.paper};
    writeFigures(
        image, &choice, findMethod(choice.method).label,
        [&](const FigureKind& kind) {
          const FigureExtras extras{plan_.style.page.overlay,
                                    std::nullopt,
                                    nullptr,
                                    {},
                                    lensOf(kind.id, result, baseline, stop)};
          return makeFigureInput(subject, result, plan_.blockOf(kind), extras);
        },
        stop, done);
    done.lines += line;
    ++done.runs;
  }
}

void BatchRunner::runTraced(const BatchImage& image, const std::stop_token& stop,
                            FinishedImage& done) {
  const PicturePtr picture = openTracedPicture(image.file, *image.traced);
  const InspectionPtr shown = inspectionOf(picture, picture);
  const TraceInfo& info = *shown->traced->info;
  for (const std::string& warning : shown->result.warnings) note(warning);
  writeFigures(
      image, nullptr, info.file.filename().string(),
      [&](const FigureKind& kind) {
        FigureExtras extras{plan_.style.page.overlay, std::nullopt};
        const OverlayKind content = figureContent(kind.id).value_or(extras.overlay.kind);
        if (content == OverlayKind::kAttention && kind.id != "heads") {
          extras.lens = recordedAttention(shown->result);
        }
        if (adamerge::lensOf(content) && extras.lens == nullptr) {
          throw Error(fmt::format(
              "a trace holds no run of the network that the {} figure could be computed from",
              kind.id));
        }
        return makeFigureInput(*shown, plan_.blockOf(kind), extras);
      },
      stop, done);
  done.lines += batchTableLine(shown->model->info, {image.name, info.method, describe(info),
                                                    shown->result, *shown->baseline});
  ++done.runs;
}

void BatchRunner::writeFigures(const BatchImage& image, const MethodChoice* choice,
                               const std::string& method,
                               const std::function<FigureInput(const FigureKind&)>& make,
                               const std::stop_token& stop, FinishedImage& done) {
  for (const FigureKind& kind : figureKinds()) {
    if (std::find(plan_.kinds.begin(), plan_.kinds.end(), kind.id) == plan_.kinds.end()) continue;
    FigureInput input;
    try {
      input = make(kind);
      figureSize(kind.id, input, plan_.style.page);
    } catch (const Error& error) {
      note(fmt::format("{}: {}", method, errorText(error).toStdString()));
      continue;
    }
    for (const FigureFormat format : plan_.formats) {
      throwIfStopped(stop);
      const std::filesystem::path file = plan_.figure(image, choice, kind, format);
      orFail([&] { writeFigure(kind.id, input, plan_.style.page, format, file); });
      done.figures.push_back(file.lexically_relative(plan_.output).string());
    }
  }
}

/// nullptr: the figure shows no lens.
std::shared_ptr<const LensPictures> BatchRunner::lensOf(const std::string& kind,
                                                        const ImageResult& result,
                                                        const ImageResult& baseline,
                                                        const std::stop_token& stop) const {
  const OverlayStyle& style = plan_.style.page.overlay;
  const std::optional<LensKind> lens = adamerge::lensOf(figureContent(kind).value_or(style.kind));
  if (!lens) return nullptr;
  LensQuery query;
  query.kind = *lens;
  query.token.index = style.prefix_token;
  query.head = style.head;
  query.looked_at = style.looked_at;
  query.foreground = style.foreground;
  return lensPictures(*result.recording, baseline.recording.get(),
                      kind == "strip" ? -1 : plan_.style.block, query, stop);
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
