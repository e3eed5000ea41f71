// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/pickle_machine.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>

#include "adamerge/error.h"
#include "weights/json_text.h"

namespace adamerge::pickle {
namespace {

// A checkpoint with optimizer state has some ten thousand values.
constexpr std::size_t kMaxValues = 4'000'000;
// Bounds on what one opcode can copy.
constexpr std::size_t kMaxRank = 16;
constexpr std::size_t kMaxKey = 256;

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 10> kStorages{{
    {"FloatStorage", at::kFloat},
    {"HalfStorage", at::kHalf},
    {"BFloat16Storage", at::kBFloat16},
    {"DoubleStorage", at::kDouble},
    {"LongStorage", at::kLong},
    {"IntStorage", at::kInt},
    {"ShortStorage", at::kShort},
    {"CharStorage", at::kChar},
    {"ByteStorage", at::kByte},
    {"BoolStorage", at::kBool},
}};

}  // namespace

void Machine::fail(std::string_view problem) const {
  throw Error(fmt::format("{}: the pickle in it is broken: {}", file_, problem));
}

void Machine::push(Value value) {
  if (values_.size() >= kMaxValues) fail(fmt::format("it holds over {} values", kMaxValues));
  stack_.push_back(static_cast<Index>(values_.size()));
  values_.push_back(std::move(value));
}

Index Machine::pop() {
  const std::size_t bottom = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= bottom) fail("its stack runs empty");
  const Index index = stack_.back();
  stack_.pop_back();
  return index;
}

