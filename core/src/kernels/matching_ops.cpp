// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/matching_ops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <type_traits>

#include "kernels/cpu/kernel_tables.h"
#include "kernels/parallel.h"

namespace adamerge {
namespace {

/// Rows whose softmax one thread adds up.
constexpr std::int64_t kSummedRows = 64;
/// Rows that are gone through between two looks at whether to stop.
constexpr std::int64_t kComparedRows = 1024;

/// use(elements of the tensor, float* or double*).
template <class Use>
auto withElements(const at::Tensor& tensor, Use use) {
  return tensor.scalar_type() == at::kDouble ? use(static_cast<double*>(tensor.data_ptr()))
                                             : use(static_cast<float*>(tensor.data_ptr()));
}

/// Of the length of `count` values.
template <class Value>
double squareOf(const Value* values, std::int64_t count) {
  constexpr std::int64_t kPartialSums = 8;
  std::array<double, kPartialSums> sums{};
  std::int64_t i = 0;
  for (; i + kPartialSums <= count; i += kPartialSums) {
    for (std::size_t k = 0; k < sums.size(); ++k) {
      const auto value = static_cast<double>(values[i + static_cast<std::int64_t>(k)]);
      sums[k] += value * value;
    }
  }
  for (; i < count; ++i) sums[0] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

/// 1 / their length, which counts as `least` at least.
template <class Result, class Value>
Result inverseNorm(const Value* values, std::int64_t count, double least) {
  return static_cast<Result>(1.0 / std::max(std::sqrt(squareOf(values, count)), least));
}

void replaceNaN(std::vector<float>& scores) {
  std::replace_if(
      scores.begin(), scores.end(), [](float s) { return std::isnan(s); },
      -std::numeric_limits<float>::infinity());
}

}  // namespace

at::Tensor plainHeadMeans(const at::Tensor& x) { return x.to(at::kDouble).mean(1); }

at::Tensor headMeans(const at::Tensor& x, Isa isa) {
  const bool bfloat16 = x.scalar_type() == at::kBFloat16;
  if (!x.is_cpu() || !(bfloat16 || x.scalar_type() == at::kFloat) || x.numel() == 0 ||
      x.stride(2) != 1 || x.stride(1) != x.size(2)) {
    return plainHeadMeans(x);
  }
  at::Tensor means = at::empty({x.size(0), x.size(2)}, x.options().dtype(at::kDouble));
  const auto* data = static_cast<const char*>(x.data_ptr());
  const auto stride = x.stride(0) * static_cast<std::int64_t>(x.element_size());
  parallelForRows(x.size(0), x.size(1) * x.size(2), [&](std::int64_t first, std::int64_t last) {
    floatKernels(isa).headMeans(data + first * stride, bfloat16, x.stride(0), last - first,
                                x.size(1), x.size(2), means.data_ptr<double>() + first * x.size(2));
  });
  return means;
}

at::Tensor plainInverseNorms(const at::Tensor& x, double least, at::ScalarType dtype) {
  return x.to(dtype).norm(2, {1}).clamp_min(least).reciprocal();
}

at::Tensor inverseNorms(const at::Tensor& x, double least, at::ScalarType dtype) {
  if (!isDecidable(x) || x.stride(1) != 1 || (dtype != at::kFloat && dtype != at::kDouble)) {
    return plainInverseNorms(x, least, dtype);
  }
  at::Tensor result = at::empty({x.size(0)}, x.options().dtype(dtype));
  withElements(result, [&](auto* inverse) {
    withElements(x, [&](const auto* elements) {
      parallelForRows(x.size(0), x.size(1), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t row = first; row < last; ++row) {
          inverse[row] = inverseNorm<std::remove_cvref_t<decltype(*inverse)>>(
              elements + row * x.stride(0), x.size(1), least);
        }
      });
    });
  });
  return result;
}

at::Tensor plainDirections(const at::Tensor& x, double least, at::ScalarType dtype) {
  const at::Tensor rows = x.to(dtype);
  return rows * plainInverseNorms(rows, least, dtype).unsqueeze(1);
}

