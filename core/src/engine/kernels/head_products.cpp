// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/head_products.h"

#ifdef ADAMERGE_HAS_ONEDNN

#include <array>
#include <map>
#include <mutex>

#include "engine/kernels/onednn.h"

namespace adamerge {
namespace {

/// Sizes and strides of the three matrices.
using Shape = std::array<std::int64_t, 18>;

dnnl::memory::desc layoutOf(const at::Tensor& x) {
  return {x.sizes().vec(), dnnl::memory::data_type::f32, x.strides().vec()};
}

Shape shapeOf(const at::Tensor& a, const at::Tensor& b, const at::Tensor& result) {
  Shape shape{};
  auto to = shape.begin();
  for (const at::Tensor* x : {&a, &b, &result}) {
    to = std::copy(x->sizes().begin(), x->sizes().end(), to);
    to = std::copy(x->strides().begin(), x->strides().end(), to);
  }
  return shape;
}

/// Making a product takes longer than a small one runs, and every token count has its own. Bounded,
/// since a long session over many models would otherwise collect them.
Product keptProduct(const at::Tensor& a, const at::Tensor& b, const at::Tensor& result) {
  constexpr std::size_t kMost = 4096;
  static std::mutex mutex;
  static std::map<Shape, Product> kept;
  const Shape shape = shapeOf(a, b, result);
  const std::lock_guard lock(mutex);
  const auto found = kept.find(shape);
  if (found != kept.end()) return found->second;
  if (kept.size() >= kMost) kept.clear();
  return kept.emplace(shape, makeProduct(layoutOf(a), layoutOf(b), {}, layoutOf(result)))
      .first->second;
}

/// oneDNN reads a matrix only where one of its two strides is 1.
bool readable(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.numel() > 0 &&
         (x.stride(2) == 1 || x.stride(1) == 1);
}

}  // namespace

void multiplyHeads(const at::Tensor& a, const at::Tensor& b, at::Tensor result) {
  if (!readable(a) || !readable(b) || !readable(result) || result.stride(2) != 1) {
    result.copy_(a.matmul(b));
    return;
  }
  const Product product = keptProduct(a, b, result);
  const dnnl::memory weights(product.weights, cpuEngine(), b.data_ptr());
  runProduct(product, a.data_ptr(), weights, nullptr, result.data_ptr());
}

}  // namespace adamerge

#else

namespace adamerge {

void multiplyHeads(const at::Tensor& a, const at::Tensor& b, at::Tensor result) {
  result.copy_(a.matmul(b));
}

}  // namespace adamerge

#endif
