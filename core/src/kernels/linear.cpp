// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "adamerge/error.h"
#include "kernels/cpu/kernel_tables.h"
#include "kernels/parallel.h"
#include "kernels/rows.h"
#include "kernels/workspace.h"

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

/// What all packed weights have in common: how rows and panels are divided.
struct PackedLinear::Packed {
  /// As product() reads them.
  struct Rows {
    at::Tensor values;            ///< [rows, in], adjacent
    std::vector<Int8Row> scales;  ///< of whole numbers
  };

  Isa isa;
  at::ScalarType dtype;  ///< of the weight that was packed
  std::int64_t out;
  std::int64_t in = 0;  ///< as packed: filled up to a whole step
  std::int64_t panel = 0;
  std::int64_t panels = 0;
  std::int64_t unit = 0;  ///< rows that are best kept together
  at::Tensor weights;
  at::Tensor bias;  ///< fp32

  Packed(const at::Tensor& weight, const at::Tensor& given_bias, Isa given_isa)
      : isa(given_isa), dtype(weight.scalar_type()), out(weight.size(0)) {
    if (given_bias.defined()) bias = given_bias.to(at::kFloat).contiguous();
  }
  virtual ~Packed() = default;

  virtual Rows rowsOf(const at::Tensor& x) const { return {paddedColumns(x, in).contiguous(), {}}; }
  virtual std::int64_t scratchBytes() const { return 0; }
  /// Rows [row, row + rows) times panels [first, last); `to` begins with the first of the rows.
  virtual void product(const Rows& x, std::int64_t row, std::int64_t rows, std::int64_t first,
                       std::int64_t last, const Destination& to, void* scratch) const = 0;
  virtual PackedLinear repacked(const at::Tensor& weight) const {
    return {weight, bias.defined() ? bias.to(dtype) : at::Tensor(), isa};
  }

  void multiply(const Rows& x, std::int64_t first_row, std::int64_t last_row,
                std::int64_t first_panel, std::int64_t last_panel, const Destination& to) const {
    const std::int64_t bytes = in * static_cast<std::int64_t>(x.values.element_size());
    // In equal portions: all weights are read once more for each, be it of a few rows.
    const std::int64_t cached = std::max<std::int64_t>(kCachedBytes / bytes, kQueryBlock);
    const std::int64_t portions =
        std::max<std::int64_t>(dividedUp(last_row - first_row, cached), 1);
    const std::int64_t portion = dividedUp(dividedUp(last_row - first_row, portions), unit) * unit;
    const std::int64_t needed = scratchBytes();
    const at::Tensor scratch = needed > 0 ? at::empty({needed}, at::kByte) : at::Tensor();
    for (std::int64_t row = first_row; row < last_row; row += portion) {
      throwIfStopWithin();
      Destination own = to;
      own.data = static_cast<char*>(to.data) +
                 row * to.stride *
                     static_cast<std::int64_t>(to.store == Store::kBFloat16 ? sizeof(at::BFloat16)
                                                                            : sizeof(float));
      product(x, row, std::min(last_row - row, portion), first_panel, last_panel, own,
              needed > 0 ? scratch.data_ptr() : nullptr);
    }
  }

  /// [out, in], to the last bit, whatever the kernels' order: what the identity's rows give.
  at::Tensor weight() const {
    const at::Tensor rows = at::empty({in, out}, at::kFloat);
    // LibTorch 1.13 makes no identity in bf16.
    multiply(rowsOf(at::eye(in).to(dtype)), 0, in, 0, panels,
             {rows.data_ptr(), out, nullptr, Finish::kNone, Store::kFloat});
    return rows.t();
  }

  void run(const at::Tensor& given, Destination to) const {
    const Rows x = rowsOf(given);
    if (bias.defined()) to.bias = bias.data_ptr<float>();
    const std::int64_t rows = given.size(0);
    const std::int64_t threads = parallelThreads();
    // Small weights: each thread has rows of its own, which from layer to layer stay in its cache.
    // Else each reads only its own weights, unless there are too few panels to divide evenly.
    const bool by_rows = weights.nbytes() <= kSmallWeights && rows >= unit * threads;
    if (!by_rows && (panels % threads == 0 || panels >= 4 * threads || rows < kQueryBlock)) {
      parallelFor(panels, [&](std::int64_t first, std::int64_t last) {
        multiply(x, 0, rows, first, last, to);
      });
      return;
    }
    parallelFor(dividedUp(rows, unit), [&](std::int64_t first, std::int64_t last) {
      multiply(x, first * unit, std::min(last * unit, rows), 0, panels, to);
    });
  }

 protected:
  void divide(std::int64_t columns, std::int64_t own_panel, std::int64_t own_unit) {
    in = columns;
    panel = own_panel;
    panels = dividedUp(out, panel);
    unit = own_unit;
  }
};

struct PackedLinear::Fp32 final : Packed {
  const FloatKernels& kernels;

  Fp32(const at::Tensor& weight, const at::Tensor& given_bias, Isa given_isa)
      : Packed(weight, given_bias, given_isa), kernels(floatKernels(isa)) {
    divide(weight.size(1), kernels.panel, kFloatRows);
    weights = at::zeros({panels, in, panel}, at::kFloat);
    for (std::int64_t index = 0; index < panels; ++index) {
      const std::int64_t count = std::min(panel, out - index * panel);
      weights.select(0, index)
          .narrow(1, 0, count)
          .copy_(weight.narrow(0, index * panel, count).t());
    }
  }
  void product(const Rows& x, std::int64_t row, std::int64_t rows, std::int64_t first,
               std::int64_t last, const Destination& to, void* /*scratch*/) const override {
    kernels.product(x.values.data_ptr<float>() + row * in, in, rows, in, weights.data_ptr<float>(),
                    first, last, out, to);
  }
};

