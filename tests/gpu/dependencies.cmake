# SPDX-License-Identifier: GPL-3.0-or-later
# The kit brings what the project else takes from Debian; CMake asks here before it looks elsewhere
# (CMAKE_PROJECT_TOP_LEVEL_INCLUDES).
set(ADAMERGE_THIRD_PARTY "${CMAKE_CURRENT_LIST_DIR}/../../third_party")

function(adamerge_header_library name)
  if(NOT TARGET ${name})
    add_library(${name} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${name} SYSTEM INTERFACE "${ADAMERGE_THIRD_PARTY}/include")
    target_compile_definitions(${name} INTERFACE ${ARGN})
  endif()
endfunction()

function(adamerge_google_test)
  if(TARGET adamerge_gtest)
    return()
  endif()
  find_package(Threads REQUIRED BYPASS_PROVIDER)
  set(root "${ADAMERGE_THIRD_PARTY}/googletest")
  add_library(adamerge_gtest STATIC "${root}/googletest/src/gtest-all.cc"
    "${root}/googlemock/src/gmock-all.cc" "${root}/googletest/src/gtest_main.cc")
  target_include_directories(adamerge_gtest SYSTEM
    PUBLIC "${root}/googletest/include" "${root}/googlemock/include"
    PRIVATE "${root}/googletest" "${root}/googlemock")
  target_compile_features(adamerge_gtest PUBLIC cxx_std_14)
  target_link_libraries(adamerge_gtest PUBLIC Threads::Threads)
  foreach(name gtest gtest_main gmock)
    add_library(GTest::${name} ALIAS adamerge_gtest)
  endforeach()
endfunction()

macro(adamerge_provide method package)
  if("${package}" STREQUAL "nlohmann_json")
    adamerge_header_library(nlohmann_json::nlohmann_json)
    set(nlohmann_json_FOUND TRUE)
  elseif("${package}" STREQUAL "fmt")
    adamerge_header_library(fmt::fmt FMT_HEADER_ONLY=1)
    set(fmt_FOUND TRUE)
  elseif("${package}" STREQUAL "GTest")
    adamerge_google_test()
    set(GTest_FOUND TRUE)
  endif()
endmacro()
cmake_language(SET_DEPENDENCY_PROVIDER adamerge_provide SUPPORTED_METHODS FIND_PACKAGE)
