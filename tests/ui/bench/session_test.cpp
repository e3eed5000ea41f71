// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/session.h"

#include <QtTest>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "adamerge/error.h"
#include "bench_fixture.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

using adamerge::test::TemporaryFolder;
using Json = nlohmann::json;

Session fullSession() {
  Session session;
  session.model = bundledModelPath();
  session.engine.device = "cpu";
  session.engine.dtype = "bfloat16";
  session.engine.input_size = InputSize{56, 28};
  session.engine.resampling = Resampling::kBicubicOffset;
  session.engine.head = "/data/words.safetensors";
  session.engine.weight_set = "student";
  session.statistics = "/data/own.stats.json";
  session.picture = samplePath("ship");
  session.panes = {choiceOf("adamerge", {{"r_max", std::int64_t{24}}, {"salience", false}}),
                   choiceOf("tome", {{"r_per_block", std::vector<std::int64_t>{8, 4}}}),
                   choiceOf("pitome", {{"keep_ratio", 0.9}}),
                   choiceOf("adamerge", {{"partition", std::string("alternating")}})};
  session.pane_count = 4;
  session.active_pane = 2;
  session.equal_flops = true;
  session.overlay.kind = OverlayKind::kSalience;
  session.overlay.opacity = 0.4;
  session.overlay.colormap = Colormap::kTurbo;
  session.overlay.scale = SalienceScale::kRank;
  session.overlay.smooth = true;
  session.overlay.groups = GroupStyle::kOutline;
  session.overlay.dim_outside = false;
  session.overlay.windows = false;
  session.overlay.held = {{OverlayKind::kChange, {0.1, 0.7}}, {OverlayKind::kSalience, {1, 2}}};
  session.overlay.prefix_token = 3;
  session.overlay.head = 2;
  session.overlay.looked_at = true;
  session.overlay.foreground = Foreground::kBelow;
  session.overlay.from_other = true;
  session.block = 6;
  session.selected_patch = 17;
  session.compression_mode = CompressionMode::kPercent;
  session.evaluation = EvaluationSetup{
      "/data/test", "/data/map.txt", true,    250,     7,    {"adamerge", "tome"}, true,
      true,         "8,12",          "2:6:2", "20,40", "0.9"};
  session.preview = "iVBORw0KGgo=";
  session.window_geometry = "AdnQywADAAA=";
  session.window_state = "AAAA/w==";
  return session;
}

void requireEqual(const Session& a, const Session& b) {
  QCOMPARE(toJson(a), toJson(b));
  QCOMPARE(a.overlay, b.overlay);
  QVERIFY(a.evaluation == b.evaluation);
  QCOMPARE(a.panes.size(), b.panes.size());
  for (std::size_t i = 0; i < a.panes.size(); ++i) {
    QCOMPARE(a.panes[i].settings, b.panes[i].settings);
  }
}

