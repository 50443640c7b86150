# SPDX-License-Identifier: MIT
#
# The tests that need tools which not everybody has.

# sill_require_tool(<variable> <name> <debian package>)
function(sill_require_tool variable name package)
  find_program(${variable} ${name})
  if(NOT ${variable})
    message(FATAL_ERROR
      "${name} not found. Install ${package}, or configure with "
      "-DSILL_LINT=OFF.")
  endif()
endfunction()

sill_require_tool(SILL_CXX c++ g++)
sill_require_tool(SILL_FORMAT clang-format clang-format)
sill_require_tool(SILL_TIDY clang-tidy clang-tidy)
sill_require_tool(SILL_SHELLCHECK shellcheck shellcheck)

add_test(NAME house.headers.c++
  COMMAND ${CMAKE_COMMAND} -E env CXX=${SILL_CXX}
    sh ${CMAKE_CURRENT_SOURCE_DIR}/headers.sh c++ ${prefix})
set_tests_properties(house.headers.c++ PROPERTIES
  LABELS "house;lint" FIXTURES_REQUIRED installed)

sill_house_test(house.style "house;lint" style.sh
  ${PROJECT_SOURCE_DIR} ${SILL_FORMAT} ${SILL_SHELLCHECK})

# clang-tidy, one test for each source that is compiled.
get_property(targets GLOBAL PROPERTY SILL_COMPILED)
foreach(target IN LISTS targets)
  get_target_property(folder ${target} SOURCE_DIR)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "^[^$]*\\.c$")
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${folder})
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR}
      OUTPUT_VARIABLE name)
    if(TEST house.tidy.${name})
      continue()
    endif()
    add_test(NAME house.tidy.${name}
      COMMAND ${SILL_TIDY} --quiet --warnings-as-errors=*
        -p ${PROJECT_BINARY_DIR} ${source})
    set_tests_properties(house.tidy.${name} PROPERTIES
      LABELS "house;lint" TIMEOUT 300)
  endforeach()
endforeach()
