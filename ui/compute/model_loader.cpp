// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/model_loader.h"

#include <QFile>
#include <atomic>
#include <chrono>

#include "adamerge/error.h"
#include "compute/error_text.h"
#include "compute/mailbox.h"
#include "compute/worker.h"

namespace adamerge::ui {
namespace {

constexpr const char* kKey = "load";

/// Lets a report through now and then, and whenever a new stage begins.
class Throttle {
 public:
  bool due(std::string_view stage) {
    const auto now = std::chrono::steady_clock::now();
    if (stage == stage_ && now - last_ < std::chrono::milliseconds(50)) return false;
    stage_ = stage;
    last_ = now;
    return true;
  }

 private:
  std::string stage_;
  std::chrono::steady_clock::time_point last_;
};

QString displayName(const std::filesystem::path& path) {
  const std::filesystem::path last =
      path.has_filename() ? path.filename() : path.parent_path().filename();
  return QFile::decodeName(last.c_str());
}

}  // namespace

struct ModelLoader::State {
  std::shared_ptr<Mailbox> mailbox;
  std::uint64_t ticket = 0;
  bool loading = false;
  EngineOptions wanted;
  EngineOptions options;
  Worker worker;
};

ModelLoader::ModelLoader(QObject* parent) : QObject(parent), state_(std::make_unique<State>()) {
  state_->mailbox = std::make_shared<Mailbox>(this);
}

ModelLoader::~ModelLoader() { state_->mailbox->close(); }

bool ModelLoader::loading() const { return state_->loading; }

EngineOptions ModelLoader::options() const { return state_->options; }

void ModelLoader::load(const std::filesystem::path& path, const EngineOptions& options) {
  const std::uint64_t ticket = ++state_->ticket;
  state_->loading = true;
  state_->wanted = options;
  emit started(displayName(path));

  const auto deliver = [this, ticket, mailbox = state_->mailbox](std::function<void()> call) {
    mailbox->post([this, ticket, call = std::move(call)] {
      if (ticket == state_->ticket) call();
    });
  };
  state_->worker.submit(
      kKey, Urgency::kInteractive, [this, path, options, deliver](const std::stop_token& stop) {
        try {
          Throttle throttle;
          const auto report = [&](const Progress& progress) {
            if (!throttle.due(progress.stage)) return;
            deliver([this,
                     stage = QString::fromUtf8(progress.stage.data(),
                                               static_cast<int>(progress.stage.size())),
                     done = progress.done,
                     total = progress.total] { emit progressed(stage, done, total); });
          };
          const auto engine = std::make_shared<Engine>(Engine::load(path, options, report, stop));
          const LoadedModelPtr model = describeModel(*engine);
          deliver([this, engine, model] {
            state_->loading = false;
            state_->options = state_->wanted;
            emit loaded(engine, model);
          });
        } catch (const Cancelled&) {
          throw;
        } catch (const std::exception& error) {
          deliver([this, message = errorText(error)] {
            state_->loading = false;
            emit failed(message);
          });
        }
      });
}

void ModelLoader::cancel() {
  if (!state_->loading) return;
  ++state_->ticket;
  state_->loading = false;
  state_->worker.cancel(kKey);
  emit cancelled();
}

LoadedModelPtr describeModel(const Engine& engine) {
  static std::atomic<std::uint64_t> ids{0};
  auto model = std::make_shared<LoadedModel>();
  model->id = ++ids;
  model->info = engine.info();
  model->device = engine.device();
  model->dtype = engine.dtype();
  model->statistics = engine.statistics();
  model->statistics_problem = engine.statisticsProblem();
  model->unmerged = unmergedFlops(engine.info().vit);
  return model;
}

}  // namespace adamerge::ui
