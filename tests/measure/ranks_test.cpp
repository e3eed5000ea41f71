// SPDX-License-Identifier: GPL-3.0-or-later
// One evaluation by several ranks: here threads with mailboxes in the place of processes with MPI.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include "adamerge/evaluate.h"
#include "error_message.h"
#include "measured_images.h"
#include "sanitized.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Mailboxes {
  explicit Mailboxes(int ranks) : boxes(static_cast<std::size_t>(ranks)) {}
  std::mutex mutex;
  std::vector<std::deque<EvaluationRanks::Message>> boxes;
};

class MailboxRank : public EvaluationRanks {
 public:
  /// After so many messages nothing leaves it any more, as if its process were killed.
  MailboxRank(Mailboxes& boxes, int rank, int until_dead = -1)
      : mail_(boxes), rank_(rank), until_dead_(until_dead) {}
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(mail_.boxes.size()); }
  void send(int to, const std::string& text) override {
    if (until_dead_ == 0) return;
    if (until_dead_ > 0) --until_dead_;
    ++sent_;
    const std::lock_guard lock(mail_.mutex);
    mail_.boxes[static_cast<std::size_t>(to)].push_back({rank_, text});
  }
  std::optional<Message> receive() override {
    const std::lock_guard lock(mail_.mutex);
    std::deque<Message>& box = mail_.boxes[static_cast<std::size_t>(rank_)];
    if (box.empty()) return std::nullopt;
    Message message = std::move(box.front());
    box.pop_front();
    return message;
  }
  int sent() const { return sent_; }

 private:
  Mailboxes& mail_;
  int rank_;
  int until_dead_;
  int sent_ = 0;
};

class RanksTest : public testing::Test {
 protected:
  void SetUp() override {
    test::makeClassFolders(images_);
    test::writeBytes(images_ / "BIRD" / "broken.png", "no picture");
  }

  Dataset open() const { return Dataset::open(images_, test::bundledEngine().info()); }

  /// Begins to assist, and waits until rank 0 will find it ready.
  std::jthread assistant(MailboxRank& rank, Mailboxes& mail) const {
    std::jthread thread([this, &rank](const std::stop_token& stop) {
      EvaluationOptions options{.decoders = 1};
      options.pictures = rows_;
      assistEvaluation(rank, test::bundledEngine(), open(), choices_, options, stop);
    });
    for (bool ready = false; !ready; std::this_thread::yield()) {
      const std::lock_guard lock(mail.mutex);
      for (const auto& message : mail.boxes[0]) ready = ready || message.from == rank.rank();
    }
    return thread;
  }

  Evaluation lead(MailboxRank& rank, const std::stop_token& stop = {},
                  double seconds_until_lost = 60) const {
    EvaluationOptions options{.batch = 1, .state = state_, .decoders = 1};
    options.ranks = &rank;
    options.pictures = rows_;
    options.seconds_until_lost = seconds_until_lost;
    return evaluate(test::bundledEngine(), open(), choices_, options, {}, stop);
  }

  test::TemporaryFolder folder_;
  fs::path images_ = folder_.path() / "images";
  fs::path state_ = folder_.path() / "out.json.partial";
  fs::path rows_ = {};  ///< of each image; empty: not wanted
  std::vector<MeasuredChoice> choices_ = {
      {{"adamerge", {{"r_max", std::int64_t{16}}}, nullptr, false}, std::nullopt}};
};

TEST_F(RanksTest, GiveTheTotalsOfOneProcess) {
  const std::string alone = test::totals(evaluate(test::bundledEngine(), open(), choices_));
  for (const int size : {1, 2, 3}) {
    SCOPED_TRACE(size);
    fs::remove(state_);
    Mailboxes mail(size);
    std::deque<MailboxRank> ranks;
    for (int rank = 0; rank < size; ++rank) ranks.emplace_back(mail, rank);
    std::vector<std::jthread> threads;
    for (int rank = 1; rank < size; ++rank) {
      threads.push_back(assistant(ranks[static_cast<std::size_t>(rank)], mail));
    }
    const Evaluation shared = lead(ranks[0]);
    threads.clear();
    EXPECT_TRUE(shared.complete());
    EXPECT_EQ(shared.skipped.size(), 1U);
    EXPECT_EQ(test::totals(shared), alone);
    // "ready", "stopped" and a batch at least.
    for (int rank = 1; rank < size; ++rank)
      EXPECT_GE(ranks[static_cast<std::size_t>(rank)].sent(), 3);
  }
}

