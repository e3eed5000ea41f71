# SPDX-License-Identifier: GPL-3.0-or-later
# One target, adamerge::torch, for Debian's LibTorch 1.13 and for any LibTorch 2.x, with or without
# CUDA, found through CMAKE_PREFIX_PATH or Torch_DIR. Its headers are system headers: their warnings
# are not ours.

# The package of a CUDA build looks for CUDA's compiler and headers, and stops without them, unless
# this target is there. Our sources include none of them, and the libraries name what they need.
foreach(part cudart nvtoolsext nvtx3)
  if(NOT TARGET torch::${part})
    add_library(torch::${part} INTERFACE IMPORTED)
  endif()
endforeach()
# The package looks for parts of itself in the system's folders first, where there may be those of
# another LibTorch.
find_path(Torch_DIR TorchConfig.cmake
  PATHS ${CMAKE_PREFIX_PATH} ENV CMAKE_PREFIX_PATH
  PATH_SUFFIXES Torch share/cmake/Torch
  NO_DEFAULT_PATH)
if(Torch_DIR)
  foreach(part TORCH:torch c10:c10 C10_CUDA:c10_cuda CAFFE2_NVRTC:caffe2_nvrtc kineto:kineto)
    string(REPLACE ":" ";" part "${part}")
    list(GET part 0 variable)
    list(GET part 1 library)
    find_library(${variable}_LIBRARY ${library} PATHS "${Torch_DIR}/../../../lib" NO_DEFAULT_PATH)
  endforeach()
endif()
# Debian 13's package warns of libraries that it lacks and nothing here needs.
set(CMAKE_MESSAGE_LOG_LEVEL ERROR)
find_package(Torch REQUIRED)
unset(CMAKE_MESSAGE_LOG_LEVEL)
get_filename_component(_torch_root "${TORCH_INSTALL_PREFIX}" ABSOLUTE)
message(STATUS "LibTorch ${Torch_VERSION} in ${_torch_root}")
if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0"
   AND NOT CMAKE_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
  message(FATAL_ERROR "The LibTorch in ${TORCH_INSTALL_PREFIX} is built for the C++ ABI from before "
    "GCC 5, which no other library here is. Take Debian's, an archive named cxx11-abi, or that of "
    "a PyTorch from 2.7 on.")
endif()

add_library(adamerge_torch INTERFACE)
add_library(adamerge::torch ALIAS adamerge_torch)
target_include_directories(adamerge_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(adamerge_torch INTERFACE ${TORCH_LIBRARIES})
# PyPI's brings headers of an fmt of its own, which hide the system's: its library would not fit them.
foreach(_torch_folder IN LISTS TORCH_INCLUDE_DIRS)
  get_filename_component(_torch_folder "${_torch_folder}" REALPATH)
  if(EXISTS "${_torch_folder}/fmt/format-inl.h"
     AND NOT _torch_folder IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
    target_compile_definitions(adamerge_torch INTERFACE FMT_HEADER_ONLY)
  endif()
endforeach()
separate_arguments(_torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(adamerge_torch INTERFACE ${_torch_flags})
