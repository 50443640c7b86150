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

# clang-tidy, one test for each source that is compiled. Its analyzer takes
# seconds for a file and is kept for what is installed; programs may exit()
# and be short about their arguments.
get_property(targets GLOBAL PROPERTY SILL_COMPILED)
set(compiled "")
foreach(target IN LISTS targets)
  get_target_property(folder ${target} SOURCE_DIR)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "^[^$]*\\.[cS]$")
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${folder} NORMALIZE)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
    list(APPEND compiled ${source})
  endforeach()
endforeach()
list(REMOVE_DUPLICATES compiled)

foreach(source IN LISTS compiled)
  if(source MATCHES "\\.S$")
    continue()
  endif()
  set(less "")
  if(source MATCHES "^(bench|conformance|examples)/|/test/")
    set(less --checks=-clang-analyzer-*,-concurrency-mt-unsafe,-cert-err34-c)
  endif()
  add_test(NAME house.tidy.${source}
    COMMAND ${SILL_TIDY} --quiet --warnings-as-errors=* ${less}
      -p ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/${source})
  set_tests_properties(house.tidy.${source} PROPERTIES
    LABELS "house;lint" TIMEOUT 300)
endforeach()

# A source that nobody compiles proves nothing, and rots.
get_property(left_out GLOBAL PROPERTY SILL_LEFT_OUT)
list(APPEND compiled ${left_out})
list(JOIN compiled "\n" compiled)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/compiled "${compiled}\n")
if(count EQUAL 3 AND SILL_CONFORMANCE AND SILL_CHECK AND SILL_FUZZ)
  sill_house_test(house.orphans "house;lint" orphans.sh
    ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR}/compiled)
endif()
