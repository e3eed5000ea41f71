// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/file_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "adamerge/error.h"
#include "support/text.h"

namespace adamerge {
namespace {

/// The part of `text` before the first '.', which is taken off with it.
std::string_view segment(std::string_view& text) {
  const std::size_t dot = text.find('.');
  const std::string_view first = text.substr(0, dot);
  text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  return first;
}

bool isNumber(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// `name` with the pattern `from` at its front replaced by `to`; nothing where it does not fit.
std::optional<std::string> replaced(std::string_view name, std::string_view from,
                                    std::string_view to) {
  std::vector<std::string_view> numbers;
  while (!from.empty()) {
    if (name.empty()) return std::nullopt;
    const std::string_view wanted = segment(from);
    const std::string_view found = segment(name);
    if (wanted == "*") {
      if (!isNumber(found)) return std::nullopt;
      numbers.push_back(found);
    } else if (wanted != found) {
      return std::nullopt;
    }
  }
  std::string result;
  for (std::size_t used = 0; !to.empty();) {
    const std::string_view part = segment(to);
    if (!result.empty()) result += '.';
    result += part == "*" && used < numbers.size() ? numbers[used++] : part;
  }
  if (!name.empty()) result += fmt::format("{}{}", result.empty() ? "" : ".", name);
  return result;
}

}  // namespace

FileTensors::FileTensors(StateDict tensors, std::string file,
                         std::shared_ptr<const nlohmann::json> values)
    : tensors_(std::move(tensors)), file_(std::move(file)), values_(std::move(values)) {}

const nlohmann::json& FileTensors::values() const {
  static const nlohmann::json none = nlohmann::json::object();
  return values_ == nullptr ? none : *values_;
}

void FileTensors::fail(const std::string& problem) const {
  throw Error(fmt::format("{}: {}", file_, problem));
}

std::string FileTensors::first(std::string_view pattern) const {
  for (const auto& [name, tensor] : tensors_) {
    if (replaced(name, pattern, {})) return name;
  }
  return {};
}

at::Tensor FileTensors::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? at::Tensor() : found->second;
}

at::Tensor FileTensors::take(std::string_view name) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return {};
  at::Tensor tensor = std::move(found->second);
  tensors_.erase(found);
  return tensor;
}

void FileTensors::set(const std::string& name, at::Tensor tensor, std::string original) {
  tensors_[name] = std::move(tensor);
  original_[name] = std::move(original);
}

void FileTensors::removePrefix(std::string_view prefix) {
  if (prefix.empty()) return;
  StateDict renamed;
  while (!tensors_.empty()) {
    auto node = tensors_.extract(tensors_.begin());
    const std::string before = node.key();
    if (before.starts_with(prefix)) {
      node.key() = before.substr(prefix.size());
      original_[node.key()] = before;
    }
    if (!renamed.insert(std::move(node)).inserted) {
      fail(fmt::format("two tensors are called '{}', with and without '{}'",
                       printable(before.substr(before.starts_with(prefix) ? prefix.size() : 0)),
                       prefix));
    }
  }
  tensors_ = std::move(renamed);
  prefix_ = prefix;
}

void FileTensors::keepBelow(std::string_view prefix) {
  for (auto item = tensors_.begin(); item != tensors_.end();) {
    if (item->first.starts_with(prefix)) {
      ++item;
      continue;
    }
    dropped_.push_back(item->first);
    item = tensors_.erase(item);
  }
  removePrefix(prefix);
}

void FileTensors::rename(std::span<const Renaming> table) {
  StateDict renamed;
  std::vector<Rule> rules;
  for (const auto& [from, to] : table) rules.push_back({std::string(from), std::string(to)});
  while (!tensors_.empty()) {
    auto node = tensors_.extract(tensors_.begin());
    const std::string before = node.key();
    for (Rule& rule : rules) {
      if (auto name = replaced(before, rule.from, rule.to)) {
        const auto known = original_.find(before);
        original_[*name] = known != original_.end() ? known->second : before;
        node.key() = std::move(*name);
        rule.used = true;
        break;
      }
    }
    const std::string after = node.key();
    if (!renamed.insert(std::move(node)).inserted) {
      fail(fmt::format("two tensors take one place in the network, '{}' is one of them",
                       printable(inFile(before))));
    }
  }
  tensors_ = std::move(renamed);
  rules_.insert(rules_.end(), rules.begin(), rules.end());
}

void FileTensors::drop(std::string_view pattern) {
  for (auto item = tensors_.begin(); item != tensors_.end();) {
    if (replaced(item->first, pattern, {})) {
      dropped_.push_back(inFile(item->first));
      item = tensors_.erase(item);
    } else {
      ++item;
    }
  }
}

void FileTensors::join(std::span<const std::string> parts, const std::string& to) {
  std::vector<at::Tensor> tensors;
  std::vector<std::string> names;
  std::string missing;
  for (const std::string& part : parts) {
    if (at::Tensor tensor = find(part); tensor.defined()) {
      tensors.push_back(tensor);
      names.push_back(inFile(part));
    } else if (missing.empty()) {
      missing = part;
    }
  }
  if (tensors.empty()) return;
  if (!missing.empty()) {
    fail(fmt::format("tensor '{}' is missing, though {} {} there", inFile(missing),
                     fmt::join(names, " and "), names.size() == 1 ? "is" : "are"));
  }
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    if (tensors[i].dim() == 0 || tensors[i].sizes() != tensors[0].sizes() ||
        tensors[i].scalar_type() != tensors[0].scalar_type()) {
      const auto described = [&](std::size_t part) {
        return fmt::format("'{}' is [{}] of {}", names[part],
                           fmt::join(tensors[part].sizes(), ", "),
                           at::toString(tensors[part].scalar_type()));
      };
      fail(
          fmt::format("two tensors belong together and must be of one shape and type, but {} and "
                      "{}",
                      described(0), described(i)));
    }
  }
  for (const std::string& part : parts) tensors_.erase(part);
  set(to, at::cat(tensors), fmt::format("{}", fmt::join(names, ", ")));
}

