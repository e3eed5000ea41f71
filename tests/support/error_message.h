// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "adamerge/error.h"

namespace adamerge::test {

/// What `function` throws; anything but one line in an Error fails the test.
template <class Function>
std::string errorMessage(Function function) {
  try {
    function();
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "not an adamerge::Error: " << error.what();
    return {};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace adamerge::test