struct PackedLinear::Half final : Packed {
  const HalfKernels& kernels;

  Half(const at::Tensor& weight, const at::Tensor& given_bias, Isa given_isa)
      : Packed(weight, given_bias, given_isa), kernels(halfKernels(isa)) {
    divide(dividedUp(weight.size(1), kernels.step) * kernels.step, kernels.panel, kernels.rows);
    const at::Tensor rows = weight.to(at::kFloat).contiguous();
    weights = at::empty({panels * panel * in}, at::kBFloat16);
    kernels.pack(rows.data_ptr<float>(), out, weight.size(1),
                 static_cast<std::uint16_t*>(weights.data_ptr()));
  }
  std::int64_t scratchBytes() const override { return kernels.productScratch(in); }
  void product(const Rows& x, std::int64_t row, std::int64_t rows, std::int64_t first,
               std::int64_t last, const Destination& to, void* scratch) const override {
    kernels.product(static_cast<const std::uint16_t*>(x.values.data_ptr()) + row * in, in, rows, in,
                    static_cast<const std::uint16_t*>(weights.data_ptr()), first, last, out, to,
                    scratch);
  }
};

struct PackedLinear::Whole final : Packed {
  const Int8Kernels& kernels;
  std::vector<Int8Column> scales;

  Whole(const at::Tensor& weight, const at::Tensor& given_bias, Isa given_isa)
      : Packed(weight, given_bias, given_isa),
        kernels(int8Kernels(isa)),
        scales(static_cast<std::size_t>(out)) {
    if (weight.size(1) > Int8Kernels::kDeepest) {
      throw Error(
          fmt::format("int8 products take {} inputs at most, a layer has {}; --dtype "
                      "float32 takes any",
                      Int8Kernels::kDeepest, weight.size(1)));
    }
    divide(Int8Kernels::steps(weight.size(1)) * Int8Kernels::kStep, kernels.panel, kernels.rows);
    weights = at::empty({panels * panel * in}, at::kChar);
    kernels.pack(weight.contiguous().data_ptr<float>(), out, weight.size(1),
                 weights.data_ptr<std::int8_t>(), scales.data());
  }
  Rows rowsOf(const at::Tensor& given) const override {
    const bool half = given.scalar_type() == at::kBFloat16;
    const at::Tensor x = given.contiguous();
    Rows rows{emptyResult({x.size(0), in}, at::kByte),
              std::vector<Int8Row>(static_cast<std::size_t>(x.size(0)))};
    const auto* data = static_cast<const char*>(x.data_ptr());
    const std::int64_t bytes = x.size(1) * static_cast<std::int64_t>(x.element_size());
    parallelFor(x.size(0), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        kernels.quantise(data + row * bytes, half, x.size(1),
                         rows.values.data_ptr<std::uint8_t>() + row * in,
                         &rows.scales[static_cast<std::size_t>(row)]);
      }
    });
    return rows;
  }
  void product(const Rows& x, std::int64_t row, std::int64_t rows, std::int64_t first,
               std::int64_t last, const Destination& to, void* /*scratch*/) const override {
    kernels.product(x.values.data_ptr<std::uint8_t>() + row * in, x.scales.data() + row, rows, in,
                    weights.data_ptr<std::int8_t>(), scales.data(), first, last, out, to);
  }
  PackedLinear repacked(const at::Tensor& weight) const override { return int8(weight, bias, isa); }
};

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias, Isa isa) {
  if (!weight.defined()) return;
  if (weight.is_cpu() && weight.scalar_type() == at::kFloat) {
    packed_ = std::make_shared<const Fp32>(weight, bias, isa);
  } else if (weight.is_cpu() && weight.scalar_type() == at::kBFloat16) {
    packed_ = std::make_shared<const Half>(weight, bias, isa);
  } else {
    weight_ = weight;
    bias_ = bias;
  }
}

PackedLinear PackedLinear::int8(const at::Tensor& weight, const at::Tensor& bias, Isa isa) {
  PackedLinear layer;
  layer.packed_ = std::make_shared<const Whole>(weight, bias, isa);
  return layer;
}

at::Tensor PackedLinear::operator()(const at::Tensor& x, std::optional<Activation> activation,
                                    std::optional<at::ScalarType> dtype) const {
  const at::ScalarType wanted = dtype.value_or(x.scalar_type());
  if (packed_ == nullptr) return plainLinear(x, weight_, bias_, activation).to(wanted);
  at::Tensor result = emptyResult({x.size(0), packed_->out}, x.options().dtype(wanted));
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
  const at::ScalarType type = packed_ == nullptr ? weight_.scalar_type() : packed_->dtype;
  const at::Tensor own =
      packed_ == nullptr ? weight_ : packed_->weight().narrow(1, 0, change.size(1));
  const at::Tensor weight = (own.to(at::kDouble) + change.to(own.device(), at::kDouble)).to(type);
  if (packed_ == nullptr) return {weight, bias_};
  return packed_->repacked(weight);
}

}  // namespace adamerge
