// SPDX-License-Identifier: GPL-3.0-or-later
// Decisions over random inputs against plain loops in double: odd counts and grids, no prefix and
// several prefix tokens, counts from none to all, and equal tokens, whose ties the specification
// decides. Vectors come from small pools, so that equal ones are equal to the last bit.
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>
#include <stop_token>

#include "adamerge/error.h"
#include "kernels/parallel.h"
#include "merging/apply.h"
#include "merging/entries.h"
#include "merging/matching.h"
#include "plan_arithmetic.h"

namespace adamerge {
namespace {

using test::Rows;
using Indices = std::vector<std::int64_t>;

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}
  int whole(int low, int high) {  // both may come
    return std::uniform_int_distribution<int>(low, high)(random_);
  }
  double real() { return std::normal_distribution<double>()(random_); }
  /// [count, dim] fp32; from a pool about a third as large where `ties`.
  at::Tensor rows(int count, int dim, bool ties) {
    const at::Tensor result = at::empty({count, dim}, at::kFloat);
    std::generate_n(result.data_ptr<float>(), result.numel(),
                    [&] { return static_cast<float>(real()); });
    if (!ties) return result;
    std::vector<std::int64_t> pick;
    for (int i = 0; i < count; ++i) pick.push_back(whole(0, count / 3));
    return result.index_select(0, at::tensor(pick));
  }

 private:
  std::mt19937 random_;
};

double keyCosine(const std::vector<double>& a, const std::vector<double>& b) {
  return test::dot(a, b) * (1 / std::max(1e-12, std::sqrt(test::dot(a, a)))) *
         (1 / std::max(1e-12, std::sqrt(test::dot(b, b))));
}

/// Indices 0 ... n - 1, the highest `score` first, equal ones as they were; in fp32, as plans rank.
Indices ranked(std::size_t n, const std::function<double(std::int64_t)>& score) {
  Indices order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return static_cast<float>(score(a)) > static_cast<float>(score(b));
  });
  return order;
}

using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;
Pairs pairsOf(const MergePlan& plan) {
  Pairs pairs;
  for (const PlannedMerge& merge : plan.merges) pairs.emplace_back(merge.source, merge.destination);
  return pairs;
}

/// A layer that keeps what it points to.
struct Layer {
  Layer(Draw& draw, int patches, int prefix, int block, bool ties) {
    const at::Tensor tokens = draw.rows(patches + prefix, 6, ties);
    for (int i = 0; i < patches + prefix; ++i) {
      sizes.push_back(i < prefix ? 1.0F : static_cast<float>(draw.whole(1, 5)));
    }
    layer = test::layerOf(tokens, prefix, block, sizes);
    layer.metric = tokens.to(at::kDouble);
  }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  std::vector<float> sizes;
  std::vector<int> patch_tokens;
  LayerTokens layer;
};

/// ToMe's merges and order by loops; `cell` of each token, or none.
void expectToMe(const MergePlan& plan, const LayerTokens& layer, std::int64_t r,
                const std::vector<int>& cells = {}) {
  const Rows rows = test::rowsOf(layer.metric, 0);
  const auto count = static_cast<std::int64_t>(rows.size());
  std::vector<test::Best> best(static_cast<std::size_t>((count + 1) / 2));
  for (std::int64_t i = layer.prefix; i < count; ++i) {
    if (i % 2 == 1) continue;
    for (std::int64_t j = 1; j < count; j += 2) {
      if (j < layer.prefix || (!cells.empty() && cells[i] != cells[j])) continue;
      const double score = keyCosine(rows[i], rows[j]);
      test::Best& own = best[static_cast<std::size_t>(i / 2)];
      if (score > own.score) own = {score, static_cast<std::size_t>(j)};
    }
  }
  r = std::min(r, (count - layer.prefix) / 2);
  Pairs pairs;
  std::set<std::int64_t> gone;
  for (const std::int64_t k : ranked(best.size(), [&](std::int64_t i) { return best[i].score; })) {
    if (static_cast<std::int64_t>(pairs.size()) == r || !std::isfinite(best[k].score)) break;
    pairs.emplace_back(2 * k, best[k].match);
    gone.insert(2 * k);
  }
  EXPECT_EQ(pairsOf(plan), pairs);
  if (pairs.empty()) return;
  Indices order;
  for (std::int64_t i = 0; i < layer.prefix; ++i) order.push_back(i);
  for (const std::int64_t side : {0, 1}) {
    for (std::int64_t i = side; i < count; i += 2) {
      if (i >= layer.prefix && !gone.contains(i)) order.push_back(i);
    }
  }
  EXPECT_EQ(plan.order, order);
  EXPECT_EQ(plan.weights, std::vector<float>(layer.sizes.begin(), layer.sizes.end()));
}

