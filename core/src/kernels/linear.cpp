// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/linear.h"

#include <algorithm>

#include "kernels/cpu/kernel_tables.h"
#include "kernels/parallel.h"
#include "kernels/rows.h"

namespace adamerge {
namespace {

/// Rows that a thread multiplies with all its weights before it takes the next ones, so that they
/// stay in its second-level cache.
constexpr std::int64_t kCachedBytes = 3 << 18;
/// Weights that every thread can read in whole as quickly as a part of them.
constexpr std::size_t kSmallWeights = 1 << 20;

std::int64_t dividedUp(std::int64_t count, std::int64_t by) { return (count + by - 1) / by; }

at::Tensor paddedColumns(const at::Tensor& x, std::int64_t columns) {
  return x.size(1) == columns ? x : at::constant_pad_nd(x, {0, columns - x.size(1)});
}

}  // namespace

at::Tensor plainLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       std::optional<Activation> activation) {
  const at::Tensor result = at::linear(x, weight, bias);
  return activation ? activate(result, *activation) : result;
}

struct PackedLinear::Packed {
  Isa isa;
  const HalfKernels* half;  ///< null: fp32
  const FloatKernels& kernels;
  std::int64_t in;  ///< as packed: filled up to a whole step
  std::int64_t out;
  std::int64_t panel;
  std::int64_t panels;
  at::Tensor weights;
  at::Tensor bias;  ///< fp32

  Packed(const at::Tensor& weight, const at::Tensor& given_bias, Isa given_isa)
      : isa(given_isa),
        half(weight.scalar_type() == at::kBFloat16 ? &halfKernels(isa) : nullptr),
        kernels(floatKernels(isa)),
        in(half != nullptr ? dividedUp(weight.size(1), half->step) * half->step : weight.size(1)),
        out(weight.size(0)),
        panel(half != nullptr ? half->panel : kernels.panel),
        panels(dividedUp(out, panel)) {
    if (given_bias.defined()) bias = given_bias.to(at::kFloat).contiguous();
    if (half != nullptr) {
      const at::Tensor rows = weight.to(at::kFloat).contiguous();
      weights = at::empty({panels * panel * in}, at::kBFloat16);
      half->pack(rows.data_ptr<float>(), out, weight.size(1),
                 static_cast<std::uint16_t*>(weights.data_ptr()));
      return;
    }
    weights = at::zeros({panels, in, panel}, at::kFloat);
    for (std::int64_t index = 0; index < panels; ++index) {
      const std::int64_t count = std::min(panel, out - index * panel);
      weights.select(0, index)
          .narrow(1, 0, count)
          .copy_(weight.narrow(0, index * panel, count).t());
    }
  }

  /// Rows that are best kept together.
  std::int64_t unit() const { return half != nullptr ? half->rows : kFloatRows; }

  void multiply(const at::Tensor& x, std::int64_t first_row, std::int64_t last_row,
                std::int64_t first_panel, std::int64_t last_panel, const Destination& to) const {
    const std::int64_t bytes =
        in * static_cast<std::int64_t>(half != nullptr ? sizeof(at::BFloat16) : sizeof(float));
    // In equal portions: all weights are read once more for each, be it of a few rows.
    const std::int64_t cached = std::max<std::int64_t>(kCachedBytes / bytes, kQueryBlock);
    const std::int64_t portions =
        std::max<std::int64_t>(dividedUp(last_row - first_row, cached), 1);
    const std::int64_t portion =
        dividedUp(dividedUp(last_row - first_row, portions), unit()) * unit();
    const at::Tensor scratch =
        half != nullptr ? at::empty({half->productScratch(in)}, at::kByte) : at::Tensor();
    for (std::int64_t row = first_row; row < last_row; row += portion) {
      throwIfStopWithin();
      const std::int64_t rows = std::min(last_row - row, portion);
      Destination own = to;
      own.data = static_cast<char*>(to.data) +
                 row * to.stride *
                     static_cast<std::int64_t>(to.store == Store::kBFloat16 ? sizeof(at::BFloat16)
                                                                            : sizeof(float));
      if (half != nullptr) {
        const auto* data = static_cast<const std::uint16_t*>(x.data_ptr());
        half->product(data + row * x.stride(0), x.stride(0), rows, in,
                      static_cast<const std::uint16_t*>(weights.data_ptr()), first_panel,
                      last_panel, out, own, scratch.data_ptr());
      } else {
        kernels.product(x.data_ptr<float>() + row * x.stride(0), x.stride(0), rows, in,
                        weights.data_ptr<float>(), first_panel, last_panel, out, own);
      }
    }
  }

