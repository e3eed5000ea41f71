// SPDX-License-Identifier: GPL-3.0-or-later
// Opening a model by name, against a hub on the loopback address.
#include "sources/hub_dialog.h"

#include <QtTest>
#include <QtWidgets>

#include "adamerge/hub.h"
#include "hub_server.h"
#include "look/message.h"
#include "look/theme.h"
#include "temporary_folder.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window_fixture.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

constexpr int kPatience = 20'000;

class HubDialogTest : public QObject {
  Q_OBJECT
 private slots:
  void initTestCase() { applyTheme(*qApp, Theme::kLight); }
  void init();
  void cleanup();
  void theSizeIsAskedForBeforeAnyWeightsAreFetched();
  void anotherNameTakesTheOfferBack();
  void theCacheIsListedAndOpensWithoutTheHub();
  void cancelsAtOnceAndGoesOnLater();
  void troubleHasItsSentence_data();
  void troubleHasItsSentence();
  void aPathIsOpenedAsSuch();
  void theWindowShowsTheModelByItsName();

 private:
  adamerge::test::HubServer& serve(const std::vector<std::string>& options = {}) {
    server_ = nullptr;
    server_ = std::make_unique<adamerge::test::HubServer>(folder_->path() / "hub", options);
    qputenv("HF_ENDPOINT", server_->address().c_str());
    return *server_;
  }
  void open();
  void type(const char* name) {
    line().selectAll();
    QTest::keyClicks(&line(), QString::fromLatin1(name));
  }
  template <typename Widget>
  Widget& find(const char* name) {
    auto* found = dialog_->findChild<Widget*>(QString::fromLatin1(name));
    if (found == nullptr) qFatal("no widget is called %s", name);
    return *found;
  }
  QLineEdit& line() { return find<QLineEdit>("hub-name"); }
  QPushButton& button() { return find<QPushButton>("hub-open"); }
  QPushButton& closeButton() { return find<QPushButton>("hub-close"); }
  QTreeWidget& list() { return find<QTreeWidget>("hub-list"); }
  QString heading() { return find<QLabel>("hub-heading").text(); }
  QString progress() { return find<QLabel>("hub-progress").text(); }
  QString notice() { return dialog_->findChild<MessageLine*>()->text(); }
  fs::path snapshot() const {
    return folder_->path() / "cache/models--acme--tiny-vit/snapshots" /
           "0123456789abcdef0123456789abcdef01234567";
  }

  std::unique_ptr<adamerge::test::TemporaryFolder> folder_;
  std::unique_ptr<adamerge::test::HubServer> server_;
  std::unique_ptr<HubDialog> dialog_;
  std::vector<fs::path> chosen_;
};

void HubDialogTest::init() {
  if (QByteArray(ADAMERGE_PYTHON).isEmpty()) QSKIP("no /usr/bin/python3 to serve a hub");
  folder_ = std::make_unique<adamerge::test::TemporaryFolder>();
  const fs::path repository = folder_->path() / "hub/acme/tiny-vit";
  fs::create_directories(repository);
  for (const char* file : {"config.json", "model.safetensors"}) {
    fs::copy_file(fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10" / file, repository / file);
  }
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE",
                           "TRANSFORMERS_OFFLINE", "HF_TOKEN_PATH", "HF_ENDPOINT"}) {
    qunsetenv(name);
  }
  qputenv("HF_HOME", (folder_->path() / "home").c_str());
  qputenv("HF_HUB_CACHE", (folder_->path() / "cache").c_str());
  qputenv("no_proxy", "127.0.0.1,localhost");
}

void HubDialogTest::cleanup() {
  dialog_ = nullptr;
  server_ = nullptr;
  folder_ = nullptr;
  for (const char* name : {"HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT"}) qunsetenv(name);
}

void HubDialogTest::open() {
  chosen_.clear();
  dialog_ = std::make_unique<HubDialog>();
  connect(dialog_.get(), &HubDialog::chosen, this,
          [this](const fs::path& model) { chosen_.push_back(model); });
  dialog_->show();
  QVERIFY(QTest::qWaitForWindowExposed(dialog_.get()));
  QTRY_VERIFY(!heading().startsWith(QStringLiteral("Looking")));
}