TEST(RandomPlans, ToMeAndToFu) {
  Draw draw(1);
  for (int round = 0; round < 150; ++round) {
    const int side = draw.whole(1, 6);
    const int prefix = draw.whole(0, 3);
    const int patches = draw.whole(1, side * side);
    const int block = draw.whole(0, 3);
    const Layer own(draw, patches, prefix, block, round % 2 == 1);
    const VitConfig vit = test::squareModel(side, prefix, 4);
    const std::int64_t r = draw.whole(0, side * side / 2);
    SCOPED_TRACE(testing::Message() << "round " << round << ", r " << r);
    expectToMe(test::planOf("tome", {{"r", r}}, vit, own.layer), own.layer, r);
    const MergePlan tofu = test::planOf("tofu", {{"r", r}}, vit, own.layer);
    expectToMe(tofu, own.layer, r);
    EXPECT_EQ(tofu.combine, block <= 2 ? Combine::kPrune : Combine::kNormPreserving);
  }
}

TEST(RandomPlans, DsmWithinCellsOfTheGrid) {
  Draw draw(2);
  for (int round = 0; round < 80; ++round) {
    VitConfig vit = test::squareModel(draw.whole(2, 6), draw.whole(0, 2), 4);
    vit.input_width = 4 * draw.whole(2, 7);  // no square
    const int patches = draw.whole(2, vit.patchTokens());
    const int prefix = vit.prefixTokens();
    const int block = draw.whole(1, 3);
    const int window = draw.whole(1, 5);
    Layer own(draw, patches, prefix, block, round % 2 == 1);
    std::vector<int> members(own.sizes.size(), 0);
    std::vector<double> rows(own.sizes.size(), 0.0);
    std::vector<double> columns(own.sizes.size(), 0.0);
    for (int patch = 0; patch < vit.patchTokens(); ++patch) {
      const int token = prefix + (patch < patches ? patch : draw.whole(0, patches - 1));
      own.patch_tokens.push_back(token);
      ++members[token];
      rows[token] += patch / vit.gridWidth() + 0.5;
      columns[token] += patch % vit.gridWidth() + 0.5;
    }
    own.layer.patch_tokens = own.patch_tokens;
    const int here = std::max(1, window >> (block - 1));
    std::vector<int> cells(own.sizes.size(), -1);
    for (std::size_t t = prefix; t < cells.size(); ++t) {
      const int row = static_cast<int>(rows[t] / members[t] / vit.gridHeight() * here);
      const int column = static_cast<int>(columns[t] / members[t] / vit.gridWidth() * here);
      cells[t] = std::min(here - 1, row) * here + std::min(here - 1, column);
    }
    const std::int64_t r = draw.whole(0, vit.patchTokens() / 2);
    SCOPED_TRACE(testing::Message() << "round " << round);
    expectToMe(
        test::planOf(
            "dsm",
            {{"r", r}, {"delay", std::int64_t{1}}, {"window", static_cast<std::int64_t>(window)}},
            vit, own.layer),
        own.layer, r, cells);
  }
}

