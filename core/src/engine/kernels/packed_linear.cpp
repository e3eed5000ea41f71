// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/packed_linear.h"

#ifdef ADAMERGE_HAS_ONEDNN

#include <mutex>
#include <unordered_map>

#include "engine/kernels/onednn.h"

namespace adamerge {
namespace {

using dnnl::memory;

/// Rows for which the layout of the packed weights is chosen: tokens of a 224-pixel ViT.
constexpr std::int64_t kTypicalRows = 197;

memory::desc matrix(std::int64_t rows, std::int64_t columns, memory::format_tag layout) {
  return {{rows, columns}, memory::data_type::f32, layout};
}

memory::desc packedLayout(std::int64_t in, std::int64_t out) {
  return makeProduct(matrix(kTypicalRows, in, memory::format_tag::ab),
                     matrix(in, out, memory::format_tag::any), {},
                     matrix(kTypicalRows, out, memory::format_tag::ab))
      .weights;
}

}  // namespace

struct PackedLinear::Packed {
  std::int64_t in;
  std::int64_t out;
  at::Tensor bias;
  memory::desc bias_layout;
  memory bias_memory;
  at::Tensor storage;
  memory weights;
  /// By rows. Token counts differ from image to image, so there are at most some hundred.
  mutable std::unordered_map<std::int64_t, Product> products;
  mutable std::mutex mutex;

  Packed(const at::Tensor& weight, const at::Tensor& with_bias)
      : in(weight.size(1)), out(weight.size(0)), bias(with_bias) {
    if (bias.defined()) {
      bias_layout = matrix(1, out, memory::format_tag::ab);
      bias_memory = memory(bias_layout, cpuEngine(), bias.data_ptr());
    }
    const memory::desc layout = packedLayout(in, out);
    storage = at::empty({static_cast<std::int64_t>(layout.get_size())}, at::kByte);
    weights = memory(layout, cpuEngine(), storage.data_ptr());
    memory plain(matrix(in, out, memory::format_tag::ba), cpuEngine(), weight.data_ptr());
    dnnl::stream stream(cpuEngine());
    dnnl::reorder(plain, weights).execute(stream, plain, weights);
    stream.wait();
  }

  Product product(std::int64_t rows) const {
    const std::lock_guard lock(mutex);
    const auto found = products.find(rows);
    if (found != products.end()) return found->second;
    const Product made = makeProduct(matrix(rows, in, memory::format_tag::ab), weights.get_desc(),
                                     bias_layout, matrix(rows, out, memory::format_tag::ab));
    return products.emplace(rows, made).first->second;
  }

  at::Tensor run(const at::Tensor& x) const {
    const at::Tensor source = x.contiguous();
    at::Tensor result = at::empty({source.size(0), out}, source.options());
    runProduct(product(source.size(0)), source.data_ptr(), weights,
               bias.defined() ? &bias_memory : nullptr, result.data_ptr());
    return result;
  }
};

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias) {
  if (!weight.defined()) return;
  if (weight.is_cpu() && weight.scalar_type() == at::kFloat) {
    packed_ = std::make_shared<const Packed>(weight.contiguous(), bias);
  } else {
    weight_ = weight;
    bias_ = bias;
  }
}

at::Tensor PackedLinear::operator()(const at::Tensor& x) const {
  if (packed_ != nullptr && x.size(0) > 0) return packed_->run(x);
  return at::linear(x, weight_, bias_);
}

}  // namespace adamerge

#else

namespace adamerge {

struct PackedLinear::Packed {};

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias)
    : weight_(weight), bias_(bias) {}

at::Tensor PackedLinear::operator()(const at::Tensor& x) const {
  return at::linear(x, weight_, bias_);
}

}  // namespace adamerge

#endif