void HubDialogTest::theSizeIsAskedForBeforeAnyWeightsAreFetched() {
  const adamerge::test::HubServer& hub = serve();
  open();
  QVERIFY2(heading().startsWith(QStringLiteral("The cache is empty")), qPrintable(heading()));
  QVERIFY(!button().isEnabled());
  type("acme/tiny-vit");
  QTest::keyClick(dialog_.get(), Qt::Key_Return);
  QTRY_COMPARE_WITH_TIMEOUT(button().text(), QStringLiteral("Fetch 10.8 MB"), kPatience);
  QVERIFY2(notice().contains(QString::fromStdString(server_->address())), qPrintable(notice()));
  QVERIFY2(notice().contains(QString::fromStdString((folder_->path() / "cache").string())),
           qPrintable(notice()));
  QVERIFY(hub.requests("/cdn/").empty());
  QVERIFY(chosen_.empty());
  QTest::mouseClick(&button(), Qt::LeftButton);
  QTRY_COMPARE_WITH_TIMEOUT(chosen_, std::vector{snapshot()}, kPatience);
  QVERIFY(!dialog_->isVisible());
  QCOMPARE(hub.requests("/cdn/").size(), std::size_t{1});
  QCOMPARE(adamerge::hub::findInCache({"acme/tiny-vit"}, adamerge::hub::settingsFromEnvironment())
               .missing,
           std::string());
}

