// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/evaluation_task.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <future>
#include <map>
#include <optional>
#include <thread>

#include "adamerge/engine.h"
#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/pace.h"
#include "adamerge/report.h"
#include "bench/data.h"
#include "bench/evaluation.h"
#include "bench/jobs.h"

namespace adamerge::ui {
namespace {

constexpr std::size_t kTierImages = 32;  ///< as `adamerge evaluate --flops` draws them

/// What an evaluation tells while it runs; on its own thread.
struct Tellers {
  std::function<void(const QString&)> preparing;
  std::function<void(const Progress&, const PaceMeter&)> progressed;
  std::function<void(const EvaluationReportPtr&)> measured;
};

std::vector<MeasuredChoice> matched(const Engine& engine, const Dataset& dataset,
                                    const EvaluationRequest& wanted, const std::string& chosen_by,
                                    const Tellers& tell, const std::stop_token& stop) {
  const auto before =
      matchedBefore(keptChoices(wanted.state, chosen_by), wanted.methods, wanted.tiers);
  if (before) return *before;
  const std::size_t total = pointCount(wanted) - 1 - wanted.exact.size();
  const auto count = [&](std::size_t found) {
    tell.preparing(QObject::tr("Finding settings for the FLOPs: %1 of %2").arg(found).arg(total));
  };
  std::size_t found = 0;
  count(found);
  return matchTiers(
      engine, dataset.sample(kTierImages, wanted.seed), wanted.methods, wanted.tiers,
      [&](const TierMatch&) { count(++found); }, {}, stop);
}

/// nullptr: nothing was measured.
EvaluationReportPtr measure(const Engine& engine, const EvaluationRequest& wanted,
                            const Tellers& tell, const std::stop_token& stop) {
  const OutputLock lock(wanted.state);
  std::error_code gone_already;
  const std::filesystem::path rows = picturesFile(wanted.state);
  if (wanted.anew) {
    for (const auto& file : {wanted.state, rows}) std::filesystem::remove(file, gone_already);
  }
  tell.preparing(QObject::tr("Looking for images…"));
  const Dataset dataset = Dataset::open(wanted.data, engine.info(), wanted.dataset, stop)
                              .sample(wanted.limit, wanted.seed);
  EvaluationOptions options;
  options.batch = backgroundBatch(engine);
  options.lanes = backgroundLanes(engine);
  options.state = wanted.state;
  // What an older version kept goes on without rows of its images.
  const bool kept = std::filesystem::exists(wanted.state, gone_already);
  if (!kept || std::filesystem::exists(rows, gone_already)) options.pictures = rows;
  std::vector<MeasuredChoice> choices;
  if (wanted.tiers.empty()) {
    choices = countedChoices(wanted);
  } else {
    options.chosen_by = fmt::format("FLOPs of {} G on {} images drawn with seed {}",
                                    fmt::join(wanted.tiers, ", "), kTierImages, wanted.seed);
    choices = matched(engine, dataset, wanted, options.chosen_by, tell, stop);
    for (const MethodChoice& choice : wanted.exact) choices.push_back({choice, std::nullopt});
  }
  options.interim = [&](const Evaluation& evaluation) {
    tell.measured(makeReport(evaluation, engine.info(), wanted.data, dataset.notes()));
  };
  PaceMeter pace;
  const auto progress = [&](const Progress& now) {
    pace.add(now.done, now.total);
    if (pace.isDue()) tell.progressed(now, pace);
  };
  Evaluation evaluation = evaluate(engine, dataset, choices, options, progress, stop);
  if (evaluation.images() == 0) return nullptr;
  return makeReport(std::move(evaluation), engine.info(), wanted.data, dataset.notes(),
                    options.pictures);
}

}  // namespace

EvaluationTask::EvaluationTask(QObject* parent) : QObject(parent) {}

void EvaluationTask::end() { running_ = false; }

void EvaluationTask::start(std::shared_ptr<const Engine> engine, const EvaluationRequest& request) {
  if (running_ || engine == nullptr) return;
  request_ = request;
  running_ = true;
  stop_ = {};
  jobs_.run("evaluation", Urgency::kBackground,
            [this, engine = std::move(engine), request, own = stop_](
                const std::stop_token& closing, const Jobs::Tell& tell) mutable {
              // The end of the program stops it like the user: what is finished is kept.
              const std::stop_callback link(closing, [&own] { own.request_stop(); });
              yieldToOthers();
              const Tellers tellers{
                  [&](const QString& what) { tell([this, what] { emit preparing(what); }); },
                  [&](const Progress& now, const PaceMeter& pace) {
                    tell([this, done = now.done, total = now.total, rate = pace.perSecond(),
                          left = pace.secondsLeft()] { emit progressed(done, total, rate, left); });
                  },
                  [&](const EvaluationReportPtr& report) {
                    tell([this, report] { emit measured(report); });
                  }};
              const auto finish = [&](const std::function<void()>& say) {
                tell([this, say] {
                  end();
                  say();
                });
              };
              try {
                const EvaluationReportPtr report =
                    measure(*engine, request, tellers, own.get_token());
                finish([this, report] { emit ended(report); });
              } catch (const Cancelled&) {
                finish([this] { emit ended(nullptr); });
              } catch (const UnusableState& error) {
                finish([this, message = errorText(error)] { emit refused(message); });
              } catch (const std::exception& error) {
                finish([this, message = errorText(error)] { emit failed(message); });
              }
            });
  emit started();
}

void EvaluationTask::stop() {
  if (running_) stop_.request_stop();
}

namespace {

/// For an image of one choice, run as the evaluation would; of an image that is all grey, since
/// what is in it changes little.
double timed(const Engine& engine, const MethodChoice& choice, const std::stop_token& stop) {
  const VitConfig& vit = engine.info().vit;
  InputTensor grey;
  grey.height = vit.input_height;
  grey.width = vit.input_width;
  grey.values.assign(static_cast<std::size_t>(3) * grey.height * grey.width, 0.0F);
  const std::vector<InputTensor> batch(backgroundBatch(engine), grey);
  const auto run = [&] { engine.run(batch, choice, {.trace = false}, stop); };
  const int lanes = backgroundLanes(engine);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::future<void>> others;
  for (int lane = 1; lane < lanes; ++lane) others.push_back(std::async(std::launch::async, run));
  run();
  for (std::future<void>& other : others) other.get();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  return spent.count() / static_cast<double>(batch.size() * static_cast<std::size_t>(lanes));
}

}  // namespace

struct EvaluationSurveyor::Memory {
  std::string data;  ///< which set is the one below
  std::optional<Dataset> dataset;
  std::shared_ptr<const Engine> engine;
  std::map<std::string, double> seconds;  ///< per image, by choice

