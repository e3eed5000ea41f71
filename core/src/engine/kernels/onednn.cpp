// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/onednn.h"

#include <unordered_map>

#include "engine/device.h"

namespace adamerge {

const dnnl::engine& cpuEngine() {
  static const dnnl::engine engine = [] {
    prepareBackends();
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return engine;
}

Product makeProduct(const dnnl::memory::desc& source, const dnnl::memory::desc& weights,
                    const dnnl::memory::desc& bias, const dnnl::memory::desc& destination) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::matmul::desc operation = bias.get_size() > 0
                                           ? dnnl::matmul::desc(source, weights, bias, destination)
                                           : dnnl::matmul::desc(source, weights, destination);
  const dnnl::matmul::primitive_desc description(operation, attributes, cpuEngine());
  return {dnnl::matmul(description), source, description.weights_desc(), destination,
          description.scratchpad_desc()};
}

void runProduct(const Product& product, void* source, const dnnl::memory& weights,
                const dnnl::memory* bias, void* destination) {
  const at::Tensor scratch =
      at::empty({static_cast<std::int64_t>(product.scratch.get_size())}, at::kByte);
  std::unordered_map<int, dnnl::memory> arguments{
      {DNNL_ARG_SRC, dnnl::memory(product.source, cpuEngine(), source)},
      {DNNL_ARG_WEIGHTS, weights},
      {DNNL_ARG_DST, dnnl::memory(product.destination, cpuEngine(), destination)},
      {DNNL_ARG_SCRATCHPAD, dnnl::memory(product.scratch, cpuEngine(), scratch.data_ptr())}};
  if (bias != nullptr) arguments.emplace(DNNL_ARG_BIAS, *bias);
  dnnl::stream stream(cpuEngine());
  product.primitive.execute(stream, arguments);
  stream.wait();
}

}  // namespace adamerge