void HubDialogTest::anotherNameTakesTheOfferBack() {
  const adamerge::test::HubServer& hub = serve();
  open();
  type("acme/tiny-vit");
  QTest::mouseClick(&button(), Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(button().text().startsWith(QStringLiteral("Fetch")), kPatience);
  type("acme/other");
  QCOMPARE(button().text(), QStringLiteral("Open"));
  QVERIFY(notice().isEmpty());
  QTest::mouseClick(&button(), Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(notice().contains(QStringLiteral("acme/other")), kPatience);
  QVERIFY(hub.requests("/cdn/").empty());
}

void HubDialogTest::theCacheIsListedAndOpensWithoutTheHub() {
  serve();
  const adamerge::hub::Settings settings = adamerge::hub::settingsFromEnvironment();
  adamerge::hub::fetch(adamerge::hub::plan({"acme/tiny-vit"}, settings), settings);
  fs::create_directories(settings.cache / "models--acme--half/snapshots" / std::string(40, 'c'));
  server_ = nullptr;
  open();
  QCOMPARE(heading(), QStringLiteral("2 models in the cache, 1 of them can run"));
  QCOMPARE(list().topLevelItemCount(), 2);
  QVERIFY(list().topLevelItem(0)->text(2).startsWith(QStringLiteral("does not run: its weights")));
  QCOMPARE(list().topLevelItem(1)->text(0), QStringLiteral("acme/tiny-vit"));
  QCOMPARE(list().topLevelItem(1)->text(1), QStringLiteral("10.8 MB"));
  QCOMPARE(list().topLevelItem(1)->text(2),
           QStringLiteral("12 blocks, width 192, 56 × 56, 10 classes"));
  type("TINY");
  QVERIFY(list().topLevelItem(0)->isHidden());
  QTest::mouseClick(list().viewport(), Qt::LeftButton, {},
                    list().visualItemRect(list().topLevelItem(1)).center());
  QCOMPARE(line().text(), QStringLiteral("acme/tiny-vit"));
  QTest::mouseClick(&button(), Qt::LeftButton);
  QTRY_COMPARE_WITH_TIMEOUT(chosen_, std::vector{snapshot()}, kPatience);
}

void HubDialogTest::cancelsAtOnceAndGoesOnLater() {
  serve({"--fault", "slow"});
  open();
  type("acme/tiny-vit");
  QTest::mouseClick(&button(), Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(button().text().startsWith(QStringLiteral("Fetch")), kPatience);
  QTest::mouseClick(&button(), Qt::LeftButton);
  QCOMPARE(closeButton().text(), QStringLiteral("Cancel"));
  QTRY_VERIFY2_WITH_TIMEOUT(progress().contains(QStringLiteral(" left")), qPrintable(progress()),
                            kPatience);
  QVERIFY2(progress().contains(QStringLiteral("of 10.8 MB")), qPrintable(progress()));
  QTRY_VERIFY_WITH_TIMEOUT(find<QProgressBar>("hub-bar").value() > 30, kPatience);
  QElapsedTimer clock;
  clock.start();
  QTest::mouseClick(&closeButton(), Qt::LeftButton);
  QVERIFY2(button().isEnabled() && clock.elapsed() < 100,
           qPrintable(QString::number(clock.elapsed())));
  QVERIFY2(notice().startsWith(QStringLiteral("Cancelled. What has arrived is kept")),
           qPrintable(notice()));
  QVERIFY(dialog_->isVisible());
  // The transfer itself has ended too: what has arrived grows no more.
  clock.restart();
  dialog_ = nullptr;
  QVERIFY2(clock.elapsed() < 100, qPrintable(QString::number(clock.elapsed())));
  QVERIFY(chosen_.empty());

  const adamerge::test::HubServer& hub = serve();
  open();
  type("acme/tiny-vit");
  QTest::mouseClick(&button(), Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(button().text().startsWith(QStringLiteral("Fetch")), kPatience);
  QVERIFY2(notice().contains(QStringLiteral("are here already")), qPrintable(notice()));
  QTest::mouseClick(&button(), Qt::LeftButton);
  QTRY_COMPARE_WITH_TIMEOUT(chosen_, std::vector{snapshot()}, kPatience);
  QCOMPARE(hub.requests("/cdn/").size(), std::size_t{1});
  QVERIFY(hub.requests("/cdn/").front().find(" 206 ") != std::string::npos);
}

void HubDialogTest::troubleHasItsSentence_data() {
  QTest::addColumn<QString>("name");
  QTest::addColumn<QString>("fault");
  QTest::addColumn<QString>("sentence");
  const auto row = [](const char* what, const char* name, const char* fault, const char* sentence) {
    QTest::newRow(what) << QString(name) << QString(fault) << QString(sentence);
  };
  row("no name", "tiny", "", "“tiny” names no model: write OWNER/NAME");
  row("missing", "acme/none", "", "no such model");
  row("no revision", "acme/tiny-vit@v9", "", "no branch, tag or commit 'v9'");
  row("gated", "acme/tiny-vit", "gated", "the model is gated: accept its conditions");
  row("a page", "acme/tiny-vit", "html", "something else than the hub's data");
  row("no network", "acme/tiny-vit", "gone", "the hub cannot be reached");
  row("offline", "acme/tiny-vit", "offline", "HF_HUB_OFFLINE keeps the program from the network");
}

void HubDialogTest::troubleHasItsSentence() {
  QFETCH(QString, name);
  QFETCH(QString, fault);
  QFETCH(QString, sentence);
  const bool served = fault == QStringLiteral("gated") || fault == QStringLiteral("html");
  serve(served ? std::vector<std::string>{"--fault", fault.toStdString()}
               : std::vector<std::string>{});
  if (fault == QStringLiteral("gone")) server_ = nullptr;
  if (fault == QStringLiteral("offline")) qputenv("HF_HUB_OFFLINE", "1");
  open();
  type(qPrintable(name));
  QTest::mouseClick(&button(), Qt::LeftButton);
  QTRY_VERIFY2_WITH_TIMEOUT(notice().contains(sentence), qPrintable(notice()), kPatience);
  QVERIFY2(!notice().contains(QLatin1Char('\n')), qPrintable(notice()));
  QVERIFY(button().isEnabled());
  QVERIFY(dialog_->isVisible());
  QVERIFY(chosen_.empty());
}

void HubDialogTest::aPathIsOpenedAsSuch() {
  serve();
  open();
  type(ADAMERGE_MODELS "/vit-tiny-cifar10");
  QTest::mouseClick(&button(), Qt::LeftButton);
  QTRY_COMPARE_WITH_TIMEOUT(chosen_, std::vector{fs::path(ADAMERGE_MODELS "/vit-tiny-cifar10")},
                            kPatience);
}

void HubDialogTest::theWindowShowsTheModelByItsName() {
  serve();
  StartOptions options;
  options.fresh = true;
  WindowFixture fixture(options);
  QVERIFY(fixture.settle());
  QStringList loading;
  connect(&fixture.workbench().models(), &ModelLoader::started, this,
          [&](const QString& name) { loading << name; });
  fixture.window().actions().open_model_by_name->trigger();
  auto* dialog = fixture.window().findChild<HubDialog*>();
  QVERIFY(dialog != nullptr);
  dialog->findChild<QLineEdit*>(QStringLiteral("hub-name"))
      ->setText(QStringLiteral("https://huggingface.co/acme/tiny-vit"));
  const QPointer<QPushButton> button = dialog->findChild<QPushButton*>(QStringLiteral("hub-open"));
  QTest::mouseClick(button, Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(button->text().startsWith(QStringLiteral("Fetch")), kPatience);
  QTest::mouseClick(button, Qt::LeftButton);
  QTRY_COMPARE_WITH_TIMEOUT(fixture.workbench().model()->info.source, snapshot(), kPatience);
  QCOMPARE(loading, QStringList{QStringLiteral("acme/tiny-vit")});
  QCOMPARE(fixture.workbench().model()->info.name, std::string("acme/tiny-vit"));
  QTRY_VERIFY(fixture.window().findChild<HubDialog*>() == nullptr);
  QVERIFY(fixture.settle());
}

}  // namespace

ADAMERGE_UI_TEST(HubDialogTest)

}  // namespace adamerge::ui::test

#include "hub_dialog_test.moc"
