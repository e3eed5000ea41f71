// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/pickle.h"

namespace adamerge::pickle {

/// Stack, memo and values of a pickle being read; one method per thing an opcode does. All check
/// what they take from the stack and throw Error.
class Machine {
 public:
  explicit Machine(std::string file) : file_(std::move(file)) {}

  void push(Value value);
  void mark() { marks_.push_back(stack_.size()); }
  void tuple(std::size_t count);  ///< of the topmost values
  void tupleFromMark();
  void append();
  void appendsFromMark();
  void setItem();
  void setItemsFromMark();
  void store(std::uint64_t slot);  ///< the topmost value into the memo
  void memoize() { store(memo_.size()); }
  void recall(std::uint64_t slot);
  void global(std::string_view module, std::string_view name);
  void stackGlobal();
  void reduce();
  void build();
  void persistentId();
  Document finish();

  [[noreturn]] void fail(std::string_view problem) const;

 private:
  Index pop();
  std::vector<Index> popToMark();
  void addItems(const std::vector<Index>& items);
  const Value& at(Index index) const { return values_[index]; }
  std::string popText();
  const Sequence& tupleAt(Index index, std::size_t at_least) const;
  std::vector<std::int64_t> integers(Index index) const;
  std::int64_t integer(Index index) const;
  void rebuildTensor(const Sequence& arguments);

  std::string file_;
  std::vector<Value> values_;
  std::vector<Index> stack_;
  std::vector<std::size_t> marks_;
  std::vector<std::optional<Index>> memo_;
};

}  // namespace adamerge::pickle
