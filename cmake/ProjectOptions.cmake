# SPDX-License-Identifier: GPL-3.0-or-later
# Language level and warnings for our own targets, as usage requirements.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

# Most of what the compiler reads of a file is headers: of eight at once it reads them once. What takes
# one file at a time (clang-tidy) sets this OFF.
set(CMAKE_UNITY_BUILD ON CACHE BOOL "Compile files a few at a time")
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)

add_library(adamerge_options INTERFACE)
target_compile_features(adamerge_options INTERFACE cxx_std_20)
target_compile_options(adamerge_options INTERFACE -Wall -Wextra -Wpedantic)