std::vector<Index> Machine::popToMark() {
  if (marks_.empty()) fail("a mark is missing");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Index> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

void Machine::tuple(std::size_t count) {
  std::vector<Index> items(count);
  for (std::size_t i = count; i-- > 0;) items[i] = pop();
  push(Sequence{true, std::move(items)});
}

void Machine::tupleFromMark() { push(Sequence{true, popToMark()}); }

void Machine::append() {
  const Index item = pop();
  mark();
  stack_.push_back(item);
  appendsFromMark();
}

void Machine::appendsFromMark() {
  const std::vector<Index> items = popToMark();
  const Index target = pop();
  auto* list = std::get_if<Sequence>(&values_[target]);
  if (list == nullptr || list->tuple) fail("something is appended to what is no list");
  list->items.insert(list->items.end(), items.begin(), items.end());
  stack_.push_back(target);
}

void Machine::addItems(const std::vector<Index>& items) {
  const Index target = pop();
  auto* dict = std::get_if<Dict>(&values_[target]);
  if (dict == nullptr || items.size() % 2 != 0) fail("entries are set in what is no dict");
  for (std::size_t i = 0; i < items.size(); i += 2) {
    dict->items.emplace_back(items[i], items[i + 1]);
  }
  stack_.push_back(target);
}

void Machine::setItem() {
  const Index value = pop();
  const Index key = pop();
  addItems({key, value});
}

void Machine::setItemsFromMark() { addItems(popToMark()); }

void Machine::store(std::uint64_t slot) {
  if (slot >= kMaxValues) fail(fmt::format("memo slot {} is out of range", slot));
  if (stack_.empty()) fail("its stack runs empty");
  if (slot >= memo_.size()) memo_.resize(slot + 1);
  memo_[slot] = stack_.back();
}

void Machine::recall(std::uint64_t slot) {
  if (slot >= memo_.size() || !memo_[slot]) fail(fmt::format("memo slot {} was never set", slot));
  if (stack_.size() >= kMaxValues) fail(fmt::format("it holds over {} values", kMaxValues));
  stack_.push_back(*memo_[slot]);
}

void Machine::global(std::string_view module, std::string_view name) {
  if (module == "collections" && name == "OrderedDict") return push(Callable::kOrderedDict);
  if (module == "torch._utils" && name == "_rebuild_tensor_v2") {
    return push(Callable::kRebuildTensor);
  }
  if (module == "torch._utils" && name == "_rebuild_parameter") {
    return push(Callable::kRebuildParameter);
  }
  if (module == "torch") {
    for (const auto& [storage, type] : kStorages) {
      if (name == storage) return push(StorageType{type});
    }
    if (name.ends_with("Storage")) {
      throw Error(fmt::format("{}: holds a torch.{}, a type of tensor that is not supported", file_,
                              printable(name)));
    }
  }
  throw Error(fmt::format(
      "{}: holds {}.{}, which is code or an object of some program and is never loaded; save only "
      "the tensors: torch.save(model.state_dict(), ...)",
      file_, printable(module), printable(name)));
}

void Machine::stackGlobal() {
  const std::string name = popText();
  const std::string module = popText();
  global(module, name);
}

std::string Machine::popText() {
  const auto* text = std::get_if<std::string>(&at(pop()));
  if (text == nullptr) fail("a name is not a text");
  return *text;
}

const Sequence& Machine::tupleAt(Index index, std::size_t at_least) const {
  const auto* sequence = std::get_if<Sequence>(&at(index));
  if (sequence == nullptr || !sequence->tuple || sequence->items.size() < at_least) {
    fail("arguments of a tensor are missing");
  }
  return *sequence;
}

std::int64_t Machine::integer(Index index) const {
  const auto* number = std::get_if<std::int64_t>(&at(index));
  if (number == nullptr) fail("a size is not an integer");
  return *number;
}

std::vector<std::int64_t> Machine::integers(Index index) const {
  std::vector<std::int64_t> numbers;
  const Sequence& items = tupleAt(index, 0);
  if (items.items.size() > kMaxRank) fail(fmt::format("a tensor has over {} axes", kMaxRank));
  for (const Index item : items.items) numbers.push_back(integer(item));
  return numbers;
}

void Machine::reduce() {
  const Index arguments_at = pop();
  const auto* callable = std::get_if<Callable>(&at(pop()));
  if (callable == nullptr) fail("it calls something that is no function");
  const Sequence& arguments = tupleAt(arguments_at, 0);
  switch (*callable) {
    case Callable::kOrderedDict:
      if (!arguments.items.empty()) fail("an OrderedDict is made with arguments");
      return push(Dict{});
    case Callable::kRebuildTensor:
      return rebuildTensor(arguments);
    case Callable::kRebuildParameter: {
      const Index data = tupleAt(arguments_at, 1).items[0];
      if (!std::holds_alternative<Tensor>(at(data))) fail("a parameter is no tensor");
      stack_.push_back(data);
      return;
    }
  }
}

void Machine::rebuildTensor(const Sequence& arguments) {
  // storage, offset, shape, stride; then requires_grad, hooks and metadata, not needed here.
  constexpr std::size_t kNeeded = 4;
  if (arguments.items.size() < kNeeded) fail("arguments of a tensor are missing");
  const auto* storage = std::get_if<Storage>(&at(arguments.items[0]));
  if (storage == nullptr) fail("a tensor has no storage");
  push(Tensor{*storage, integer(arguments.items[1]), integers(arguments.items[2]),
              integers(arguments.items[3])});
}

void Machine::build() {
  pop();  // the state: an OrderedDict's attributes, such as a state dict's version numbers
  const Index target = pop();
  if (!std::holds_alternative<Dict>(at(target))) fail("state is set on what has none");
  stack_.push_back(target);
}

void Machine::persistentId() {
  // ("storage", type, key, device, count)
  constexpr std::size_t kFields = 5;
  const Sequence& fields = tupleAt(pop(), kFields);
  const auto* kind = std::get_if<std::string>(&at(fields.items[0]));
  const auto* type = std::get_if<StorageType>(&at(fields.items[1]));
  const auto* key = std::get_if<std::string>(&at(fields.items[2]));
  const std::int64_t count = integer(fields.items[4]);
  if (kind == nullptr || *kind != "storage" || type == nullptr || key == nullptr ||
      key->size() > kMaxKey || count < 0) {
    fail("a reference to a storage is malformed");
  }
  push(Storage{type->type, *key, count});
}

Document Machine::finish() {
  const Index root = pop();
  if (!stack_.empty() || !marks_.empty()) fail("values are left over at its end");
  return {std::move(values_), root};
}

}  // namespace adamerge::pickle
