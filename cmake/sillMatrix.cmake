# SPDX-License-Identifier: MIT
#
# One program on several backends; part of the build and of the installed
# package.

# Links (program) with a backend of sill by its name, or with somebody else's
# by the name of its target.
function(sill_link_backend program backend)
  target_link_libraries(${program} PRIVATE sill::sill)
  if(TARGET sill::${backend})
    set_target_properties(${program} PROPERTIES SILL_BACKEND ${backend})
  elseif(TARGET ${backend})
    set_target_properties(${program} PROPERTIES SILL_BACKEND "")
    target_link_libraries(${program} PRIVATE ${backend})
  else()
    message(FATAL_ERROR
      "${program}: there is no backend ${backend}. Name it as a component of "
      "find_package(sill), or give the target of your own.")
  endif()
endfunction()

# sill_add_backend_matrix(<name> SOURCES ... [BACKENDS ...] [LINK ...]
#                         [LINK_OPTIONS ...] [ARGUMENTS ...] [NO_TESTS])
#
# Compiles the sources once, as the target <name>, and links them into one
# program <name>-<backend> for each backend: the same object files, and the
# test <backend>.<name> runs it with the arguments.
#
# BACKENDS   those of sill by name, somebody else's by target; without any, those
#            that find_package(sill) has found
# LINK       what the sources use, such as a protocol
# NO_TESTS   the programs only
function(sill_add_backend_matrix name)
  cmake_parse_arguments(arg "NO_TESTS" ""
    "SOURCES;BACKENDS;LINK;LINK_OPTIONS;ARGUMENTS" ${ARGN})
  if(NOT arg_BACKENDS)
    set(arg_BACKENDS ${sill_BACKENDS})
  endif()
  if(NOT arg_BACKENDS)
    message(FATAL_ERROR "${name}: there are no backends")
  endif()
  add_library(${name} OBJECT ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} sill::sill)
  # What is for one backend alone may see its header.
  list(LENGTH arg_BACKENDS count)
  if(count EQUAL 1 AND TARGET "sill::${arg_BACKENDS}")
    target_include_directories(${name} PRIVATE
      $<TARGET_PROPERTY:sill::${arg_BACKENDS},INTERFACE_INCLUDE_DIRECTORIES>)
  endif()
  foreach(backend IN LISTS arg_BACKENDS)
    set(program ${name}-${backend})
    add_executable(${program} $<TARGET_OBJECTS:${name}>)
    target_link_libraries(${program} PRIVATE ${arg_LINK})
    target_link_options(${program} PRIVATE ${arg_LINK_OPTIONS})
    sill_link_backend(${program} ${backend})
    if(NOT arg_NO_TESTS)
      add_test(NAME ${backend}.${name} COMMAND ${program} ${arg_ARGUMENTS})
      set_tests_properties(${backend}.${name} PROPERTIES
        LABELS "${name};backend:${backend}" TIMEOUT 300)
    endif()
  endforeach()
endfunction()
