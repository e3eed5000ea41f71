# SPDX-License-Identifier: GPL-3.0-or-later
# Language level and warnings for our own targets, as usage requirements.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

add_library(adamerge_options INTERFACE)
target_compile_features(adamerge_options INTERFACE cxx_std_20)
target_compile_options(adamerge_options INTERFACE -Wall -Wextra -Wpedantic)