TEST(RandomPlans, PiToMe) {
  Draw draw(3);
  constexpr int kDepth = 5;
  for (int round = 0; round < 150; ++round) {
    const int side = draw.whole(2, 6);
    const int prefix = draw.whole(0, 3);
    const int n = draw.whole(1, side * side);
    const int block = draw.whole(0, kDepth - 1);
    const Layer own(draw, n, prefix, block, round % 2 == 1);
    std::int64_t r = draw.whole(0, side * side / 2);
    const MergePlan plan =
        test::planOf("pitome", {{"r", r}}, test::squareModel(side, prefix, kDepth), own.layer);
    r = std::min<std::int64_t>(r, n / 2);
    const Rows rows = test::rowsOf(own.layer.metric, prefix);
    const double margin = 0.75 - 0.75 * block / kDepth;
    const auto energy = [&](std::int64_t i) {
      double sum = 0;
      for (const auto& other : rows) {
        const double x = keyCosine(rows[i], other) - margin;
        sum += x > 0 ? x : std::expm1(x);
      }
      return sum / n;
    };
    const Indices order = ranked(rows.size(), energy);
    const std::size_t limit = block < 3 ? rows.size() : static_cast<std::size_t>(2 * r);
    std::vector<test::Best> best;
    for (std::size_t a = 0; r > 0 && a < limit; a += 2) {
      test::Best& own_best = best.emplace_back();
      for (std::size_t b = 1; b < limit; b += 2) {
        const double score = keyCosine(rows[order[a]], rows[order[b]]);
        if (score > own_best.score) own_best = {score, b};
      }
    }
    Pairs pairs;
    Indices kept;
    for (int i = 0; i < prefix; ++i) kept.push_back(i);
    for (const std::int64_t k : ranked(best.size(), [&](auto i) { return best[i].score; })) {
      const std::int64_t source = prefix + order[2 * k];
      if (static_cast<std::int64_t>(pairs.size()) < r) {
        pairs.emplace_back(source, prefix + order[best[k].match]);
      } else {
        kept.push_back(source);
      }
    }
    for (std::size_t k = limit; k < order.size(); ++k) kept.push_back(prefix + order[k]);
    for (std::size_t b = 1; b < limit; b += 2) kept.push_back(prefix + order[b]);
    SCOPED_TRACE(testing::Message() << "round " << round << ", block " << block << ", r " << r);
    EXPECT_EQ(pairsOf(plan), pairs);
    if (r > 0) {
      EXPECT_EQ(plan.order, kept);
    }
  }
}

TEST(RandomPlans, PptDropsTheLowestOrPools) {
  Draw draw(4);
  int pooled = 0;
  for (int round = 0; round < 100; ++round) {
    const int prefix = draw.whole(1, 3);
    const int n = draw.whole(2, 30);
    const Layer own(draw, n, prefix, 2, round % 2 == 1);
    AttentionStatistics statistics;
    std::vector<double> scores;
    double sum = 0;
    for (int i = 0; i < n + prefix; ++i) {
      statistics.class_attention.push_back(static_cast<float>(draw.whole(1, 4)));
      statistics.value_norms.push_back(static_cast<float>(draw.whole(1, 3)));
      if (i < prefix) continue;
      scores.push_back(statistics.class_attention.back() * statistics.value_norms.back());
      sum += scores.back();
    }
    double variance = 0;
    for (double& score : scores) {
      score /= sum;
      variance += (score - 1.0 / n) * (score - 1.0 / n) / (n - 1);
    }
    LayerTokens layer = own.layer;
    layer.attention = &statistics;
    const std::int64_t r = draw.whole(1, 18);
    const double threshold = variance * (draw.whole(0, 1) == 0 ? 0.9 : 1.1);
    const MergePlan plan = test::planOf(
        "ppt", {{"r", r}, {"threshold", std::min(1.0, threshold)}, {"blocks", Indices{2}}},
        test::squareModel(6, prefix, 4), layer);
    SCOPED_TRACE(testing::Message() << "round " << round);
    EXPECT_NEAR(*plan.details.variance, variance, 1e-12);
    if (threshold > variance) {
      expectToMe(plan, layer, r);
      ++pooled;
      continue;
    }
    Indices kept;
    for (int i = 0; i < prefix; ++i) kept.push_back(i);
    std::set<std::int64_t> dropped;
    for (const std::int64_t k : ranked(scores.size(), [&](auto i) { return scores[i]; })) {
      if (static_cast<std::int64_t>(kept.size()) < prefix + n - std::min<std::int64_t>(r, n / 2)) {
        kept.push_back(prefix + k);
      } else {
        dropped.insert(prefix + k);
      }
    }
    EXPECT_EQ(plan.order, kept);
    std::set<std::int64_t> gone;
    for (const PlannedDrop& drop : plan.dropped) gone.insert(drop.position);
    EXPECT_EQ(gone, dropped);
  }
  EXPECT_GT(pooled, 20);
}