at::Tensor directions(const at::Tensor& x, double least, at::ScalarType dtype) {
  if (!isDecidable(x) || x.stride(1) != 1 || (dtype != at::kFloat && dtype != at::kDouble)) {
    return plainDirections(x, least, dtype);
  }
  at::Tensor result = at::empty(x.sizes(), x.options().dtype(dtype));
  const std::int64_t width = x.size(1);
  withElements(result, [&](auto* to) {
    using Element = std::remove_cvref_t<decltype(*to)>;
    withElements(x, [&](const auto* from) {
      parallelForRows(x.size(0), width, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t row = first; row < last; ++row) {
          Element* own = to + row * width;
          for (std::int64_t i = 0; i < width; ++i) {
            own[i] = static_cast<Element>(from[row * x.stride(0) + i]);
          }
          const Element inverse = inverseNorm<Element>(own, width, least);
          for (std::int64_t i = 0; i < width; ++i) own[i] *= inverse;
        }
      });
    });
  });
  return result;
}

at::Tensor squaredNorms(const at::Tensor& x) {
  if (!x.is_cpu()) return x.to(at::kFloat).norm(2, {1}).to(at::kCPU, at::kDouble).square();
  const at::ScalarType type = x.scalar_type();
  const bool known = type == at::kFloat || type == at::kDouble || type == at::kBFloat16;
  const at::Tensor rows = !known ? x.to(at::kFloat) : x.stride(1) == 1 ? x : x.contiguous();
  at::Tensor result = at::empty({x.size(0)}, x.options().dtype(at::kDouble));
  const auto sum = [&](const auto* elements) {
    auto* squares = result.data_ptr<double>();
    parallelForRows(x.size(0), x.size(1), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        squares[row] = squareOf(elements + row * rows.stride(0), x.size(1));
      }
    });
  };
  if (type == at::kBFloat16) {
    sum(rows.data_ptr<at::BFloat16>());
  } else {
    withElements(rows, sum);
  }
  return result;
}

at::Tensor plainSoftmaxColumnSums(const at::Tensor& gram, double scale) {
  return (gram * scale).softmax(1).sum(0);
}

at::Tensor softmaxColumnSums(const at::Tensor& gram, double scale, Isa isa) {
  if (!isDecidable(gram)) return plainSoftmaxColumnSums(gram, scale);
  const at::Tensor matrix = gram.contiguous();
  const std::int64_t rows = matrix.size(0);
  const std::int64_t n = matrix.size(1);
  // Pieces that depend on sizes alone, added in order: the same sums on any number of threads.
  const std::int64_t pieces = (rows + kSummedRows - 1) / kSummedRows;
  const std::int64_t width = n + kFullVector;
  const at::Tensor memory = at::empty({2 * pieces, width}, matrix.options());
  const auto bytes = static_cast<std::int64_t>(matrix.element_size());
  auto* start = static_cast<char*>(memory.data_ptr());
  parallelFor(pieces, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t piece = first; piece < last; ++piece) {
      throwIfStopWithin();
      floatKernels(isa).softmaxColumnSums(
          matrix.data_ptr(), matrix.scalar_type() == at::kDouble, n, piece * kSummedRows,
          std::min((piece + 1) * kSummedRows, rows), scale, start + piece * width * bytes,
          start + (pieces + piece) * width * bytes);
    }
  });
  withElements(memory, [&](auto* sums) {
    for (std::int64_t piece = 1; piece < pieces; ++piece) {
      for (std::int64_t j = 0; j < n; ++j) sums[j] += sums[piece * width + j];
    }
  });
  return memory[0].narrow(0, 0, n);
}

at::Tensor plainInverseLengths(const at::Tensor& gram, double least) {
  return gram.diagonal().clamp_min(0).sqrt().clamp_min(least).reciprocal();
}

at::Tensor inverseLengths(const at::Tensor& gram, double least) {
  if (!isDecidable(gram) || !gram.is_contiguous()) return plainInverseLengths(gram, least);
  const std::int64_t n = gram.size(0);
  at::Tensor result = at::empty({n}, gram.options());
  withElements(gram, [&](auto* elements) {
    using Element = std::remove_cvref_t<decltype(*elements)>;
    auto* inverse = static_cast<Element*>(result.data_ptr());
    for (std::int64_t i = 0; i < n; ++i) {
      const Element length = std::sqrt(std::max(elements[i * (n + 1)], Element{0}));
      inverse[i] = 1 / std::max(length, static_cast<Element>(least));
    }
  });
  return result;
}

