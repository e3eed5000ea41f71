// SPDX-License-Identifier: GPL-3.0-or-later
// How quick the studio feels, on the real window: adamerge_studio_benchmark [--json FILE]
// [MODEL [IMAGE]]. Without a display it draws offscreen.
#include <fmt/format.h>

#include <QCommandLineParser>
#include <QDateTime>
#include <QProcess>
#include <QSaveFile>
#include <QTemporaryDir>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "measurement.h"
#include "parts.h"
#include "random_vit.h"

namespace adamerge::ui {
namespace {

constexpr const char* kPart = "ADAMERGE_BENCHMARK_PART";
constexpr const char* kSpawned = "ADAMERGE_BENCHMARK_SPAWNED";
constexpr int kStarts = 7;
constexpr double kSliderTarget = 50;
constexpr double kVitBaseTarget = 150;
constexpr int kMoves = 10'000;
constexpr int kLongestPart = 600'000;

/// One part, in this process.
int runPart(const std::string& part, int argc, char** argv) {
  FrameWatch watch(argc, argv);
  const Subject subject{argv[1], argv[2], argv[3]};
  if (part == "start") {
    const Clock::duration spawned(qEnvironmentVariable(kSpawned).toLongLong());
    measureStart(watch, subject, Clock::time_point(spawned));
  } else if (part == "slider") {
    measureSlider(watch, subject, std::atof(argv[4]));
  } else if (part == "view") {
    measureView(watch, subject);
  } else {
    measureMemory(watch, subject, std::atoi(argv[4]));
  }
  return 0;
}

std::string load() {
  std::array<double, 1> average{};
  return getloadavg(average.data(), 1) == 1 ? fmt::format("{:.2f}", average[0]) : "unknown";
}

class Benchmark {
 public:
  Benchmark(QString model, QString image) : model_(std::move(model)), image_(std::move(image)) {}

  void run() {
    std::vector<Measurement> starts = measure("start", {}, "float32");
    for (int i = 0; i < kStarts; ++i) {
      const std::vector<Measurement> again = measure("start", {}, "float32");
      for (std::size_t j = 0; j < starts.size(); ++j) {
        // The first only warms the disk.
        if (i == 0) starts[j].values.clear();
        starts[j].values.push_back(again[j].values.front());
      }
    }
    report("Start, warm disk", starts);
    for (const char* dtype : {"float32", "auto"}) {
      report(fmt::format("Slider, {}", dtype),
             measure("slider", {}, dtype, QString::number(kSliderTarget)));
    }
    for (const char* ratio : {"1", "2"}) {
      report(fmt::format("View, 1440 x 900, {} device pixels per pixel", ratio),
             measure("view", {{"QT_SCALE_FACTOR", ratio}}, "float32"));
    }
    report(fmt::format("Memory, {} moves of the slider", kMoves),
           measure("memory", {}, "float32", QString::number(kMoves)));
    const QTemporaryDir folder;
    const QString bundled = std::exchange(model_, folder.path() + "/vit-base-random");
    writeRandomVitBase(model_.toStdString());
    for (const char* dtype : {"float32", "auto"}) {
      report(fmt::format("ViT-B/16 at 224, random weights, {}", dtype),
             measure("slider", {}, dtype, QString::number(kVitBaseTarget)));
    }
    model_ = bundled;
  }

  const nlohmann::json& json() const { return json_; }

 private:
  std::vector<Measurement> measure(const QString& part, const std::map<QString, QString>& variables,
                                   const QString& dtype, const QString& argument = {}) const {
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const auto& [name, value] : variables) environment.insert(name, value);
    environment.insert(kPart, part);
    environment.insert("XDG_CONFIG_HOME", settings_.path());
    environment.insert("XDG_RUNTIME_DIR", settings_.path());
    environment.insert(kSpawned, QString::number(Clock::now().time_since_epoch().count()));
    process.setProcessEnvironment(environment);
    process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    process.start(QCoreApplication::applicationFilePath(), {model_, image_, dtype, argument});
    if (!process.waitForFinished(kLongestPart) || process.exitStatus() != QProcess::NormalExit ||
        process.exitCode() != 0) {
      fmt::print(stderr, "the part '{}' failed\n", part.toStdString());
      std::exit(1);
    }
    std::vector<Measurement> measurements;
    for (const QByteArray& line : process.readAllStandardOutput().split('\n')) {
      if (!line.isEmpty()) measurements.push_back(received(line.toStdString()));
    }
    return measurements;
  }

  void report(const std::string& title, const std::vector<Measurement>& measurements) {
    const std::string average = load();
    fmt::print("{} (load {})\n", title, average);
    if (measurements.empty()) fmt::print("  auto is float32 here\n");
    nlohmann::json part = {{"title", title}, {"load", average}};
    for (const Measurement& measurement : measurements) {
      fmt::print("{}\n", describe(measurement));
      part["measurements"].push_back(toJson(measurement));
    }
    std::fflush(stdout);
    json_.push_back(std::move(part));
  }

  QString model_;
  QString image_;
  QTemporaryDir settings_;
  nlohmann::json json_ = nlohmann::json::array();
};

int runBenchmark(int argc, char** argv) {
  const QCoreApplication application(argc, argv);
  QCommandLineParser parser;
  parser.setApplicationDescription("How quick the studio feels, on the real window.");
  parser.addHelpOption();
  const QCommandLineOption json("json", "Write the numbers to a file.", "FILE");
  parser.addOption(json);
  parser.addPositionalArgument("MODEL", "A model folder (default: the bundled one).", "[MODEL");
  parser.addPositionalArgument("IMAGE", "A picture (default: a bundled sample).", "[IMAGE]]");
  parser.process(application);
  const QStringList given = parser.positionalArguments();
  Benchmark benchmark(given.value(0, ADAMERGE_MODELS "/vit-tiny-cifar10"),
                      given.value(1, ADAMERGE_SAMPLES "/bird.png"));
  benchmark.run();
  if (!parser.isSet(json)) return 0;
  const nlohmann::json record = {
      {"cores", std::thread::hardware_concurrency()},
      {"qt", qVersion()},
      {"platform", qgetenv("QT_QPA_PLATFORM").toStdString()},
      {"date", QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString()},
      {"parts", benchmark.json()}};
  QSaveFile file(parser.value(json));
  const QByteArray text = QByteArray::fromStdString(record.dump(1) + "\n");
  if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.commit()) {
    fmt::print(stderr, "{} cannot be written: {}\n", parser.value(json).toStdString(),
               file.errorString().toStdString());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace adamerge::ui

int main(int argc, char** argv) {
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  const QByteArray part = qgetenv(adamerge::ui::kPart);
  if (!part.isEmpty()) return adamerge::ui::runPart(part.toStdString(), argc, argv);
  return adamerge::ui::runBenchmark(argc, argv);
}