TEST(RandomPlans, AtcJoinsTheNearestTwo) {
  Draw draw(5);
  for (int round = 0; round < 90; ++round) {
    const int n = draw.whole(1, 14);
    const int count = draw.whole(1, n);
    std::vector<double> distances(static_cast<std::size_t>(n * n), 0.0);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < i; ++j) {
        distances[i * n + j] = distances[j * n + i] =
            round % 2 == 0 ? draw.whole(0, 4) : std::abs(draw.real());
      }
    }
    const auto linkage = static_cast<Linkage>(round % 3);
    std::vector<std::vector<int>> clusters;
    for (int i = 0; i < n; ++i) clusters.push_back({i});
    const auto distance = [&](const std::vector<int>& a, const std::vector<int>& b) {
      double sum = 0;
      double low = std::numeric_limits<double>::infinity();
      double high = 0;
      for (const int i : a) {
        for (const int j : b) {
          sum += distances[i * n + j];
          low = std::min(low, distances[i * n + j]);
          high = std::max(high, distances[i * n + j]);
        }
      }
      return linkage == Linkage::kAverage    ? sum / static_cast<double>(a.size() * b.size())
             : linkage == Linkage::kComplete ? high
                                             : low;
    };
    while (static_cast<int>(clusters.size()) > count) {
      std::size_t first = 0;
      std::size_t second = 1;
      for (std::size_t a = 0; a < clusters.size(); ++a) {
        for (std::size_t b = a + 1; b < clusters.size(); ++b) {
          if (distance(clusters[a], clusters[b]) < distance(clusters[first], clusters[second])) {
            first = a;
            second = b;
          }
        }
      }
      clusters[first].insert(clusters[first].end(), clusters[second].begin(),
                             clusters[second].end());
      clusters.erase(clusters.begin() + static_cast<std::ptrdiff_t>(second));
    }
    Indices wanted(static_cast<std::size_t>(n));
    for (const auto& cluster : clusters) {
      for (const int member : cluster) wanted[member] = cluster.front();
    }
    EXPECT_EQ(clustered(distances, n, linkage, count, round % 4 == 0).cluster, wanted) << round;
  }
}

TEST(RowPieces, CoverAllRowsAndEndWhereTheyAreStopped) {
  for (const std::int64_t rows : {0, 1, 511, 512, 767, 768, 4097}) {
    std::int64_t end = 0;
    forRowPieces(rows, [&](std::int64_t first, std::int64_t last) {
      EXPECT_EQ(first, end);
      EXPECT_EQ(first % 256, 0);
      EXPECT_GE(last - first, std::min<std::int64_t>(rows, 256)) << rows;
      EXPECT_LT(last - first, 512) << rows;
      end = last;
    });
    EXPECT_EQ(end, rows);
  }
  std::stop_source stop;
  const std::stop_token token = stop.get_token();
  const StopWithin within(token);
  int pieces = 0;
  EXPECT_THROW(forRowPieces(4097,
                            [&](std::int64_t, std::int64_t) {
                              ++pieces;
                              stop.request_stop();
                            }),
               Cancelled);
  EXPECT_EQ(pieces, 1);
  EXPECT_THROW(clustered({0, 1, 1, 0}, 2, Linkage::kAverage, 1), Cancelled);
}

/// CubistMerge's step in one line by loops.
void mergeLine(Rows& line, int r) {
  struct Move {
    double similarity;
    std::size_t source, destination;
  };
  std::vector<Move> moves;
  for (std::size_t k = 1; k < line.size(); k += 2) {
    Move move{test::cosine(line[k], line[k - 1]), k, k - 1};
    if (k + 1 < line.size() && test::cosine(line[k], line[k + 1]) > move.similarity) {
      move = {test::cosine(line[k], line[k + 1]), k, k + 1};
    }
    moves.push_back(move);
  }
  std::stable_sort(moves.begin(), moves.end(),
                   [](const Move& a, const Move& b) { return a.similarity > b.similarity; });
  moves.resize(static_cast<std::size_t>(std::min<int>(r, static_cast<int>(moves.size()))));
  std::sort(moves.begin(), moves.end(),
            [](const Move& a, const Move& b) { return a.source < b.source; });
  Rows merged = line;
  std::set<std::size_t> gone;
  for (const Move& move : moves) {
    gone.insert(move.source);
    for (std::size_t c = 0; c < line[0].size(); ++c) {
      double& own = merged[move.destination][c];
      if (std::abs(line[move.source][c]) > std::abs(own)) own = line[move.source][c];
    }
  }
  line.clear();
  for (std::size_t k = 0; k < merged.size(); ++k) {
    if (!gone.contains(k)) line.push_back(merged[k]);
  }
}

