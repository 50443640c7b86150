# SPDX-License-Identifier: MIT
#
# The conformance kit as tests; part of the build and of the installed package.

# The cases, a line for each: its id, and whether it is inside of a task.
set_property(GLOBAL PROPERTY SILL_CONFORMANCE_CASES
  ${CMAKE_CURRENT_LIST_DIR}/sill-conformance-cases.txt)

# sill_add_conformance(<name> SOURCES ... [LINK ...] [GROUPS ...] [GUEST]
#                      [XFAIL <file>] [DISABLE <id> ...] [REPEAT <n>]
#                      [SEED <n>|random] [SHUFFLE] [TIMEOUT_SCALE <n>]
#                      [REPORT <file> ...] [EACH rule|case] [LABELS ...])
#
# Builds the program conformance-<name> from the kit, the sources, one of which
# defines sill_conformance_params (see <sill_conformance.h>), and a backend.
# Registers the test <name>.<rule> for each rule.
#
# LINK            the backend, and what else the sources need; without one, the
#                 backend is that of the target property SILL_BACKEND
# GROUPS          such as T A D; without them all
# GUEST           also <name>.guest.<rule>: cases inside of a task run in the
#                 host of the params
# XFAIL           a file with a line "ID reason" for each case, rule or group
#                 that is expected to fail
# DISABLE         ids that are not to be run
# REPEAT          how often each case is run
# SEED            decides about orders; each test prints its own
# SHUFFLE         it decides about the order of ready tasks, too
# TIMEOUT_SCALE   how much slower than usual things may be
# REPORT          files in the form of their ending (.html .json .xml .tap .txt
#                 .tsv), written after the tests: the last result of each rule
# EACH            what is a test: a rule, or a case
function(sill_add_conformance name)
  cmake_parse_arguments(arg "GUEST;SHUFFLE"
    "XFAIL;REPEAT;SEED;TIMEOUT_SCALE;EACH"
    "SOURCES;LINK;GROUPS;DISABLE;REPORT;LABELS" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "sill_add_conformance: no sense in ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(program conformance-${name})
  add_executable(${program} ${arg_SOURCES})
  target_link_libraries(${program} PRIVATE
    $<LINK_LIBRARY:WHOLE_ARCHIVE,sill::conformance> ${arg_LINK})

  set(command ${program})
  if(arg_XFAIL)
    cmake_path(ABSOLUTE_PATH arg_XFAIL)
    list(APPEND command --xfail ${arg_XFAIL})
  endif()
  foreach(id IN LISTS arg_DISABLE)
    list(APPEND command --disable ${id})
  endforeach()
  foreach(option IN ITEMS REPEAT SEED TIMEOUT_SCALE)
    if(DEFINED arg_${option})
      string(TOLOWER ${option} word)
      string(REPLACE _ - word ${word})
      list(APPEND command --${word} ${arg_${option}})
    endif()
  endforeach()
  if(arg_SHUFFLE)
    list(APPEND command --shuffle)
  endif()
  if(NOT arg_EACH)
    set(arg_EACH rule)
  endif()
  if(NOT arg_REPEAT)
    set(arg_REPEAT 1)
  endif()
  if(NOT arg_TIMEOUT_SCALE)
    set(arg_TIMEOUT_SCALE 1)
  endif()
  math(EXPR timeout "300 * ${arg_REPEAT} * ${arg_TIMEOUT_SCALE}")

  sill_conformance_ids(ids ${arg_EACH} "^([A-Z])-[^ ]+ " "${arg_GROUPS}")
  foreach(id IN LISTS ids)
    sill_conformance_test(${name}.${id} "${command}" ${id})
  endforeach()
  if(arg_GUEST)
    sill_conformance_ids(ids ${arg_EACH} "^([A-Z])-[^ ]+ inside"
      "${arg_GROUPS}")
    foreach(id IN LISTS ids)
      sill_conformance_test(${name}.guest.${id} "${command};--guest" ${id})
    endforeach()
  endif()
  if(arg_REPORT)
    sill_conformance_report()
  endif()
endfunction()

# Sets (variable) to the ids of rules or cases whose lines match (regex), whose
# first group is theirs.
function(sill_conformance_ids variable each regex groups)
  get_property(file GLOBAL PROPERTY SILL_CONFORMANCE_CASES)
  file(STRINGS ${file} lines REGEX "${regex}")
  set(ids "")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "${regex}" _ "${line}")
    if(groups AND NOT CMAKE_MATCH_1 IN_LIST groups)
      continue()
    endif()
    if(each STREQUAL "rule")
      string(REGEX REPLACE "[. ].*" "" id "${line}")
    else()
      string(REGEX REPLACE " .*" "" id "${line}")
    endif()
    list(APPEND ids ${id})
  endforeach()
  list(REMOVE_DUPLICATES ids)
  if(NOT ids)
    message(FATAL_ERROR "no conformance cases in ${groups}")
  endif()
  set(${variable} ${ids} PARENT_SCOPE)
endfunction()

# One test of sill_add_conformance, whose variables it sees. A test of which
# everything was skipped counts as skipped.
macro(sill_conformance_test test command id)
  string(SUBSTRING ${id} 0 1 _group)
  set(_report "")
  if(arg_REPORT)
    set(_report --report
      tsv:${CMAKE_CURRENT_BINARY_DIR}/${program}-results/${test}.tsv)
  endif()
  add_test(NAME ${test} COMMAND ${command} ${_report} ${id})
  set_tests_properties(${test} PROPERTIES
    LABELS "conformance;backend:${name};group:${_group};${arg_LABELS}"
    SKIP_REGULAR_EXPRESSION
      "(^|\n)0 passed, 0 failed on [^\n]* (skipped|disabled)\n"
    TIMEOUT ${timeout})
  if(arg_REPORT)
    set_tests_properties(${test} PROPERTIES
      FIXTURES_REQUIRED ${program}-results)
  endif()
endmacro()

# What each test left is merged when all have ended.
macro(sill_conformance_report)
  set(_folder ${CMAKE_CURRENT_BINARY_DIR}/${program}-results)
  file(MAKE_DIRECTORY ${_folder})
  set(_reports "")
  foreach(_file IN LISTS arg_REPORT)
    cmake_path(ABSOLUTE_PATH _file BASE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    list(APPEND _reports --report ${_file})
  endforeach()
  add_test(NAME ${name}.report
    COMMAND ${program} --merge ${_reports} ${_folder})
  set_tests_properties(${name}.report PROPERTIES
    LABELS "conformance;backend:${name};${arg_LABELS}"
    FIXTURES_CLEANUP ${program}-results)
endmacro()