  at::ScalarType dtype() const { return half != nullptr ? at::kBFloat16 : at::kFloat; }

  /// [out, in], to the last bit, whatever the kernels' order: what the identity's rows give.
  at::Tensor weight() const {
    const at::Tensor rows = at::empty({in, out}, at::kFloat);
    // LibTorch 1.13 makes no identity in bf16.
    multiply(at::eye(in).to(dtype()), 0, in, 0, panels,
             {rows.data_ptr(), out, nullptr, Finish::kNone, Store::kFloat});
    return rows.t();
  }

  void run(const at::Tensor& given, Destination to) const {
    const at::Tensor x = paddedColumns(given, in).contiguous();
    if (bias.defined()) to.bias = bias.data_ptr<float>();
    const std::int64_t rows = x.size(0);
    const std::int64_t threads = parallelThreads();
    // Small weights: each thread has rows of its own, which from layer to layer stay in its cache.
    // Else each reads only its own weights, unless there are too few panels to divide evenly.
    const bool by_rows = weights.nbytes() <= kSmallWeights && rows >= unit() * threads;
    if (!by_rows && (panels % threads == 0 || panels >= 4 * threads || rows < kQueryBlock)) {
      parallelFor(panels, [&](std::int64_t first, std::int64_t last) {
        multiply(x, 0, rows, first, last, to);
      });
      return;
    }
    parallelFor(dividedUp(rows, unit()), [&](std::int64_t first, std::int64_t last) {
      multiply(x, first * unit(), std::min(last * unit(), rows), 0, panels, to);
    });
  }
};

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias, Isa isa) {
  if (!weight.defined()) return;
  if (weight.is_cpu() &&
      (weight.scalar_type() == at::kFloat || weight.scalar_type() == at::kBFloat16)) {
    packed_ = std::make_shared<const Packed>(weight, bias, isa);
  } else {
    weight_ = weight;
    bias_ = bias;
  }
}

at::Tensor PackedLinear::operator()(const at::Tensor& x, std::optional<Activation> activation,
                                    std::optional<at::ScalarType> dtype) const {
  const at::ScalarType wanted = dtype.value_or(x.scalar_type());
  if (packed_ == nullptr) return plainLinear(x, weight_, bias_, activation).to(wanted);
  at::Tensor result = at::empty({x.size(0), packed_->out}, x.options().dtype(wanted));
  packed_->run(x, {result.data_ptr(), packed_->out, nullptr, finishOf(activation),
                   wanted == at::kBFloat16 ? Store::kBFloat16 : Store::kFloat});
  return result;
}

void PackedLinear::addTo(at::Tensor& sums, const at::Tensor& x) const {
  if (packed_ == nullptr) {
    sums.add_(plainLinear(x, weight_, bias_, std::nullopt));
    return;
  }
  packed_->run(x,
               {sums.data_ptr<float>(), sums.stride(0), nullptr, Finish::kNone, Store::kAddFloat});
}

PackedLinear PackedLinear::plus(const at::Tensor& change) const {
  const at::ScalarType type = packed_ == nullptr ? weight_.scalar_type() : packed_->dtype();
  const at::Tensor own =
      packed_ == nullptr ? weight_ : packed_->weight().narrow(1, 0, change.size(1));
  const at::Tensor weight = (own.to(at::kDouble) + change.to(own.device(), at::kDouble)).to(type);
  if (packed_ == nullptr) return {weight, bias_};
  return {weight, packed_->bias.defined() ? packed_->bias.to(type) : at::Tensor(), packed_->isa};
}

}  // namespace adamerge
