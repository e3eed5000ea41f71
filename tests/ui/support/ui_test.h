// SPDX-License-Identifier: GPL-3.0-or-later
// A test class says itself that it is one: no list of them is kept.
#pragma once

#include <QObject>
#include <functional>
#include <memory>
#include <string>

namespace adamerge::ui::test {

struct Registration {
  using Make = std::function<std::unique_ptr<QObject>()>;
  Registration(const std::string& name, const Make& make);
};

}  // namespace adamerge::ui::test

/// Once per class of tests, in its file and namespace.
#define ADAMERGE_UI_TEST(Class)                                     \
  static const adamerge::ui::test::Registration registered_##Class( \
      #Class, []() -> std::unique_ptr<QObject> { return std::make_unique<Class>(); });
