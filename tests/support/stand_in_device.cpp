// SPDX-License-Identifier: GPL-3.0-or-later
#include "stand_in_device.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <atomic>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace adamerge::test {
namespace {

constexpr c10::DeviceType kType = c10::DeviceType::PrivateUse1;
const c10::Device kDevice(kType, 0);

std::atomic<std::int64_t> operations{0};
std::atomic<std::int64_t> to_device{0};
std::atomic<std::int64_t> to_host{0};
std::atomic<std::size_t> used{0};
std::atomic<std::size_t> peak{0};
std::atomic<std::size_t> limit{std::numeric_limits<std::size_t>::max()};

class Guard final : public c10::impl::DeviceGuardImplInterface {
 public:
  c10::DeviceType type() const override { return kType; }
  c10::Device exchangeDevice(c10::Device /*device*/) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  void setDevice(c10::Device /*device*/) const override {}
  void uncheckedSetDevice(c10::Device /*device*/) const noexcept override {}
  c10::Stream getStream(c10::Device /*device*/) const noexcept override { return stream(); }
  c10::Stream exchangeStream(c10::Stream /*stream*/) const noexcept override { return stream(); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }

 private:
  static c10::Stream stream() { return c10::Stream(c10::Stream::DEFAULT, kDevice); }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

/// What a piece of the device's memory keeps alive: the CPU's tensor that it really is.
struct Block {
  c10::Storage host;
  std::size_t bytes;
};
void freeBlock(void* context) {
  auto* block = static_cast<Block*>(context);
  used -= block->bytes;
  delete block;
}
void freeAlias(void* context) { delete static_cast<c10::Storage*>(context); }

/// The memory of a tensor that the CPU made, as the device's.
c10::Storage deviceStorage(const c10::Storage& host) {
  const c10::DataPtr& data = host.data_ptr();
  // Of an alias that hostAlias() made: what it is an alias of.
  if (data.get_deleter() == &freeAlias) return *static_cast<c10::Storage*>(data.get_context());
  const std::size_t bytes = host.nbytes();
  const std::size_t now = used += bytes;
  if (now > limit) {
    used -= bytes;
    C10_THROW_ERROR(OutOfMemoryError, "the stand-in is out of memory");
  }
  for (std::size_t seen = peak; seen < now && !peak.compare_exchange_weak(seen, now);) {
  }
  void* const memory = const_cast<void*>(static_cast<const void*>(data.get()));
  return {c10::Storage::use_byte_size_t(), bytes,
          c10::DataPtr(memory, new Block{host, bytes}, &freeBlock, kDevice), nullptr, false};
}

at::Tensor onDevice(const at::Tensor& host) {
  at::Tensor tensor = at::detail::make_tensor<c10::TensorImpl>(
      deviceStorage(host.storage()), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
      host.dtype());
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(host.sizes(), host.strides(),
                                                      host.storage_offset());
  return tensor;
}

/// The same memory, for the CPU's functions.
at::Tensor hostAlias(const at::Tensor& tensor) {
  const c10::Storage& storage = tensor.storage();
  // What a function writes its result to may still have to grow.
  if (storage.nbytes() == 0) return at::empty(tensor.sizes(), tensor.options().device(at::kCPU));
  void* const memory = const_cast<void*>(static_cast<const void*>(storage.data_ptr().get()));
  c10::Storage alias(c10::Storage::use_byte_size_t(), storage.nbytes(),
                     c10::DataPtr(memory, new c10::Storage(storage), &freeAlias, at::kCPU), nullptr,
                     false);
  at::Tensor host = at::detail::make_tensor<c10::TensorImpl>(
      std::move(alias), c10::DispatchKeySet(c10::DispatchKey::CPU), tensor.dtype());
  host.unsafeGetTensorImpl()->set_sizes_and_strides(tensor.sizes(), tensor.strides(),
                                                    tensor.storage_offset());
  return host;
}

bool isOurs(const at::Tensor& tensor) {
  return tensor.defined() && tensor.device().type() == kType;
}

/// One call of a LibTorch function whose arguments are the device's.
class Call {
 public:
  explicit Call(const c10::OperatorHandle& op) : op_(op), name_(op.schema().name()) {}