std::string refusal(const std::string& text) {
  try {
    parseSession(text, "work.adamerge");
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

class SessionTest : public QObject {
  Q_OBJECT

 private slots:
  void textAndBack() {
    requireEqual(parseSession(toJson(fullSession()), "s"), fullSession());
    requireEqual(parseSession(toJson(Session{}), "s"), Session{});
    requireEqual(parseSession(R"({"adamerge_session": 1})", "s"), Session{});
  }

  void blocksAreNumberedAsPeopleDo() {
    QCOMPARE(Json::parse(toJson(fullSession()))["block"].get<int>(), 7);
  }

  void pathsBelowTheFileMoveWithIt() {
    const TemporaryFolder home;
    std::filesystem::create_directories(home.path() / "a/pictures");
    Session session = fullSession();
    session.picture = home.path() / "a/pictures/ship.png";
    session.folder = home.path() / "a";
    session.evaluation->data = home.path() / "a/test";
    saveSession(session, home.path() / "a/work.adamerge");
    std::ifstream file(home.path() / "a/work.adamerge");
    const Json json = Json::parse(file);
    QCOMPARE(json["picture"].get<std::string>(), std::string("pictures/ship.png"));
    QCOMPARE(json["model"].get<std::string>(), bundledModelPath().lexically_normal().string());

    std::filesystem::rename(home.path() / "a", home.path() / "b");
    const Session opened = openSession(home.path() / "b/work.adamerge");
    QCOMPARE(opened.picture, home.path() / "b/pictures/ship.png");
    QCOMPARE(opened.folder, home.path() / "b");
    QCOMPARE(opened.evaluation->data, home.path() / "b/test");
    QCOMPARE(opened.evaluation->labels, std::filesystem::path("/data/map.txt"));
    QCOMPARE(opened.model, bundledModelPath().lexically_normal());
  }

  void anUnwritableFileIsNamed() {
    QVERIFY_THROWS_EXCEPTION(Error, saveSession(Session{}, "/proc/nowhere/work.adamerge"));
    QVERIFY_THROWS_EXCEPTION(Error, openSession("/no/such/work.adamerge"));
  }

  void badFilesAreExplained_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* path, const char* value, const char* says) {
      QTest::newRow((std::string(path) + " = " + value).c_str())
          << QString(path) << QString(value) << QString(says);
    };
    row("", "[]", "the top level must be an object");
    row("/adamerge_session", "2", "\"adamerge_session\" must be a whole number from 1 to 1");
    row("/model", "7", "\"model\" must be text");
    row("/picture", "null", "\"picture\" must be text");
    row("/engine", "[]", "\"engine\" must be an object");
    row("/engine/device", "1", "\"engine.device\" must be text");
    row("/engine/dtype", "\"int4\"", "\"engine.dtype\" must be one of auto, float32");
    row("/engine/threads", "4", "\"engine.threads\" is no field");
    row("/engine/head", "1", "\"engine.head\" must be text");
    row("/engine/weight_set", "[]", "\"engine.weight_set\" must be text");
    row("/engine/resampling", "\"nearest\"", "must be one of timm, bicubic, offset, bilinear");
    row("/engine/input_size/height", "0", "\"engine.input_size.height\" must be a whole number");
    row("/engine/input_size", "{\"height\": 32}", "must have \"height\" and \"width\"");
    row("/panes", "{}", "\"panes\" must be a list");
    row("/panes", "[{},{},{},{},{}]", "\"panes\" must have at most 4 entries");
    row("/panes/1", "3", "\"panes[1]\" must be an object");
    row("/panes/1/method", "\"tomato\"", "there is no method 'tomato'; known are none, adamerge");
    row("/panes/1/settings", "[]", "\"panes[1].settings\" must be an object");
    row("/panes/1/settings/r_max", "3", "which is no setting of ToMe");
    row("/panes/0/settings/r_max", "\"many\"", "in \"panes[0].settings\": --r-max takes a whole");
    row("/panes/0/settings/r_max", "-1", "takes a whole number from 0");
    row("/panes/0/settings/r_max", "1.5", "takes a whole number from 0");
    row("/panes/0/settings/alpha", "1e400", "a number that is too large");
    row("/panes/0/settings/partition", "\"odd\"", "one of sequential, alternating");
    row("/panes/1/settings/r_per_block", "[1, \"x\"]", "must be a number, text, true, false");
    row("/panes/1/settings/r_per_block", "{}", "\"r_per_block\" in \"panes[1].settings\" must");
    row("/pane_count", "3", "\"pane_count\" must be 1, 2 or 4");
    row("/pane_count", "5", "from 1 to 4");
    row("/active_pane", "4", "\"active_pane\" must be a whole number from 0 to 3");
    row("/equal_flops", "\"yes\"", "\"equal_flops\" must be true or false");
    row("/overlay/opacity", "1.5", "\"overlay.opacity\" must be a number from 0 to 1");
    row("/overlay/kind", "\"heat\"", "\"overlay.kind\" must be one of none, salience");
    row("/overlay/colormap", "3", "\"overlay.colormap\" must be one of viridis");
    row("/overlay/smooth", "1", "\"overlay.smooth\" must be true or false");
    row("/block", "0", "\"block\" must be a whole number from 1");
    row("/block", "99999999999999", "\"block\" must be a whole number from 1");
    row("/selected_patch", "-1", "\"selected_patch\" must be a whole number from 0");
    row("/compression_mode", "\"fast\"", "must be one of count, flops, percent");
    row("/evaluation", "true", "\"evaluation\" must be an object");
    row("/evaluation/limit", "-1", "\"evaluation.limit\" must be a whole number from 0");
    row("/evaluation/methods", "[\"tomato\"]", "\"evaluation.methods\" must name methods that");
    row("/evaluation/r", "3", "\"evaluation.r\" must be text");
    row("/evaluation/colour", "1", "\"evaluation.colour\" is no field");
    row("/window_geometry", "\"no base 64!\"", "\"window_geometry\" must be base64 text");
    row("/colour", "1", "\"colour\" is no field that this version knows");
  }

  void badFilesAreExplained() {
    QFETCH(QString, path);
    QFETCH(QString, value);
    QFETCH(QString, says);
    // Values that JSON itself refuses are put into the text.
    Json json = Json::parse(toJson(fullSession()));
    json[Json::json_pointer(path.toStdString())] = "%VALUE%";
    const QString text = QString::fromStdString(json.dump()).replace("\"%VALUE%\"", value);
    const QString message = QString::fromStdString(refusal(text.toStdString()));
    QVERIFY2(message.startsWith("work.adamerge: not "), qPrintable(message));
    QVERIFY2(message.contains(says), qPrintable(message));
    QVERIFY2(!message.contains('\n'), qPrintable(message));
  }

  void tornFilesAreExplained() {
    QCOMPARE(refusal("{\n\"adamerge_session\": 1,\n\"pan"),
             std::string("work.adamerge: not a session: the JSON breaks off or goes wrong at "
                         "line 3"));
    QVERIFY(!refusal("").empty());
    QVERIFY(QString::fromStdString(refusal("{}")).contains("\"adamerge_session\" is missing"));
    const std::string whole = toJson(fullSession());
    for (std::size_t length = 0; length + 2 < whole.size(); length += 7) {
      QVERIFY2(!refusal(whole.substr(0, length)).empty(), std::to_string(length).c_str());
    }
  }

  void theWorkbenchComesBackAsItWas() {
    const TemporaryFolder folder;
    Session saved;
    {
      Workbench bench;
      QVERIFY(start(bench));
      bench.setPaneCount(2);
      bench.edit(0, choiceOf("adamerge", {{"r_max", std::int64_t{24}}, {"alpha", 2.0}}), "edit");
      bench.edit(1, choiceOf("pitome", {{"r", std::int64_t{5}}}), "edit");
      bench.setActivePane(1);
      QVERIFY(waitUntil([&] { return bench.settled(); }));
      bench.view().setBlock(3);
      bench.view().select(99);
      bench.view().setOverlay(fullSession().overlay);
      auto statistics = std::make_shared<Statistics>(*bench.model()->statistics);
      statistics->images = 3;
      bench.useStatistics(statistics);
      QVERIFY(waitUntil([&] { return bench.settled(); }));
      saved = captureSession(bench);
      keepStatistics(bench, folder.path() / "work.stats.json", saved);
      saveSession(saved, folder.path() / "work.adamerge");
    }
    Workbench bench;
    bench.sweeper().setEnabled(false);
    applySession(bench, openSession(folder.path() / "work.adamerge"));
    QVERIFY(waitUntil([&] { return bench.settled() && bench.view().selectedPatch(); }));
    QCOMPARE(bench.model()->statistics->images, 3);
    saved.statistics.clear();
    requireEqual(captureSession(bench), saved);
    QCOMPARE(bench.view().block(), 3);
    QCOMPARE(bench.view().selectedPatch(), std::optional<int>(99));
    QCOMPARE(bench.activeIndex(), 1);
    QCOMPARE(bench.history().count(), 0);
    QVERIFY(sameResult(bench.pane(1).inspection()->result,
                       directRun(choiceOf("pitome", {{"r", std::int64_t{5}}}))));
    // A session without statistics has those of its model.
    applySession(bench, saved);
    QVERIFY(bench.model()->statistics->images != 3);
  }

  void aSessionReplacesAnotherModelsSettings() {
    Workbench bench;
    bench.sweeper().setEnabled(false);
    bench.models().load(bundledModelPath(), {.input_size = InputSize{28, 28}});
    bench.pictures().open(samplePath("bird"));
    QVERIFY(waitUntil([&] { return bench.settled(); }));

    Session session;
    session.model = bundledModelPath();
    session.picture = "/no/such/picture.png";
    session.panes = {choiceOf("adamerge", {{"r_max", std::int64_t{150}}})};
    session.block = 2;
    QSignalSpy failed(&bench, &Workbench::failed);
    applySession(bench, session);
    QVERIFY(waitUntil([&] {
      return bench.model()->info.vit.patchTokens() == 196 && !failed.isEmpty() && bench.settled();
    }));
    // 150 is more than the small model takes, and was not cut to it on the way.
    QCOMPARE(bench.pane(0).compression(), 150);
    QCOMPARE(bench.view().block(), 2);
    QCOMPARE(bench.picture()->name, QString("bird.png"));
  }
};

}  // namespace

ADAMERGE_UI_TEST(SessionTest)

}  // namespace adamerge::ui::test

#include "session_test.moc"