at::Tensor plainMinMaxScaled(const at::Tensor& values, double epsilon) {
  const at::Tensor low = values.min();
  return (values - low) / (values.max() - low + epsilon);
}

at::Tensor minMaxScaled(const at::Tensor& values, double epsilon) {
  if (!isDecidable(values) || !values.is_contiguous()) return plainMinMaxScaled(values, epsilon);
  at::Tensor result = at::empty_like(values);
  withElements(values, [&](auto* elements) {
    using Element = std::remove_cvref_t<decltype(*elements)>;
    const std::span<Element> all(elements, static_cast<std::size_t>(values.numel()));
    const auto [low, high] = std::minmax_element(all.begin(), all.end());
    const Element range = *high - *low + static_cast<Element>(epsilon);
    std::transform(all.begin(), all.end(), static_cast<Element*>(result.data_ptr()),
                   [low = *low, range](Element value) { return (value - low) / range; });
  });
  return result;
}

at::Tensor plainEluRowMeans(const at::Tensor& values, double margin) {
  return at::elu(values - margin).mean(1);
}

at::Tensor eluRowMeans(const at::Tensor& values, double margin, Isa isa) {
  if (!isDecidable(values)) return plainEluRowMeans(values, margin);
  const at::Tensor matrix = values.contiguous();
  at::Tensor means = at::empty({matrix.size(0)}, matrix.options());
  parallelForRows(matrix.size(0), matrix.size(1), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; row += kComparedRows) {
      throwIfStopWithin();
      floatKernels(isa).eluMeans(matrix.data_ptr(), matrix.scalar_type() == at::kDouble,
                                 matrix.size(1), row, std::min(row + kComparedRows, last), margin,
                                 means.data_ptr());
    }
  });
  return means;
}

at::Tensor plainWardGrowth(const at::Tensor& products, const WardSide& rows,
                           const WardSide& columns) {
  const at::Tensor a = rows.sizes.unsqueeze(-1);
  const at::Tensor b = columns.sizes.unsqueeze(-2);
  const at::Tensor cosines = products * rows.inverse.unsqueeze(-1) * columns.inverse.unsqueeze(-2);
  return (cosines - 1) * (2 * a * b / (a + b));
}

at::Tensor wardGrowth(const at::Tensor& products, const WardSide& rows, const WardSide& columns) {
  if (!isDecidable(products) || products.dim() != 2) {
    return plainWardGrowth(products, rows, columns);
  }
  const at::Tensor pairs = products.contiguous();
  const WardSide own{rows.inverse.contiguous(), rows.sizes.contiguous()};
  const WardSide other{columns.inverse.contiguous(), columns.sizes.contiguous()};
  at::Tensor result = at::empty_like(pairs);
  const std::int64_t n = pairs.size(1);
  withElements(pairs, [&](const auto* elements) {
    using Element = std::remove_cvref_t<decltype(*elements)>;
    const Element* inverse = other.inverse.data_ptr<Element>();
    const Element* sizes = other.sizes.data_ptr<Element>();
    const Element* own_inverse = own.inverse.data_ptr<Element>();
    const Element* own_sizes = own.sizes.data_ptr<Element>();
    auto* growth = result.data_ptr<Element>();
    parallelForRows(pairs.size(0), n, [=](std::int64_t first, std::int64_t last) {
      throwIfStopWithin();
      for (std::int64_t i = first; i < last; ++i) {
        const Element length = own_inverse[i];
        const Element size = own_sizes[i];
        for (std::int64_t j = 0; j < n; ++j) {
          const Element cosine = elements[i * n + j] * length * inverse[j];
          growth[i * n + j] = (cosine - 1) * (2 * size * sizes[j] / (size + sizes[j]));
        }
      }
    });
  });
  return result;
}