std::string FileTensors::before(const std::string& name, std::size_t count) const {
  // Of several namings the one that this file's other tensors follow: the rule itself, or one for
  // names that begin alike.
  const auto beginning = [](const std::string& pattern) {
    const std::size_t end = pattern.find('*');
    return std::string_view(pattern).substr(0, end != std::string::npos ? end : pattern.find('.'));
  };
  const auto follows = [&](const Rule& rule) {
    return rule.used || std::any_of(rules_.begin(), rules_.end(), [&](const Rule& other) {
             return other.used && beginning(other.from) == beginning(rule.from);
           });
  };
  for (const bool itself : {true, false}) {
    for (std::size_t i = count; i-- > 0;) {
      if (itself ? !rules_[i].used : !follows(rules_[i])) continue;
      if (const auto name_before = replaced(name, rules_[i].to, rules_[i].from)) {
        return before(*name_before, i);
      }
    }
    // Names that no rule has touched are the file's own.
    const std::string_view start = std::string_view(name).substr(0, name.find('.'));
    const bool untouched = std::any_of(tensors_.begin(), tensors_.end(), [&](const auto& item) {
      return item.first.starts_with(start) && !original_.contains(item.first);
    });
    if (untouched) return name;
  }
  for (std::size_t i = count; i-- > 0;) {
    if (const auto name_before = replaced(name, rules_[i].to, rules_[i].from)) {
      return before(*name_before, i);
    }
  }
  return name;
}

std::string FileTensors::inFile(const std::string& name) const {
  if (const auto known = original_.find(name); known != original_.end()) return known->second;
  return tensors_.contains(name) ? name : prefix_ + before(name, rules_.size());
}

std::string FileTensors::droppedNote() const {
  if (dropped_.empty()) return {};
  return fmt::format("Not needed and ignored: {}.", someOf(dropped_, 3));
}

void joinProjections(FileTensors& tensors, bool key_bias) {
  std::set<std::string> bases;  // "blocks.3.attn" of all attentions, "blocks.3.mlp" of all MLPs
  for (const auto& [name, tensor] : tensors.all()) {
    for (const std::string_view part : {".attn.", ".mlp."}) {
      if (const std::size_t at = name.find(part); at != std::string::npos) {
        bases.insert(name.substr(0, at + part.size() - 1));
      }
    }
  }
  for (const std::string& base : bases) {
    const auto q = [&](std::string_view end) { return fmt::format("{}.q_proj.{}", base, end); };
    const auto k = [&](std::string_view end) { return fmt::format("{}.k_proj.{}", base, end); };
    const auto v = [&](std::string_view end) { return fmt::format("{}.v_proj.{}", base, end); };
    const auto zeros = [&](const std::string& like, const std::string& name) {
      if (const at::Tensor other = tensors.find(like); other.defined()) {
        tensors.set(name, at::zeros_like(other), tensors.inFile(like));
      }
    };
    if (!key_bias && !tensors.has(k("bias"))) zeros(q("bias"), k("bias"));
    for (const std::string_view end : {"weight", "bias"}) {
      const std::string parts[] = {q(end), k(end), v(end)};
      tensors.join(parts, fmt::format("{}.qkv.{}", base, end));
    }
    const std::string biases[] = {base + ".q_bias", base + ".k_bias", base + ".v_bias"};
    if (!key_bias && !tensors.has(biases[1])) zeros(biases[0], biases[1]);
    tensors.join(biases, base + ".qkv.bias");
    for (const std::string_view end : {"weight", "bias"}) {
      const std::string parts[] = {fmt::format("{}.fc1_g.{}", base, end),
                                   fmt::format("{}.fc1_x.{}", base, end)};
      tensors.join(parts, fmt::format("{}.fc1.{}", base, end));
    }
  }
}

void foldClassPosition(FileTensors& tensors) {
  const at::Tensor position = tensors.find("pos_embed");
  const at::Tensor token = tensors.find("cls_token");
  if (!position.defined() || !token.defined()) return;
  if (position.dim() != 3 || token.dim() != 3 || position.size(1) < 2 || position.size(0) != 1 ||
      token.numel() != position.size(2) || !position.is_floating_point() ||
      token.scalar_type() != position.scalar_type()) {
    tensors.fail(fmt::format("shapes of '{}' and '{}' do not fit each other",
                             tensors.inFile("cls_token"), tensors.inFile("pos_embed")));
  }
  const std::string names[] = {tensors.inFile("cls_token"), tensors.inFile("pos_embed")};
  // In half precision the sum would be rounded, which in the forward pass it is not.
  const at::ScalarType exact = token.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  tensors.set("cls_token", token.to(exact) + position.narrow(1, 0, 1).to(exact), names[0]);
  tensors.set("pos_embed", position.narrow(1, 1, position.size(1) - 1), names[1]);
}

}  // namespace adamerge
