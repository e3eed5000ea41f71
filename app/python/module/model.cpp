// SPDX-License-Identifier: GPL-3.0-or-later
#include "model.h"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <span>
#include <utility>

#include "adamerge/trace_file.h"
#include "calls.h"
#include "packed.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::python {
namespace {

namespace py = pybind11;

/// A news at least so often, so that signals are heard.
constexpr std::chrono::milliseconds kBetweenLooks{50};

/// `add` declares the options on the command line `name`, which is to outlive what they were
/// declared for. Throws UsageError.
template <typename Add>
[[nodiscard]] std::unique_ptr<const CLI::App> parse(const std::string& name, Arguments arguments,
                                                    const Add& add) {
  auto app = std::make_unique<CLI::App>("", "adamerge " + name);
  add(*app);
  std::reverse(arguments.begin(), arguments.end());
  try {
    app->parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    throw cli::UsageError(cli::usageText(*app, error));
  }
  return app;
}

Image imageOf(const py::buffer& pixels) {
  const py::buffer_info info = pixels.request();
  const bool whole = info.ndim == 3 && info.shape[2] == 3 && info.itemsize == 1 &&
                     info.strides[2] == 1 && info.strides[1] == 3 &&
                     info.strides[0] == 3 * info.shape[1];
  if (!whole) throw Error("a picture is [height, width, 3] of uint8");
  Image image;
  image.height = static_cast<int>(info.shape[0]);
  image.width = static_cast<int>(info.shape[1]);
  const auto* const first = static_cast<const std::uint8_t*>(info.ptr);
  image.pixels.assign(first, first + info.size);
  return image;
}

}  // namespace

Run::Run(std::shared_ptr<const Engine> engine, std::shared_ptr<const cli::Inspection> inspection,
         cli::InspectedImage image)
    : engine_(std::move(engine)), inspection_(std::move(inspection)), image_(std::move(image)) {
  // Those of many runs would fill the memory.
  image_.report.result.recording.reset();
  image_.report.baseline.recording.reset();
}

std::string Run::json() const {
  return call([&](const std::stop_token& /*stop*/) {
    return inspectJson(*engine_, std::span(&image_.report, 1), /*as_array=*/false);
  });
}

py::dict Run::block(int index) const {
  const LayerTrace& layer = image_.report.result.layers.at(static_cast<std::size_t>(index));
  py::dict block;
  block["index"] = layer.index;
  block["tokens_in"] = layer.tokens_in;
  block["tokens_out"] = layer.tokens_out;
  block["groups"] = packed(layer.groups);
  block["salience"] = packedIfAny(layer.salience);
  block["attention"] = packedIfAny(layer.attention);
  block["dropped"] = packed(layer.dropped);
  block["redundancy"] = layer.redundancy;
  block["z"] = layer.z;
  return block;
}

std::vector<std::string> Run::warnings() const {
  std::vector<std::string> sentences;
  for (const std::string& note : image_.report.notes) {
    sentences.push_back(fmt::format("{}: {}", image_.report.image, note));
  }
  const std::vector<std::string>& own = image_.report.result.warnings;
  sentences.insert(sentences.end(), own.begin(), own.end());
  return sentences;
}

py::tuple Run::logits() const { return packed(image_.report.result.logits); }
py::tuple Run::embedding() const { return packed(image_.report.result.embedding); }

py::dict Run::flops() const {
  py::dict flops;
  flops["paper"] = image_.report.result.flops.paper;
  flops["total"] = image_.report.result.flops.total;
  flops["baseline_paper"] = image_.report.baseline.flops.paper;
  flops["baseline_total"] = image_.report.baseline.flops.total;
  return flops;
}

void Run::writeFigures(const Arguments& arguments) {
  cli::FigureOptions figures;
  cli::LensOptions lenses;
  const auto command = parse("inspect", arguments, [&](CLI::App& app) {
    figures.addTo(app);
    lenses.addTo(app);
  });
  runCall([&](const std::stop_token& stop) {
    cli::checkFigures(figures, inspection_->choice(), /*compares=*/false);
    cli::requireLayers(figures, engine_->info());
    lenses.check(engine_->info(), figures.kinds(), figures.overlay(), figures.all());
    if (!figures.showsLens()) {
      inspection_->writeFigures(image_, figures, lenses, stop);
      return;
    }
    cli::InspectedImage recorded = image_;
    inspection_->recordAgain(recorded, stop);
    inspection_->writeFigures(recorded, figures, lenses, stop);
  });
}

void Run::writeTrace(const std::filesystem::path& path) const {
  const InspectReport& report = image_.report;
  const TraceRecord record{report.image, &image_.prepared.view, &report.result, &report.baseline};
  adamerge::writeTrace(path, engine_->info(), inspection_->choice(), std::span(&record, 1),
                       "adamerge " ADAMERGE_VERSION " (Python)");
}

EvaluationRun::EvaluationRun(std::shared_ptr<const Engine> engine, const cli::EngineChoice& choice,
                             Arguments arguments)
    : engine_(std::move(engine)), seed_(choice.seed()), threads_(choice.threads()) {
  command_ = parse("evaluate", std::move(arguments), [&](CLI::App& app) { subject_.addTo(app); });
  subject_.choices().check();
  thread_ = std::jthread([this](const std::stop_token& stop) { measure(stop); });
}