TEST(RandomPlans, CubistMergeLeavesASmallerGrid) {
  Draw draw(6);
  for (int round = 0; round < 60; ++round) {
    VitConfig vit = test::squareModel(draw.whole(2, 7), draw.whole(0, 2), 4);
    vit.input_width = 4 * draw.whole(2, 7);
    const int height = vit.gridHeight();
    const int width = vit.gridWidth();
    const int prefix = vit.prefixTokens();
    const int r = draw.whole(0, std::min(height, width) / 2);
    const Layer own(draw, height * width, prefix, 1, /*ties=*/false);
    const MergePlan plan = test::planOf(
        "cubistmerge", {{"r", static_cast<std::int64_t>(r)}, {"at", Indices{1}}}, vit, own.layer);
    const Rows tokens = test::rowsOf(own.layer.tokens, prefix);
    std::vector<Rows> rows;
    for (int row = 0; row < height; ++row) {
      Rows line(tokens.begin() + row * width, tokens.begin() + (row + 1) * width);
      mergeLine(line, r);
      rows.push_back(line);
    }
    std::vector<Rows> columns;
    for (std::size_t column = 0; column < rows[0].size(); ++column) {
      Rows line;
      for (const Rows& row : rows) line.push_back(row[column]);
      mergeLine(line, r);
      columns.push_back(line);
    }
    const std::int64_t left = remainingTokens(plan, own.layer.count());
    ASSERT_EQ(left, prefix + (height - r) * (width - r)) << round;
    const at::Tensor merged = at::empty({left, own.layer.tokens.size(1)});
    applyToTokens(plan, own.layer.tokens, merged);
    const Rows result = test::rowsOf(merged, prefix);
    for (int row = 0; row < height - r; ++row) {
      for (int column = 0; column < width - r; ++column) {
        EXPECT_EQ(result[row * (width - r) + column], columns[column][row])
            << round << ": " << row << ", " << column;
      }
    }
  }
}

TEST(RandomPlans, StructSamOnAnyGrid) {
  Draw draw(7);
  for (int round = 0; round < 80; ++round) {
    const int height = draw.whole(1, 8);
    const int width = draw.whole(1, 8);
    const StructSamRule rule{round % 2 == 0 ? GridGradient::kCentral : GridGradient::kSobel,
                             draw.whole(2, 4), draw.whole(10, 100), draw.whole(0, 94)};
    const at::Tensor metric = draw.rows(height * width, 5, round % 3 == 0);
    const Rows rows = test::rowsOf(metric, 0);
    const StructSamMerges found =
        structSamMerges(metric.to(at::kDouble).unflatten(0, {height, width}), rule);
    const auto value = [&](int y, int x, std::size_t c) {
      if (rule.gradient == GridGradient::kCentral) {
        return rows[std::clamp(y, 0, height - 1) * width + std::clamp(x, 0, width - 1)][c];
      }
      return y < 0 || x < 0 || y >= height || x >= width ? 0.0 : rows[y * width + x][c];
    };
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        double sum = 0;
        for (std::size_t c = 0; c < 5; ++c) {
          double gx = (value(y, x + 1, c) - value(y, x - 1, c)) / 2;
          double gy = (value(y + 1, x, c) - value(y - 1, x, c)) / 2;
          if (rule.gradient == GridGradient::kSobel) {
            gx = gy = 0;
            for (const int k : {-1, 0, 1}) {
              const int weight = k == 0 ? 2 : 1;
              gx += weight * (value(y + k, x + 1, c) - value(y + k, x - 1, c));
              gy += weight * (value(y + 1, x + k, c) - value(y - 1, x + k, c));
            }
          }
          sum += gx * gx + gy * gy;
        }
        if (rule.gradient == GridGradient::kSobel) sum /= 5;
        EXPECT_NEAR(found.energy[y * width + x], std::sqrt(sum), 1e-9) << round;
      }
    }
    // From here by the energies that were found, whose last bits decide.
    std::vector<std::vector<std::int64_t>> cells;
    for (int top = 0; top < height; top += rule.cell) {
      for (int left = 0; left < width; left += rule.cell) {
        auto& cell = cells.emplace_back();
        for (int y = top; y < std::min(height, top + rule.cell); ++y) {
          for (int x = left; x < std::min(width, left + rule.cell); ++x) {
            cell.push_back(y * width + x);
          }
        }
      }
    }
    std::vector<int> order(cells.size());
    std::iota(order.begin(), order.end(), 0);
    const auto largest = [&](int cell) {
      double top = 0;
      for (const std::int64_t token : cells[cell]) top = std::max(top, found.energy[token]);
      return top;
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return largest(a) < largest(b); });
    order.resize(std::max<std::size_t>(1, cells.size() * rule.flat / 100));
    std::sort(order.begin(), order.end());
    EXPECT_EQ(found.cells, order) << round;
    std::set<std::int64_t> destinations;
    std::set<std::int64_t> sources;
    for (const int cell : order) {
      std::int64_t least = cells[cell].front();
      for (const std::int64_t token : cells[cell]) {
        if (found.energy[token] < found.energy[least]) least = token;
      }
      destinations.insert(least);
      sources.insert(cells[cell].begin(), cells[cell].end());
    }
    for (const std::int64_t destination : destinations) sources.erase(destination);
    std::vector<std::pair<test::Best, std::int64_t>> best;
    for (const std::int64_t source : sources) {
      test::Best own;
      for (const std::int64_t destination : destinations) {
        const double score = test::cosine(rows[source], rows[destination]);
        if (score > own.score) own = {score, static_cast<std::size_t>(destination)};
      }
      best.emplace_back(own, source);
    }
    const Indices by_score = ranked(best.size(), [&](auto i) { return best[i].first.score; });
    std::set<std::pair<std::int64_t, std::int64_t>> pairs;
    for (std::size_t k = 0; k < by_score.size(); ++k) {
      if (static_cast<int>(k) == height * width * rule.ratio / 100) break;
      const auto& [own, source] = best[static_cast<std::size_t>(by_score[k])];
      pairs.emplace(source, own.match);
    }
    std::set<std::pair<std::int64_t, std::int64_t>> merged;
    for (const PlannedMerge& merge : found.merges) merged.emplace(merge.source, merge.destination);
    EXPECT_EQ(merged, pairs) << round;
  }
}