TEST_F(RanksTest, GiveTheRowsOfOneProcess) {
  const auto content = [](const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const fs::path alone = folder_.path() / "alone.csv";
  EvaluationOptions options;
  options.pictures = alone;
  evaluate(test::bundledEngine(), open(), choices_, options);
  rows_ = folder_.path() / "shared.csv";
  Mailboxes mail(2);
  MailboxRank first(mail, 0);
  MailboxRank second(mail, 1);
  const std::jthread thread = assistant(second, mail);
  EXPECT_TRUE(lead(first).complete());
  EXPECT_GT(content(alone).size(), 1000U);
  EXPECT_EQ(content(rows_), content(alone));
}

TEST_F(RanksTest, ASilentRankIsLostAndTheRestGoesOnWithoutIt) {
  const std::string alone = test::totals(evaluate(test::bundledEngine(), open(), choices_));
  Mailboxes mail(2);
  MailboxRank first(mail, 0);
  MailboxRank dying(mail, 1, /*until_dead=*/2);
  std::jthread thread = assistant(dying, mail);
  const Evaluation part = lead(first, {}, /*seconds_until_lost=*/0.5 * test::kPace);
  EXPECT_FALSE(part.complete());
  EXPECT_THAT(part.lost_ranks, ElementsAre(1));
  ASSERT_TRUE(fs::exists(state_));
  EXPECT_GT(part.done, 0U);

  Mailboxes one(1);
  MailboxRank last(one, 0);
  const Evaluation rest = lead(last);
  EXPECT_EQ(rest.continued, part.done);
  EXPECT_EQ(test::totals(rest), alone);
}

TEST_F(RanksTest, AStopOfOneRankStopsAllAndLosesNone) {
  Mailboxes mail(2);
  MailboxRank first(mail, 0);
  MailboxRank second(mail, 1);
  std::jthread thread = assistant(second, mail);
  thread.request_stop();
  const Evaluation part = lead(first);
  EXPECT_FALSE(part.complete());
  EXPECT_THAT(part.lost_ranks, IsEmpty());
}

TEST_F(RanksTest, ARankThatIsStoppedNoticesThatRankZeroIsLost) {
  Mailboxes mail(2);
  MailboxRank second(mail, 1);
  std::stop_source stop;
  stop.request_stop();
  const auto assist = [&] {
    return assistEvaluation(second, test::bundledEngine(), open(), choices_, {.decoders = 1},
                            stop.get_token());
  };
  EXPECT_FALSE(assist());
  MailboxRank first(mail, 0);
  dismissRanks(first);
  EXPECT_TRUE(assist());
}

TEST_F(RanksTest, WhatFailsElsewhereIsToldWithTheRank) {
  Mailboxes mail(2);
  MailboxRank first(mail, 0);
  MailboxRank second(mail, 1);
  reportFailure(second, "set: no such folder");
  EXPECT_THAT(test::errorMessage([&] { lead(first); }), HasSubstr("rank 1: set: no such folder"));
  EXPECT_THROW(receiveChoices(second, {}), Cancelled) << "it was dismissed";
}

TEST_F(RanksTest, ARankWithOtherImagesIsRefusedAndBothAreNamed) {
  Mailboxes mail(2);
  MailboxRank first(mail, 0);
  MailboxRank second(mail, 1);
  std::jthread thread = assistant(second, mail);
  test::writeBytes(images_ / "BIRD" / "one more.png", "no picture");
  EXPECT_THAT(test::errorMessage([&] { lead(first); }),
              AllOf(HasSubstr("rank 1 has other images"), HasSubstr("13 images"),
                    HasSubstr("14 images"), HasSubstr("same files and options")));
}

TEST_F(RanksTest, WhatIsNoMessageIsNotUnderstood) {
  Mailboxes mail(2);
  MailboxRank first(mail, 0);
  for (const char* text : {"", "[]", "{\"kind\": \"ready\"}", "{\"kind\": \"batch\"}"}) {
    mail.boxes[0].push_back({1, text});
    EXPECT_THAT(test::errorMessage([&] { lead(first); }),
                HasSubstr("rank 1 sent what is not understood"));
  }
}

TEST_F(RanksTest, SettingsThatRankZeroFoundReachTheOthers) {
  Mailboxes mail(2);
  MailboxRank first(mail, 0);
  MailboxRank second(mail, 1);
  const std::vector<MethodChoice> methods = {{"adamerge", {{"alpha", 0.5}}, nullptr, false},
                                             {"tome", {}, nullptr, false}};
  const std::vector<double> tiers = {0.9};
  const std::vector<MeasuredChoice> found = {
      {{"adamerge", {{"alpha", 0.5}, {"r_max", std::int64_t{15}}}, nullptr, false}, 0.9},
      {{"tome", {{"r", std::int64_t{9}}}, nullptr, false}, 0.9}};
  shareChoices(first, found);
  const auto received = matchedBefore(receiveChoices(second, {}), methods, tiers);
  ASSERT_TRUE(received);
  ASSERT_EQ(received->size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*received)[i].choice.settings, found[i].choice.settings);
    EXPECT_EQ((*received)[i].tier, 0.9);
  }
  EXPECT_FALSE(matchedBefore(found, methods, std::vector<double>{0.8}));
  const std::vector<MethodChoice> other = {{"adamerge", {{"alpha", 1.0}}, nullptr, false}};
  EXPECT_FALSE(matchedBefore(found, other, tiers));
}

}  // namespace
}  // namespace adamerge
