// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/pickle.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "support/text.h"
#include "weights/pickle_codes.h"

namespace adamerge::pickle {
namespace {

// A checkpoint with optimizer state has some ten thousand values; each takes 40 bytes here.
constexpr std::size_t kMaxValues = 2'000'000;
constexpr std::size_t kMaxAxes = 16;

/// Reads opcodes and keeps their stack, memo and values. Whatever is taken from the stack is
/// checked.
class Machine : private Bytes {
 public:
  using Bytes::Bytes;

  Document parse() {
    for (;;) {
      const auto opcode = static_cast<Opcode>(number(1));
      if (opcode == kStop) return finish();
      if (!pushConstant(opcode) && !useMemo(opcode)) combine(opcode);
    }
  }

 private:
  Value longInteger(std::size_t width) {
    if (width > sizeof(std::uint64_t)) return skip(width);
    return signedNumber(width);
  }

  Value skip(std::uint64_t count) {
    take(count);
    return Nothing{};
  }

  Index add(Value value) {
    if (values_.size() >= kMaxValues) fail(fmt::format("it holds over {} values", kMaxValues));
    values_.push_back(std::move(value));
    return static_cast<Index>(values_.size() - 1);
  }

  void push(Value value) { stack_.push_back(add(std::move(value))); }
  bool pushed(Value value) {
    push(std::move(value));
    return true;
  }

  Index pop() {
    const std::size_t bottom = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= bottom) fail("its stack runs empty");
    const Index index = stack_.back();
    stack_.pop_back();
    return index;
  }