TEST(RandomPlans, PruneMergeSegments) {
  Draw draw(8);
  for (int round = 0; round < 80; ++round) {
    const int width = draw.whole(1, 6);
    const int count = width * draw.whole(1, 5);
    const std::vector<int> blocks = round % 2 == 0 ? std::vector<int>{0, 2} : std::vector<int>{1};
    const int keep = draw.whole(5, 100);
    const int prune = draw.whole(0, std::min(50, 100 - keep));
    std::vector<std::vector<double>> scores(3);
    for (auto& row : scores) {
      for (int j = 0; j < count; ++j) row.push_back(draw.whole(0, 3));
    }
    struct Entry {
      double score;
      std::size_t block;
      int position;
    };
    std::vector<Entry> entries;
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      double square = 0;
      for (const double s : scores[blocks[k]]) square += s * s;
      for (int j = 0; j < count; ++j) {
        const double own = scores[blocks[k]][j];
        const double value = square > 0 ? own / std::sqrt(square) * (1 - 0.025 * blocks[k]) : 0.0;
        entries.push_back({value, k, j});
      }
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.score > b.score; });
    const std::size_t kept = static_cast<std::size_t>(keep * count / 100) * blocks.size();
    const std::size_t cut = static_cast<std::size_t>(prune * count / 100) * blocks.size();
    const std::vector<SegmentedBlock> found = segmentBlocks(scores, blocks, keep, prune, width);
    ASSERT_EQ(found.size(), blocks.size());
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      std::set<int> centres;
      std::set<int> pruned;
      const std::vector<double>& raw = scores[blocks[k]];
      for (std::size_t place = 0; place < entries.size(); ++place) {
        if (entries[place].block != k) continue;
        if (place < kept) centres.insert(entries[place].position);
        if (place >= entries.size() - cut) pruned.insert(entries[place].position);
      }
      if (centres.empty()) {
        centres.insert(static_cast<int>(std::max_element(raw.begin(), raw.end()) - raw.begin()));
      }
      const std::vector<int> list(centres.begin(), centres.end());
      EXPECT_EQ(found[k].centres, list) << round;
      // The segment of a centre ends before the middle to the next one, or with the centre's row.
      std::vector<int> segments;
      for (std::size_t c = 0; c < list.size(); ++c) {
        int end = count;
        if (c + 1 < list.size()) {
          end = std::min((list[c] + list[c + 1] + 1) / 2, (list[c] / width + 1) * width);
        }
        while (static_cast<int>(segments.size()) < end) segments.push_back(static_cast<int>(c));
      }
      EXPECT_EQ(found[k].segments, segments) << round << ", width " << width;
      for (int j = 0; j < count; ++j) {
        const int centre = list[segments[j]];
        double weight = j == centre ? 1.0 : raw[centre] > 0 ? raw[j] / raw[centre] : 1.0;
        if (j != centre && pruned.contains(j)) weight = 0;
        EXPECT_NEAR(found[k].weights[j], weight, 1e-12) << round << ": " << j;
      }
    }
  }
}

