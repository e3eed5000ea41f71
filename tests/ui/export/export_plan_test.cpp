// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/export_plan.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QtTest>

#include "../../imaging/unprivileged.h"
#include "adamerge/report.h"
#include "export/figure_source.h"
#include "export/plot_source.h"
#include "export_fixture.h"
#include "plots/tokens_plot.h"
#include "sample_inspection.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

}  // namespace

class ExportPlanTest : public QObject {
  Q_OBJECT
 private:
  ExportRequest request(const QString& name, const QStringList& data = {}) const {
    ExportRequest made;
    made.sources = figureSources(context_);
    made.options.folder = QString::fromStdString(folder_->path().string());
    made.options.name = name;
    made.options.format = FigureFormat::kSvg;
    made.options.data = data;
    made.style.block = 5;
    return made;
  }
  QStringList names(const ExportRequest& request) const {
    QStringList list;
    for (const ExportItem& item : planExport(context_, request)) {
      list.append(QString::fromStdString(item.path.filename().string()));
    }
    return list;
  }

  ExportContext context_;
  std::unique_ptr<adamerge::test::TemporaryFolder> folder_;

 private slots:
  void initTestCase() { context_ = sampleContext(); }
  void init() { folder_ = std::make_unique<adamerge::test::TemporaryFolder>(); }

  void namesSayWhatIsShown() {
    const QStringList list = names(request("{image}-{figure}{block}", {"trace"}));
    QVERIFY(list.contains("bird-groups-block06.svg"));
    QVERIFY(list.contains("bird-overview.svg"));
    QVERIFY(list.contains("bird-trace.csv"));
  }

  void plotsBringTheirNumbers() {
    TokensPlot plot;
    const Inspection& pane = *context_.panes[0];
    plot.setResults(
        {{0, pane.choice, context_.panes[0], nullptr, nullptr, pane.model->unmerged.paper}}, 0, 5,
        std::nullopt);
    ExportRequest made = request("{figure}", {kPlotTables});
    made.sources = plotSources({&plot}, context_);
    made.sources.push_back(figureSources(context_).front());
    const std::vector<ExportItem> items = planExport(context_, made);
    QCOMPARE(items.size(), 3U);
    QCOMPARE(writeItems(items), QString());
    QFile csv(QString::fromStdString((folder_->path() / "tokens.csv").string()));
    QVERIFY(csv.open(QIODevice::ReadOnly));
    QCOMPARE(QString::fromUtf8(csv.readAll()), plotTable(plot.content(), {}, ','));
  }

  void oneNameForAllIsToldApart() {
    const QStringList list = names(request("figure 1"));
    QCOMPARE(QSet<QString>(list.begin(), list.end()).size(), list.size());
    QVERIFY(list.contains("figure 1-groups.svg"));
    ExportRequest single = request("figure 1");
    single.sources.resize(1);
    QCOMPARE(names(single), QStringList{"figure 1.svg"});
  }

  void mistakesAreSaidBeforeAnythingIsWritten() {
    QVERIFY(errorOf([&] { names(request("{imgae}")); }).contains("{imgae}"));
    ExportRequest empty = request("a");
    empty.sources.clear();
    QVERIFY(errorOf([&] { names(empty); }).contains("nothing is chosen"));
    ExportRequest nowhere = request("a");
    nowhere.options.folder = " ";
    QVERIFY(errorOf([&] { names(nowhere); }).contains("no folder"));
    nowhere.options.folder = "figures";
    QVERIFY(errorOf([&] { names(nowhere); }).contains("the whole path"));
  }

  void dataAreTheCores() {
    ExportRequest made = request("d", {"trace", "merges", "inspection", "settings"});
    made.sources.clear();
    QCOMPARE(writeItems(planExport(context_, made)), QString());
    QCOMPARE(filesBelow(folder_->path()),
             (std::vector<std::string>{"d-inspection.json", "d-merges.csv", "d-settings.json",
                                       "d-trace.csv"}));
    const Inspection& pane = *context_.panes[0];
    QCOMPARE(bytesOf(folder_->path() / "d-trace.csv").toStdString(), traceCsv(pane.result));
    QCOMPARE(bytesOf(folder_->path() / "d-merges.csv").toStdString(), mergesCsv(pane.result));
    const auto json =
        QJsonDocument::fromJson(bytesOf(folder_->path() / "d-inspection.json")).object();
    QCOMPARE(json["method"].toString(), QString("adamerge"));
    QCOMPARE(json["flops"].toObject()["paper"].toDouble(), pane.result.flops.paper);
    const auto settings =
        parseProvenance(bytesOf(folder_->path() / "d-settings.json").trimmed().toStdString());
    QVERIFY(settings.at(0).choice.settings == pane.choice.settings);
  }

  void missingFoldersAreMade() {
    ExportRequest made = request("a");
    made.sources.resize(1);
    made.options.folder += "/new/folder";
    QCOMPARE(writeItems(planExport(context_, made)), QString());
    QVERIFY(fs::exists(folder_->path() / "new/folder/a.svg"));
  }

  void unwritablePlacesGiveOneSentenceAndLeaveNothing() {
    const auto expectOneSentence = [&](const QString& folder) {
      for (const FigureFormat format : allFormats()) {
        ExportRequest made = request("a", {"trace"});
        made.options.folder = folder;
        made.options.format = format;
        const QString problem = writeItems(planExport(context_, made));
        QVERIFY2(problem.contains(folder), qPrintable(problem));
        QVERIFY(!problem.contains('\n'));
      }
    };
    const fs::path locked = folder_->path() / "locked";
    fs::create_directory(locked);
    fs::permissions(locked, fs::perms::owner_read | fs::perms::owner_exec);
    fs::permissions(folder_->path(), fs::perms::all);
    {
      const adamerge::test::Unprivileged nobody;
      expectOneSentence(QString::fromStdString(locked.string()));
    }
    fs::permissions(locked, fs::perms::all);
    {
      const FullDisk full(100);
      expectOneSentence(QString::fromStdString((folder_->path() / "full").string()));
    }
    QVERIFY(filesBelow(folder_->path()).empty());
  }

  void aFullDiskKeepsTheOldFile() {
    ExportRequest made = request("a");
    made.sources.resize(1);
    const std::vector<ExportItem> items = planExport(context_, made);
    QVERIFY(existingFiles(items).empty());
    QCOMPARE(writeItems(items), QString());
    QCOMPARE(existingFiles(items).size(), std::size_t{1});
    const QByteArray before = bytesOf(items[0].path);
    {
      const FullDisk full(100);
      QVERIFY(writeItems(items).contains("cannot be written"));
    }
    QVERIFY(bytesOf(items[0].path) == before);
    QCOMPARE(filesBelow(folder_->path()).size(), std::size_t{1});
  }
};

ADAMERGE_UI_TEST(ExportPlanTest)

}  // namespace adamerge::ui::test

#include "export_plan_test.moc"
