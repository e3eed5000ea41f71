# SPDX-License-Identifier: GPL-3.0-or-later
# One target, adamerge::torch, for Debian's LibTorch 1.13 and for any LibTorch 2.x found through
# CMAKE_PREFIX_PATH or Torch_DIR. Its headers are system headers: their warnings are not ours.
find_package(Torch REQUIRED)
message(STATUS "LibTorch ${Torch_VERSION}")

add_library(adamerge_torch INTERFACE)
add_library(adamerge::torch ALIAS adamerge_torch)
target_include_directories(adamerge_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(adamerge_torch INTERFACE ${TORCH_LIBRARIES})
separate_arguments(_torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(adamerge_torch INTERFACE ${_torch_flags})