EvaluationRun::~EvaluationRun() {
  const py::gil_scoped_release released;
  thread_.request_stop();
  thread_.join();
}

void EvaluationRun::measure(const std::stop_token& stop) {
  try {
    cli::Terminal terminal(/*quiet=*/false);
    const auto warn = [this](const std::string& sentence) {
      const std::lock_guard lock(mutex_);
      warnings_.push_back(sentence);
    };
    terminal.tell(warn);
    const Dataset dataset = subject_.open(engine_->info(), seed_, stop);
    for (const std::string& note : dataset.notes()) warn(note);
    const ProgressCallback progress = [this](const Progress& now) { tell(now); };
    const std::vector<MeasuredChoice> choices =
        subject_.choices().make(*engine_, dataset, seed_, {}, /*print=*/false, terminal, stop);
    EvaluationOptions how;
    how.batch = subject_.batch();
    how.lanes = engine_->device() == "cpu" ? threads_ : 1;
    how.decoders = cli::EvaluationSubject::decoders(threads_);
    const auto points = [this](const Evaluation& evaluation) {
      std::string json = evaluationJson(evaluation, "adamerge.Model.evaluate");
      const std::lock_guard lock(mutex_);
      news_.json = std::move(json);
    };
    how.interim = [&](const Evaluation& evaluation) {
      if (evaluation.images() > 0) points(evaluation);
    };
    const Evaluation evaluation =
        adamerge::evaluate(*engine_, dataset, choices, how, progress, stop);
    throwIfStopped(stop);
    for (const std::string& note : evaluation.image_notes) warn(note);
    for (const std::string& warning : evaluation.warnings) warn(warning);
    for (const SkippedImage& image : evaluation.skipped) warn(image.reason);
    points(evaluation);
    tell({"evaluating", static_cast<std::int64_t>(evaluation.done),
          static_cast<std::int64_t>(evaluation.total)});
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  over_ = true;
  changed_.notify_all();
}

void EvaluationRun::tell(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  news_.stage = progress.stage;
  news_.done = progress.done;
  news_.total = progress.total;
  is_new_ = true;
  changed_.notify_all();
}

std::optional<py::dict> EvaluationRun::next() {
  News news;
  for (bool heard = false; !heard;) {
    {
      const py::gil_scoped_release released;
      std::unique_lock lock(mutex_);
      heard = changed_.wait_for(lock, kBetweenLooks, [this] { return is_new_ || over_; });
      if (is_new_) news = news_;
    }
    if (PyErr_CheckSignals() != 0) {
      thread_.request_stop();
      throw py::error_already_set();
    }
  }
  const std::lock_guard lock(mutex_);
  if (!std::exchange(is_new_, false)) {
    if (failure_) std::rethrow_exception(failure_);
    return std::nullopt;
  }
  py::dict told;
  told["stage"] = news.stage;
  told["done"] = news.done;
  told["total"] = news.total;
  told["json"] = news.json;
  return told;
}

std::vector<std::string> EvaluationRun::warnings() {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

Model::Model(Arguments arguments) {
  const auto command =
      parse("info", std::move(arguments), [&](CLI::App& app) { choice_.addTo(app); });
  runCall([&](const std::stop_token& stop) {
    cli::Terminal terminal(/*quiet=*/false);
    terminal.tell([&](const std::string& sentence) { warnings_.push_back(sentence); });
    engine_ = std::make_shared<const Engine>(choice_.load(terminal, stop));
  });
}

std::unique_ptr<Run> Model::inspect(const std::variant<py::buffer, std::string>& image,
                                    const std::string& name, const std::string& method,
                                    const cli::WrittenSettings& settings) const {
  const auto* const path = std::get_if<std::string>(&image);
  Image pixels = path == nullptr ? imageOf(std::get<py::buffer>(image)) : Image();
  return call([&](const std::stop_token& stop) {
    auto inspection = std::make_shared<const cli::Inspection>(
        *engine_, cli::writtenChoice(method, settings), std::nullopt, stop);
    cli::InspectedImage inspected =
        inspection->inspect(name, path == nullptr ? std::move(pixels) : loadImage(*path), stop);
    return std::make_unique<Run>(engine_, std::move(inspection), std::move(inspected));
  });
}

std::unique_ptr<EvaluationRun> Model::evaluate(Arguments arguments) const {
  return std::make_unique<EvaluationRun>(engine_, choice_, std::move(arguments));
}

std::vector<std::string> Model::calibrate(Arguments arguments) const {
  cli::CalibrationSubject subject;
  const auto command =
      parse("calibrate", std::move(arguments), [&](CLI::App& app) { subject.addTo(app); });
  subject.check();
  return call([&](const std::stop_token& stop) {
    std::vector<std::string> told(1);
    cli::Terminal terminal(/*quiet=*/false);
    terminal.tell([&](const std::string& sentence) { told.push_back(sentence); });
    auto outcome = subject.run(*engine_, choice_.seed(), terminal, stop);
    told.front() = std::move(outcome.sentence);
    if (!outcome.left_out.empty()) told.push_back(std::move(outcome.left_out));
    return told;
  });
}

}  // namespace adamerge::python