  const Dataset& open(const EvaluationRequest& request, const std::stop_token& stop) {
    const std::string wanted = request.data.string() + '\n' + request.dataset.labels.string() +
                               (request.dataset.unlabelled ? "\n-" : "\n");
    if (!dataset || data != wanted) {
      dataset.reset();
      dataset = Dataset::open(request.data, engine->info(), request.dataset, stop);
      data = wanted;
    }
    return *dataset;
  }

  double secondsOf(const MethodChoice& choice, const std::stop_token& stop) {
    // The first run of an engine takes longer than those after it.
    if (seconds.empty()) timed(*engine, {}, stop);
    const std::string name = describe(choice);
    const auto known = seconds.find(name);
    if (known != seconds.end()) return known->second;
    return seconds[name] = timed(*engine, choice, stop);
  }

  /// Of a method over a range the one in the middle is timed.
  double secondsOf(const EvaluationRequest& request, const std::stop_token& stop) {
    double sum = secondsOf(MethodChoice{}, stop);
    if (!request.tiers.empty()) {
      for (const MethodChoice& method : request.methods) {
        if (compressionKnob(method) == nullptr) continue;
        sum += static_cast<double>(request.tiers.size()) * secondsOf(method, stop);
      }
      for (const MethodChoice& choice : request.exact) sum += secondsOf(choice, stop);
      return sum;
    }
    const std::vector<MeasuredChoice> choices = countedChoices(request);
    for (std::size_t first = 0, end = 0; first < choices.size(); first = end) {
      while (end < choices.size() &&
             sameButCompression(choices[first].choice, choices[end].choice)) {
        ++end;
      }
      sum += static_cast<double>(end - first) *
             secondsOf(choices[first + (end - first) / 2].choice, stop);
    }
    return sum;
  }
};

EvaluationSurveyor::EvaluationSurveyor(QObject* parent)
    : QObject(parent), memory_(std::make_shared<Memory>()) {}

EvaluationSurveyor::~EvaluationSurveyor() = default;

void EvaluationSurveyor::survey(std::shared_ptr<const Engine> engine,
                                const EvaluationRequest& request) {
  jobs_.run(kKey, Urgency::kBackground,
            [this, engine = std::move(engine), request, memory = memory_](
                const std::stop_token& stop, const Jobs::Tell& tell) {
              yieldToOthers();
              if (memory->engine != engine) *memory = {{}, std::nullopt, engine, {}};
              EvaluationSurvey survey;
              const auto say = [&] { tell([this, survey] { emit surveyed(survey); }); };
              try {
                const Dataset& dataset = memory->open(request, stop);
                survey.total = dataset.size();
                survey.images = dataset.sample(request.limit, request.seed).size();
                say();
                survey.seconds =
                    static_cast<double>(survey.images) * memory->secondsOf(request, stop);
              } catch (const Cancelled&) {
                throw;
              } catch (const std::exception& error) {
                survey.problem = errorText(error);
              }
              say();
            });
}

}  // namespace adamerge::ui