  void run(torch::jit::Stack* stack) {
    const std::size_t arguments = op_.schema().arguments().size();
    for (std::size_t i = stack->size() - arguments; i < stack->size(); ++i) {
      (*stack)[i] = hosted((*stack)[i]);
    }
    count();
    {
      // The values are the CPU's now, and nothing further up needs to see them.
      const c10::impl::ExcludeDispatchKeyGuard guard(c10::autograd_dispatch_keyset);
      // By one thread: those of OpenBLAS 0.3.29 wait for each other without letting go of their
      // cores, and where other programs run beside the tests most of their time would go there.
      if (at::get_num_threads() > 1) at::set_num_threads(1);
      op_.callBoxed(stack);
    }
    for (auto& [impl, pair] : originals_) {
      if (pair.first.storage().nbytes() > pair.second.storage().nbytes()) grow(pair);
    }
    const std::size_t results = op_.schema().returns().size();
    for (std::size_t i = stack->size() - results; i < stack->size(); ++i) {
      if (!reads_) (*stack)[i] = returned((*stack)[i]);
    }
  }

 private:
  at::Tensor hosted(const at::Tensor& tensor) {
    if (!isOurs(tensor)) {
      host_ = host_ || (tensor.defined() && tensor.dim() > 0);
      return tensor;
    }
    ours_ = true;
    at::Tensor alias = hostAlias(tensor);
    originals_.emplace(alias.unsafeGetTensorImpl(), Pair(alias, tensor));
    return alias;
  }
  /// The alias and the device's.
  using Pair = std::pair<at::Tensor, at::Tensor>;
  static void grow(Pair& pair) {
    const auto& [host, own] = pair;
    own.unsafeGetTensorImpl()->set_storage_keep_dtype(deviceStorage(host.storage()));
    own.unsafeGetTensorImpl()->set_sizes_and_strides(host.sizes(), host.strides(),
                                                     host.storage_offset());
  }
  c10::IValue hosted(const c10::IValue& value) {
    if (value.isTensor()) {
      // Of a copy the first is written to.
      if (isCopy() && !isOurs(value.toTensor())) (seen_++ == 0 ? reads_ : writes_) = true;
      if (isCopy() && isOurs(value.toTensor())) ++seen_;
      return hosted(value.toTensor());
    }
    if (value.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(hosted(tensor));
      return list;
    }
    if (value.isOptionalTensorList()) {
      c10::List<c10::optional<at::Tensor>> list;
      for (const c10::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
        list.push_back(tensor ? c10::optional<at::Tensor>(hosted(*tensor)) : c10::nullopt);
      }
      return list;
    }
    if (value.isDevice() && value.toDevice().type() == kType) return c10::Device(at::kCPU);
    return value;
  }
  c10::IValue returned(const c10::IValue& value) {
    if (value.isTensor()) return returned(value.toTensor());
    if (!value.isTensorList()) return value;
    c10::List<at::Tensor> list;
    for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(returned(tensor));
    return list;
  }
  at::Tensor returned(const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    const auto found = originals_.find(tensor.unsafeGetTensorImpl());
    return found == originals_.end() ? onDevice(tensor) : found->second.second;
  }

  bool isCopy() const { return name_ == "aten::copy_"; }
  void count() {
    if (isCopy()) {
      (reads_ ? to_host : writes_ ? to_device : operations) += 1;
      return;
    }
    if (name_ == "aten::_local_scalar_dense" || name_ == "aten::equal" ||
        name_ == "aten::nonzero") {
      to_host += 1;
      return;
    }
    TORCH_CHECK(!(ours_ && host_), name_,
                ": expected all tensors to be on the same device, but found some on the CPU");
    constexpr std::string_view kFree[] = {"aten::empty",         "aten::view",   "aten::as_strided",
                                          "aten::alias",         "aten::select", "aten::slice",
                                          "aten::_reshape_alias"};
    for (const std::string_view free : kFree) {
      if (name_.rfind(free, 0) == 0) return;
    }
    operations += 1;
  }

  const c10::OperatorHandle& op_;
  const std::string& name_;
  std::unordered_map<const c10::TensorImpl*, Pair> originals_;
  bool ours_ = false;
  bool host_ = false;  ///< a tensor of the CPU's is among the arguments
  int seen_ = 0;
  bool reads_ = false;   ///< a copy to the CPU
  bool writes_ = false;  ///< a copy from it
};

void compute(const c10::OperatorHandle& op, torch::jit::Stack* stack) { Call(op).run(stack); }

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&compute>());
}
// LibTorch has versions of these for every device, which do not suit this one.
TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("copy_", torch::CppFunction::makeFromBoxedFunction<&compute>());
}

}  // namespace

StandInTraffic standInTraffic() {
  return {operations.load(), to_device.load(), to_host.load(), peak.load()};
}
void resetStandIn() {
  operations = to_device = to_host = 0;
  peak = used.load();
}
std::size_t standInBytes() { return used; }
void limitStandIn(std::size_t bytes) { limit = bytes; }

}  // namespace adamerge::test