TEST(RandomPlans, FocusKeepsTheProtectedAndTheBest) {
  Draw draw(9);
  for (int round = 0; round < 120; ++round) {
    const int heads = draw.whole(1, 3);
    const int n = draw.whole(1, 20);
    const bool fuzzy = round % 2 == 0;
    const int percent = draw.whole(0, 100);
    std::vector<std::vector<double>> scores;
    std::vector<Indices> left;
    std::vector<double> all;
    for (int h = 0; h < heads; ++h) {
      auto& own = scores.emplace_back();
      auto& keys = left.emplace_back();
      for (int j = 0; j < n; ++j) {
        own.push_back(round % 3 == 0 ? draw.whole(0, 3) : std::abs(draw.real()));
        if (j == n - 1 || draw.whole(0, 4) > 0) keys.push_back(j);
      }
      for (const std::int64_t key : keys) all.push_back(own[key]);
    }
    std::sort(all.begin(), all.end());
    const auto quantile = [&](double share) {
      const double place = share * static_cast<double>(all.size() - 1);
      const auto low = static_cast<std::size_t>(std::floor(place));
      const double next = all[std::min(low + 1, all.size() - 1)];
      return all[low] + (place - std::floor(place)) * (next - all[low]);
    };
    const double a = quantile(0.25);
    const double b = quantile(0.75);
    const FuzzyPruning found = fuzzyPruning(scores, left, percent, fuzzy);
    if (fuzzy && b - a < 1e-12) {
      EXPECT_EQ(found.stay, left) << round;
      continue;
    }
    for (int h = 0; h < heads; ++h) {
      std::set<std::int64_t> stay;
      Indices others;
      for (const std::int64_t key : left[h]) {
        if (fuzzy && scores[h][key] > a + 0.1 * (b - a)) {
          stay.insert(key);
        } else {
          others.push_back(key);
        }
      }
      const std::size_t wanted = others.size() * static_cast<std::size_t>(percent) / 100;
      std::stable_sort(others.begin(), others.end(),
                       [&](std::int64_t x, std::int64_t y) { return scores[h][x] > scores[h][y]; });
      for (std::size_t k = 0; k < others.size(); ++k) {
        if (k < wanted || (k == 0 && stay.empty())) stay.insert(others[k]);
      }
      EXPECT_EQ(found.stay[h], Indices(stay.begin(), stay.end())) << round << ", head " << h;
    }
  }
}

TEST(RandomPlans, TheMostSimilarTokenStandsForADroppedOne) {
  Draw draw(10);
  for (int round = 0; round < 60; ++round) {
    const int prefix = draw.whole(0, 2);
    const int n = draw.whole(2, 20);
    const at::Tensor tokens = draw.rows(prefix + n, 6, round % 2 == 0);
    const Rows rows = test::rowsOf(tokens, 0);
    MergePlan plan;
    Indices kept;
    for (int i = 0; i < prefix; ++i) plan.order.push_back(i);
    for (int i = prefix; i < prefix + n; ++i) {
      if (i == prefix || draw.whole(0, 1) == 0) {
        kept.push_back(i);
      } else {
        plan.dropped.push_back({i});
      }
    }
    plan.order.insert(plan.order.end(), kept.rbegin(), kept.rend());
    findStandIns(plan, tokens, prefix, at::kDouble);
    for (const PlannedDrop& drop : plan.dropped) {
      std::int64_t best = kept.front();
      for (const std::int64_t other : kept) {
        if (test::cosine(rows[drop.position], rows[other]) >
            test::cosine(rows[drop.position], rows[best])) {
          best = other;
        }
      }
      EXPECT_EQ(drop.stand_in, best) << round;
    }
  }
}

}  // namespace
}  // namespace adamerge
