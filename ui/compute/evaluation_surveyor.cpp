// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/evaluation_surveyor.h"

#include <chrono>
#include <future>
#include <map>
#include <optional>

#include "adamerge/engine.h"
#include "adamerge/error.h"
#include "adamerge/report.h"
#include "compute/background_pace.h"
#include "compute/choice_family.h"
#include "compute/error_text.h"
#include "compute/mailbox.h"
#include "compute/worker.h"

namespace adamerge::ui {
namespace {

constexpr const char* kKey = "survey";

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

/// What was found out before; used by the worker's thread alone.
struct Memory {
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

}  // namespace

struct EvaluationSurveyor::State {
  std::shared_ptr<Mailbox> mailbox;
  std::shared_ptr<Memory> memory = std::make_shared<Memory>();
  std::uint64_t ticket = 0;
  Worker worker;
};

EvaluationSurveyor::EvaluationSurveyor(QObject* parent)
    : QObject(parent), state_(std::make_unique<State>()) {
  state_->mailbox = std::make_shared<Mailbox>(this);
}

EvaluationSurveyor::~EvaluationSurveyor() { state_->mailbox->close(); }

void EvaluationSurveyor::survey(std::shared_ptr<const Engine> engine,
                                const EvaluationRequest& request) {
  const auto deliver = [this, ticket = ++state_->ticket,
                        mailbox = state_->mailbox](const EvaluationSurvey& survey) {
    mailbox->post([this, ticket, survey] {
      if (ticket == state_->ticket) emit surveyed(survey);
    });
  };
  state_->worker.submit(kKey, Urgency::kBackground,
                        [engine = std::move(engine), request, deliver,
                         memory = state_->memory](const std::stop_token& stop) {
                          yieldToOthers();
                          if (memory->engine != engine) *memory = {{}, std::nullopt, engine, {}};
                          EvaluationSurvey survey;
                          try {
                            const Dataset& dataset = memory->open(request, stop);
                            survey.total = dataset.size();
                            survey.images = dataset.sample(request.limit, request.seed).size();
                            deliver(survey);
                            survey.seconds = static_cast<double>(survey.images) *
                                             memory->secondsOf(request, stop);
                          } catch (const Cancelled&) {
                            throw;
                          } catch (const std::exception& error) {
                            survey.problem = errorText(error);
                          }
                          deliver(survey);
                        });
}

void EvaluationSurveyor::drop() {
  ++state_->ticket;
  state_->worker.cancel(kKey);
}

}  // namespace adamerge::ui