at::Tensor plainPicked(const at::Tensor& matrix, const at::Tensor& rows,
                       const at::Tensor& columns) {
  return matrix.index_select(0, rows).index_select(1, columns);
}

at::Tensor picked(const at::Tensor& matrix, const at::Tensor& rows, const at::Tensor& columns) {
  if (!isDecidable(matrix) || matrix.stride(1) != 1) return plainPicked(matrix, rows, columns);
  const at::Tensor row_numbers = rows.contiguous();
  const at::Tensor column_numbers = columns.contiguous();
  const std::int64_t count = columns.size(0);
  at::Tensor result = at::empty({rows.size(0), count}, matrix.options());
  withElements(result, [&](auto* to) {
    using Element = std::remove_cvref_t<decltype(*to)>;
    const auto* from = static_cast<const Element*>(matrix.data_ptr());
    const auto* row = row_numbers.data_ptr<std::int64_t>();
    const auto* column = column_numbers.data_ptr<std::int64_t>();
    parallelForRows(rows.size(0), count, [=, &matrix](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const Element* own = from + row[i] * matrix.stride(0);
        for (std::int64_t j = 0; j < count; ++j) to[i * count + j] = own[column[j]];
      }
    });
  });
  return result;
}

BestMatches plainBestMatches(const at::Tensor& scores) {
  const auto [values, indices] = scores.max(1);
  const at::Tensor score = values.to(at::kCPU, at::kFloat).contiguous();
  const at::Tensor index = indices.to(at::kCPU).contiguous();
  BestMatches best;
  best.score.assign(score.data_ptr<float>(), score.data_ptr<float>() + score.numel());
  best.index.assign(index.data_ptr<std::int64_t>(), index.data_ptr<std::int64_t>() + index.numel());
  replaceNaN(best.score);
  return best;
}

BestMatches plainBestProducts(const at::Tensor& scores, const at::Tensor& source_factors,
                              const at::Tensor& destination_factors) {
  return plainBestMatches(scores * destination_factors.unsqueeze(0) * source_factors.unsqueeze(1));
}

namespace {

/// Undefined factors are 1.
BestMatches bestOf(const at::Tensor& scores, const at::Tensor& source_factors,
                   const at::Tensor& destination_factors, Isa isa) {
  const at::Tensor rows = source_factors.defined() ? source_factors.contiguous() : at::Tensor();
  const at::Tensor columns =
      destination_factors.defined() ? destination_factors.contiguous() : at::Tensor();
  BestMatches best;
  best.score.resize(static_cast<std::size_t>(scores.size(0)));
  best.index.resize(static_cast<std::size_t>(scores.size(0)));
  const at::Tensor scratch = at::empty({scores.size(1) + kFullVector}, scores.options());
  const auto at = [](const at::Tensor& tensor, std::int64_t element) -> const void* {
    if (!tensor.defined()) return nullptr;
    return static_cast<const char*>(tensor.data_ptr()) + element * tensor.element_size();
  };
  for (std::int64_t first = 0; first < scores.size(0); first += kComparedRows) {
    throwIfStopWithin();
    floatKernels(isa).best(
        {at(scores, first * scores.stride(0)), scores.stride(0), scores.stride(1),
         scores.scalar_type() == at::kDouble, std::min(kComparedRows, scores.size(0) - first),
         scores.size(1), at(rows, first), at(columns, 0), best.score.data() + first,
         best.index.data() + first},
        scratch.data_ptr());
  }
  replaceNaN(best.score);
  return best;
}

}  // namespace

BestMatches bestMatches(const at::Tensor& scores, Isa isa) {
  return isDecidable(scores) ? bestOf(scores, {}, {}, isa) : plainBestMatches(scores);
}

BestMatches bestProducts(const at::Tensor& scores, const at::Tensor& source_factors,
                         const at::Tensor& destination_factors, Isa isa) {
  if (!isDecidable(scores) || source_factors.scalar_type() != scores.scalar_type() ||
      destination_factors.scalar_type() != scores.scalar_type()) {
    return plainBestProducts(scores, source_factors, destination_factors);
  }
  return bestOf(scores, source_factors, destination_factors, isa);
}

}  // namespace adamerge