  std::vector<Index> popToMark() {
    if (marks_.empty()) fail("a mark is missing");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Index> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  template <class T>
  T* get(Index index) {
    return std::get_if<T>(&values_[index]);
  }

  bool pushConstant(Opcode opcode) {
    switch (opcode) {
      case kNone:
        return pushed(Nothing{});
      case kNewTrue:
      case kNewFalse:
        return pushed(opcode == kNewTrue);
      case kBinInt:
        return pushed(longInteger(4));
      case kBinInt1:
        return pushed(static_cast<std::int64_t>(number(1)));
      case kBinInt2:
        return pushed(static_cast<std::int64_t>(number(2)));
      case kLong1:
        return pushed(longInteger(number(1)));
      case kLong4:
        return pushed(longInteger(number(4)));
      case kBinFloat:
        return pushed(bigEndianDouble());
      case kShortBinUnicode:
      case kShortBinString:
        return pushed(text(number(1)));
      case kBinUnicode:
      case kBinString:
        return pushed(text(number(4)));
      case kBinUnicode8:
        return pushed(text(number(8)));
      case kShortBinBytes:
        return pushed(skip(number(1)));
      case kBinBytes:
        return pushed(skip(number(4)));
      case kBinBytes8:
      case kByteArray8:
        return pushed(skip(number(8)));
      case kEmptyDict:
        return pushed(Dict{});
      case kEmptyList:
      case kEmptySet:
        return pushed(Sequence{});
      case kEmptyTuple:
        return pushed(Sequence{true, {}});
      default:
        return false;
    }
  }

  bool store(std::uint64_t slot) {
    if (slot >= kMaxValues) fail(fmt::format("memo slot {} is out of range", slot));
    if (stack_.empty()) fail("its stack runs empty");
    if (slot >= memo_.size()) memo_.resize(slot + 1);
    memo_[slot] = stack_.back();
    return true;
  }

  bool recall(std::uint64_t slot) {
    if (slot >= memo_.size() || !memo_[slot]) fail(fmt::format("memo slot {} was never set", slot));
    if (stack_.size() >= kMaxValues) fail(fmt::format("it holds over {} values", kMaxValues));
    stack_.push_back(*memo_[slot]);
    return true;
  }

  bool useMemo(Opcode opcode) {
    switch (opcode) {
      case kBinPut:
        return store(number(1));
      case kLongBinPut:
        return store(number(4));
      case kMemoize:
        return store(memo_.size());
      case kBinGet:
        return recall(number(1));
      case kLongBinGet:
        return recall(number(4));
      default:
        return false;
    }
  }

  void combine(Opcode opcode) {
    switch (opcode) {
      case kProto:
        take(1);
        return;
      case kFrame:
        take(8);
        return;
      case kMark:
        if (marks_.size() >= kMaxValues) fail("it holds too many marks");
        marks_.push_back(stack_.size());
        return;
      case kPop:
        pop();
        return;
      case kPopMark:
        popToMark();
        return;
      case kTuple:
      case kFrozenSet:
        return push(Sequence{true, popToMark()});
      case kTuple1:
      case kTuple2:
      case kTuple3:
        return tuple(1U + opcode - kTuple1);
      case kAppend:
        return append({pop()});
      case kAppends:
      case kAddItems:
        return append(popToMark());
      case kSetItem: {
        const Index value = pop();
        return setItems({pop(), value});
      }
      case kSetItems:
        return setItems(popToMark());
      case kGlobal: {
        const Index module = add(line());
        return global(module, add(line()));
      }
      case kStackGlobal: {
        const Index name = pop();
        return global(pop(), name);
      }
      case kNewObjEx:
        pop();  // keyword arguments
        [[fallthrough]];
      case kNewObj:
      case kReduce:
        return call();
      case kBuild:
        return build();
      case kBinPersId:
        return persistentId();
      default:
        fail(fmt::format("no state dict has opcode 0x{:02x} (byte {})",
                         static_cast<unsigned>(opcode), position() - 1));
    }
  }

  void tuple(std::size_t count) {
    std::vector<Index> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    push(Sequence{true, std::move(items)});
  }

  void append(const std::vector<Index>& items) {
    const Index target = pop();
    if (auto* list = get<Sequence>(target); list != nullptr && !list->tuple) {
      list->items.insert(list->items.end(), items.begin(), items.end());
    } else if (get<Object>(target) == nullptr) {
      fail("something is appended to what is no list");
    }
    stack_.push_back(target);
  }

  void setItems(const std::vector<Index>& items) {
    const Index target = pop();
    auto* dict = get<Dict>(target);
    if (items.size() % 2 != 0 || (dict == nullptr && get<Object>(target) == nullptr)) {
      fail("entries are set in what is no dict");
    }
    for (std::size_t i = 0; dict != nullptr && i < items.size(); i += 2) {
      dict->items.emplace_back(items[i], items[i + 1]);
    }
    stack_.push_back(target);
  }

  void global(Index module_at, Index name_at) {
    const auto* module = get<std::string>(module_at);
    const auto* name = get<std::string>(name_at);
    if (module == nullptr || name == nullptr) fail("a name is not a text");
    if (*module == "collections" && (*name == "OrderedDict" || *name == "defaultdict")) {
      return push(Callable::kDict);
    }
    if (*module == "torch._utils") {
      if (*name == "_rebuild_tensor_v2" || *name == "_rebuild_tensor") {
        return push(Callable::kRebuildTensor);
      }
      if (*name == "_rebuild_parameter" || *name == "_rebuild_parameter_with_state") {
        return push(Callable::kRebuildParameter);
      }
    }
    if (*module == "torch._tensor" && *name == "_rebuild_from_type_v2") {
      return push(Callable::kRebuildFromType);
    }
    if ((*module == "torch" || *module == "torch.storage") && name->ends_with("Storage")) {
      at::ScalarType type = at::ScalarType::Undefined;
      for (const auto& [storage, known] : kStorages) {
        if (*name == storage) type = known;
      }
      return push(StorageType{type, name_at});
    }
    push(Class{module_at, name_at});
  }

  const Sequence& tupleAt(Index index, std::size_t at_least) {
    const auto* sequence = get<Sequence>(index);
    if (sequence == nullptr || !sequence->tuple || sequence->items.size() < at_least) {
      fail("arguments of a tensor are missing");
    }
    return *sequence;
  }

  std::int64_t integer(Index index) {
    const auto* number = get<std::int64_t>(index);
    if (number == nullptr) fail("a size is not an integer");
    return *number;
  }

  void call() {
    const Index arguments = pop();
    const Index function = pop();
    if (get<Class>(function) != nullptr) return push(Object{function, {}});
    if (const auto* object = get<Object>(function)) return push(Object{object->type, {}});
    const auto* callable = get<Callable>(function);
    if (callable == nullptr) fail("it calls something that is no function");
    switch (*callable) {
      case Callable::kDict:
        tupleAt(arguments, 0);
        return push(Dict{});
      case Callable::kRebuildTensor:
        return rebuildTensor(arguments);
      case Callable::kRebuildParameter: {
        const Index data = tupleAt(arguments, 1).items[0];
        if (get<Tensor>(data) == nullptr && get<Object>(data) == nullptr) {
          fail("a parameter is no tensor");
        }
        stack_.push_back(data);
        return;
      }
      case Callable::kRebuildFromType: {
        // function, class, its arguments, attributes
        const Sequence& parts = tupleAt(arguments, 3);
        const auto* inner = get<Callable>(parts.items[0]);
        if (inner != nullptr && *inner == Callable::kRebuildTensor) {
          return rebuildTensor(parts.items[2]);
        }
        return push(Object{parts.items[1], {}});
      }
    }
  }

  void rebuildTensor(Index arguments) {
    // storage, offset, shape, stride; then requires_grad, hooks and metadata, not needed here.
    const Sequence& parts = tupleAt(arguments, 4);
    if (get<Storage>(parts.items[0]) == nullptr) fail("a tensor has no storage");
    for (const Index sizes : {parts.items[2], parts.items[3]}) {
      if (tupleAt(sizes, 0).items.size() > kMaxAxes) {
        fail(fmt::format("a tensor has over {} axes", kMaxAxes));
      }
      for (const Index size : tupleAt(sizes, 0).items) integer(size);
    }
    push(Tensor{parts.items[0], integer(parts.items[1]), parts.items[2], parts.items[3]});
  }

  void build() {
    const Index state = pop();
    const Index target = pop();
    if (auto* object = get<Object>(target)) {
      if (get<Dict>(state) != nullptr) object->attributes = state;
    } else if (get<Dict>(target) == nullptr && get<Tensor>(target) == nullptr) {
      // A dict's or tensor's attributes, such as a state dict's version numbers, are not needed.
      fail("state is set on what has none");
    }
    stack_.push_back(target);
  }

  void persistentId() {
    // ("storage", type, key, device, count): the device does not matter.
    const Sequence& fields = tupleAt(pop(), 5);
    const auto* kind = get<std::string>(fields.items[0]);
    const std::int64_t count = integer(fields.items[4]);
    if (kind == nullptr || *kind != "storage" || get<StorageType>(fields.items[1]) == nullptr ||
        get<std::string>(fields.items[2]) == nullptr || count < 0) {
      fail("a reference to a storage is malformed");
    }
    push(Storage{fields.items[1], fields.items[2], count});
  }

  Document finish() {
    const Index root = pop();
    if (!stack_.empty() || !marks_.empty()) fail("values are left over at its end");
    return {std::move(values_), root};
  }

  std::vector<Value> values_;
  std::vector<Index> stack_;
  std::vector<std::size_t> marks_;
  std::vector<std::optional<Index>> memo_;
};

}  // namespace

std::string Document::className(Index index) const {
  const auto* object = get<Object>(index);
  const auto* type = get<Class>(object == nullptr ? index : object->type);
  if (type == nullptr) return {};
  return fmt::format("{}.{}", printable(*get<std::string>(type->module), 80),
                     printable(*get<std::string>(type->name), 80));
}

std::string Document::description(Index index) const {
  constexpr std::string_view kNames[] = {
      "None",   "a truth value", "a number",  "a number", "a text",    "a list",  "a dict",
      "a type", "a type",        "an object", "a type",   "a storage", "a tensor"};
  static_assert(std::size(kNames) == std::variant_size_v<Value>);
  const std::string name = className(index);
  return name.empty() ? std::string(kNames[values[index].index()]) : name;
}

Document parse(std::span<const std::uint8_t> bytes, const std::string& file) {
  return Machine(bytes, file).parse();
}

}  // namespace adamerge::pickle
