# SPDX-License-Identifier: MIT
#
# The functions behind the short CMakeLists.txt of each folder.
#
# A program chooses its backend with the target property SILL_BACKEND, which
# starts as the variable SILL_BACKEND: -DSILL_BACKEND=libuv swaps a whole tree,
# set_target_properties(prog PROPERTIES SILL_BACKEND native) one program. The
# library sill::sill reads that property of the program being linked, so no
# protocol ever names a backend.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
include(${CMAKE_CURRENT_LIST_DIR}/sillBackend.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/sillMatrix.cmake)

set(SILL_WARNINGS
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wconversion -Wvla)
set(SILL_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/sill)
set(SILL_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})

# What holds for everything that is compiled here.
function(sill_compile target)
  set_target_properties(${target} PROPERTIES
    C_STANDARD 11
    C_STANDARD_REQUIRED ON
    C_EXTENSIONS OFF
    C_VISIBILITY_PRESET hidden
    POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:C>:${SILL_WARNINGS}>")
  set_property(GLOBAL APPEND PROPERTY SILL_COMPILED ${target})
endfunction()

# sill_require_pkg(<prefix> <module> OPTION <option> PACKAGE <debian package>)
#
# Makes PkgConfig::<prefix>, or stops and says what to do: what was asked for
# is built, nothing is left out in silence.
function(sill_require_pkg prefix module)
  cmake_parse_arguments(arg "" "OPTION;PACKAGE" "" ${ARGN})
  find_package(PkgConfig QUIET)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${module})
  endif()
  if(NOT ${prefix}_FOUND)
    message(FATAL_ERROR
      "${module} not found. Install ${arg_PACKAGE} and pkg-config, or "
      "configure with -D${arg_OPTION}=OFF, or use the preset 'native'.")
  endif()
endfunction()

# sill_add_library(<target> <name> DESCRIPTION <line> [PKG <prefix>]
#                  [FLAGS <flags>] [CFLAGS <flags>])
#
# What a library of ours has beside its sources: its file lib<name>, its
# install rules, and <name>.pc.
#
# PKG     the prefix that sill_require_pkg was given for a library it stands on
# FLAGS   for the linker in the .pc file, -l<name> without any
# CFLAGS  for the compiler in the .pc file, beside its -I
function(sill_add_library target name)
  cmake_parse_arguments(arg "" "DESCRIPTION;PKG;FLAGS;CFLAGS" "" ${ARGN})
  string(REGEX REPLACE "^sill-" "" component ${name})
  add_library(sill::${component} ALIAS ${target})
  sill_compile(${target})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name}
    EXPORT_NAME ${component}
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
  if(SILL_INSTALL)
    sill_install_library(${target} ${name} ${component}
      DESCRIPTION "${arg_DESCRIPTION}" PKG "${arg_PKG}" FLAGS "${arg_FLAGS}"
      CFLAGS "${arg_CFLAGS}")
  endif()
endfunction()

# sill_add_backend(<name> [VIRTUAL] SOURCES ... [HEADERS ...] [PKG <prefix>])
#
# VIRTUAL   has a world of its own and no descriptors: programs that meet others
#           through the system make no sense on it, and are not linked with it
# HEADERS   for programs with a loop that the backend can live in, or that make
#           its world
function(sill_add_backend name)
  cmake_parse_arguments(arg "VIRTUAL" "PKG" "SOURCES;HEADERS" ${ARGN})
  add_library(sill_${name} ${arg_SOURCES})
  target_sources(sill_${name} PUBLIC FILE_SET HEADERS FILES ${arg_HEADERS})
  target_link_libraries(sill_${name} PUBLIC sill::sill PRIVATE sill_spi)
  if(arg_PKG)
    target_link_libraries(sill_${name} PRIVATE PkgConfig::${arg_PKG})
  endif()
  # In a .pc file the backend can only come before libsill, which needs it:
  # an archive is made to offer its symbol, a shared library to stay.
  if(BUILD_SHARED_LIBS)
    set(flags
      "-Wl,--push-state,--no-as-needed -lsill-${name} -Wl,--pop-state")
  else()
    set(flags "-Wl,-u,sill_backend_default -lsill-${name}")
  endif()
  sill_add_library(sill_${name} sill-${name}
    DESCRIPTION "The ${name} backend of sill" PKG "${arg_PKG}"
    FLAGS "${flags}")
  # Two backends in one program disagree about this, and do not configure.
  set_target_properties(sill_${name} PROPERTIES
    INTERFACE_SILL_BACKEND_LINKED ${name}
    COMPATIBLE_INTERFACE_STRING SILL_BACKEND_LINKED)
  if(arg_VIRTUAL)
    set_property(GLOBAL APPEND PROPERTY SILL_VIRTUAL_BACKENDS ${name})
  else()
    set_property(GLOBAL APPEND PROPERTY SILL_BACKENDS ${name})
  endif()
  set_target_properties(sill_${name} PROPERTIES SILL_PKG "${arg_PKG}")

  # The same library beside the one that a program chose, to be used through
  # its own pointer.
  add_library(sill_${name}_beside INTERFACE)
  add_library(sill::${name}_beside ALIAS sill_${name}_beside)
  add_dependencies(sill_${name}_beside sill_${name})
  # libsill comes after it, for what only this backend asks of it.
  target_link_libraries(sill_${name}_beside INTERFACE
    $<TARGET_FILE:$<TARGET_NAME:sill_${name}>>
    $<TARGET_FILE:$<TARGET_NAME:sill>>)
  target_include_directories(sill_${name}_beside INTERFACE
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}>)
  if(arg_PKG AND NOT BUILD_SHARED_LIBS)
    target_link_libraries(sill_${name}_beside INTERFACE PkgConfig::${arg_PKG})
  endif()
  if(SILL_INSTALL)
    set_target_properties(sill_${name}_beside PROPERTIES
      EXPORT_NAME ${name}_beside)
    install(TARGETS sill_${name}_beside EXPORT sill-${name})
  endif()
endfunction()

# sill_add_protocol(<name> DESCRIPTION <line> SOURCES ... HEADERS ...)
function(sill_add_protocol name)
  cmake_parse_arguments(arg "" "DESCRIPTION" "SOURCES;HEADERS" ${ARGN})
  add_library(sill_${name} ${arg_SOURCES})
  target_sources(sill_${name} PUBLIC FILE_SET HEADERS FILES ${arg_HEADERS})
  target_link_libraries(sill_${name} PUBLIC sill::sill)
  sill_add_library(sill_${name} sill-${name} DESCRIPTION "${arg_DESCRIPTION}")
  set_property(GLOBAL APPEND PROPERTY SILL_PROTOCOLS ${name})
endfunction()

# Sets (params) to the source in which a backend tells the conformance kit about
# itself, and (guest) to GUEST when that brings a host.
function(sill_find_params params guest backend)
  set(source ${PROJECT_SOURCE_DIR}/backends/${backend}/test/params.c)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(STRINGS ${source} hosts REGEX "SILL_CONFORMANCE_GUEST")
  set(${params} ${source} PARENT_SCOPE)
  set(${guest} "" PARENT_SCOPE)
  if(hosts)
    set(${guest} GUEST PARENT_SCOPE)
  endif()
endfunction()

# sill_add_programs(<name> [HOSTED] SOURCES ... [LIBS ...] [INCLUDES ...]
#                   [LINK_OPTIONS ...])
#
# Compiles the sources once and links bin/<name>-<backend> for each backend.
# The linker's map of each program is kept for the proof of the swap.
#
# HOSTED   for those backends only that bring a host, which is added
function(sill_add_programs name)
  cmake_parse_arguments(arg "HOSTED" "" "SOURCES;LIBS;INCLUDES;LINK_OPTIONS"
    ${ARGN})
  get_property(all GLOBAL PROPERTY SILL_BACKENDS)
  set(backends "")
  foreach(backend IN LISTS all)
    sill_find_params(params guest ${backend})
    if(guest OR NOT arg_HOSTED)
      list(APPEND backends ${backend})
    endif()
  endforeach()
  sill_add_backend_matrix(${name} NO_TESTS BACKENDS ${backends}
    SOURCES ${arg_SOURCES} LINK ${arg_LIBS} LINK_OPTIONS ${arg_LINK_OPTIONS})
  sill_compile(${name})
  target_include_directories(${name} PRIVATE ${arg_INCLUDES})
  foreach(backend IN LISTS backends)
    set(program ${name}-${backend})
    target_link_options(${program} PRIVATE
      -Wl,-Map,${PROJECT_BINARY_DIR}/maps/${program}.map)
    set_target_properties(${program} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
    if(arg_HOSTED)
      sill_find_params(params guest ${backend})
      target_sources(${program} PRIVATE ${params})
      sill_add_host(${program} ${backend})
    endif()
  endforeach()
endfunction()
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/maps)

# What a program of ours with the params of a backend has beside its sources.
function(sill_add_host program backend)
  sill_compile(${program})
  target_include_directories(${program}
    PRIVATE ${PROJECT_SOURCE_DIR}/conformance)
  get_property(pkg TARGET sill_${backend} PROPERTY SILL_PKG)
  if(pkg)
    target_link_libraries(${program} PRIVATE PkgConfig::${pkg})
  endif()
  sill_link_backend(${program} ${backend})
  set_target_properties(${program} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# sill_add_tests(<name> [<argument>...])
#
# A test for each program that sill_add_programs(<name>) made.
function(sill_add_tests name)
  get_property(backends GLOBAL PROPERTY SILL_BACKENDS)
  foreach(backend IN LISTS backends)
    if(TARGET ${name}-${backend})
      add_test(NAME ${backend}.${name} COMMAND ${name}-${backend} ${ARGN})
      set_tests_properties(${backend}.${name} PROPERTIES
        LABELS "${name};backend:${backend}" TIMEOUT 300)
    endif()
  endforeach()
endfunction()

# sill_add_codec_test(<protocol> SOURCES ...)
#
# bin/<protocol>-codec-test. It is linked without a backend: that it links at
# all shows that the codec needs none.
function(sill_add_codec_test protocol)
  cmake_parse_arguments(arg "" "" "SOURCES" ${ARGN})
  set(program ${protocol}-codec-test)
  add_executable(${program} ${arg_SOURCES})
  sill_compile(${program})
  target_link_libraries(${program} PRIVATE sill::${protocol} PkgConfig::CHECK)
  set_target_properties(${program} PROPERTIES
    SILL_BACKEND ""
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  add_test(NAME ${protocol}.codec COMMAND ${program})
  set_tests_properties(${protocol}.codec PROPERTIES
    LABELS protocol TIMEOUT 300)
endfunction()

# sill_add_fuzz_test(<protocol> SOURCES ... CORPUS <folder>)
#
# bin/<protocol>-codec-corpus tries the corpus, with any compiler.
# bin/<protocol>-codec-fuzz: libFuzzer, which needs clang. The test starts from
# the corpus and tries a bounded number of inputs.
function(sill_add_fuzz_test protocol)
  cmake_parse_arguments(arg "" "CORPUS" "SOURCES" ${ARGN})
  set(program ${protocol}-codec-corpus)
  add_executable(${program} ${arg_SOURCES} ${SILL_CMAKE_DIR}/test/corpus.c)
  sill_compile(${program})
  target_link_libraries(${program} PRIVATE sill::sill)
  set_target_properties(${program} PROPERTIES
    SILL_BACKEND ""
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  file(GLOB corpus CONFIGURE_DEPENDS ${arg_CORPUS}/*)
  add_test(NAME ${protocol}.corpus COMMAND ${program} ${corpus})
  set_tests_properties(${protocol}.corpus PROPERTIES LABELS protocol TIMEOUT 300)
  if(NOT SILL_FUZZ)
    return()
  endif()
  set(program ${protocol}-codec-fuzz)
  add_executable(${program} ${arg_SOURCES})
  sill_compile(${program})
  target_link_libraries(${program} PRIVATE sill_api)
  foreach(step IN ITEMS compile link)
    cmake_language(CALL target_${step}_options ${program} PRIVATE
      -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
  endforeach()
  set_target_properties(${program} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  set(work ${CMAKE_CURRENT_BINARY_DIR}/${program})
  file(MAKE_DIRECTORY ${work})
  add_test(NAME ${protocol}.fuzz COMMAND ${program} -runs=200000
    -max_total_time=30 -timeout=10 ${work}
    ${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS})
  set_tests_properties(${protocol}.fuzz PROPERTIES
    LABELS protocol TIMEOUT 300)
endfunction()

# sill_add_simulation(<protocol> SEEDS <count> SOURCES ...)
#
# bin/simulate-<protocol>: the scenarios of a protocol, see <sill/scenario.h>,
# which ./sill simulate finds by that name. Tests try so many seeds of each, try
# that a seed repeats, and that nothing of the machine decides about it.
function(sill_add_simulation protocol)
  cmake_parse_arguments(arg "" "SEEDS" "SOURCES" ${ARGN})
  if(NOT TARGET sill_sim OR NOT PROJECT_IS_TOP_LEVEL)
    return()
  endif()
  set(program simulate-${protocol})
  set(sim ${PROJECT_SOURCE_DIR}/backends/sim/test)
  add_executable(${program} ${arg_SOURCES} ${sim}/refuse.c)
  sill_compile(${program})
  target_link_libraries(${program} PRIVATE sill::${protocol} sill::sill)
  set_target_properties(${program} PROPERTIES
    SILL_BACKEND sim
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  foreach(call IN ITEMS clock_gettime time gettimeofday getrandom random rand)
    target_link_options(${program} PRIVATE -Wl,--wrap=${call})
  endforeach()
  if(NOT SILL_TESTS)
    return()
  endif()
  if(CMAKE_C_FLAGS MATCHES "-fsanitize" OR CMAKE_CROSSCOMPILING)
    math(EXPR arg_SEEDS "${arg_SEEDS} / 10") # which is as slow
  endif()
  sill_add_sim_test(${protocol} ${program} --seeds ${arg_SEEDS})
  if(CMAKE_CROSSCOMPILING)
    return() # a script knows no emulator, and that makes calls of its own
  endif()
  sill_add_sim_test(${protocol}.repeat
    sh ${sim}/repeat.sh $<TARGET_FILE:${program}> --trace --seed 7)
  # A sanitizer asks the machine for much.
  if(NOT CMAKE_C_FLAGS MATCHES "-fsanitize")
    sill_add_sim_test(${protocol}.alone
      ${program} --alone --trace --seeds 10)
  endif()
endfunction()

# sill_add_sim_test(<name> <command> <argument>...)
function(sill_add_sim_test name)
  add_test(NAME sim.${name} COMMAND ${ARGN})
  set_tests_properties(sim.${name} PROPERTIES
    LABELS "sim;backend:sim" TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

# sill_add_example(<name> [LIBS ...])
function(sill_add_example name)
  sill_add_programs(${name} SOURCES ${name}.c ${ARGN})
  set_property(GLOBAL APPEND PROPERTY SILL_EXAMPLE_NAMES ${name})
endfunction()

# sill_add_host_example(<name> BACKEND <backend> [PKG <prefix>] [LIBS ...])
#
# bin/<name>: a program that runs a loop of its own, in which (backend) can live.
# Without that backend there is no such program.
#
# PKG   the prefix that sill_require_pkg was given for the library of that loop
function(sill_add_host_example name)
  cmake_parse_arguments(arg "" "BACKEND;PKG" "LIBS" ${ARGN})
  get_property(backends GLOBAL PROPERTY SILL_BACKENDS)
  if(NOT arg_BACKEND IN_LIST backends)
    return()
  endif()
  add_executable(${name} ${name}.c)
  sill_compile(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} sill::sill)
  if(arg_PKG)
    target_link_libraries(${name} PRIVATE PkgConfig::${arg_PKG})
  endif()
  set_target_properties(${name} PROPERTIES
    SILL_BACKEND ${arg_BACKEND}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# The install rules and the .pc file of one library.
function(sill_install_library target name component)
  cmake_parse_arguments(arg "" "DESCRIPTION;PKG;FLAGS;CFLAGS" "" ${ARGN})
  install(TARGETS ${target} EXPORT sill-${component}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT sill-${component} NAMESPACE sill::
    FILE sill-${component}-targets.cmake DESTINATION ${SILL_PACKAGE_DIR})

  # A static archive needs the library it stands on when programs are linked.
  set(needs "")
  set(find "")
  if(NOT arg_FLAGS)
    set(arg_FLAGS -l${name})
  endif()
  if(arg_PKG AND NOT BUILD_SHARED_LIBS)
    set(needs ${${arg_PKG}_MODULE_NAME})
    set(find "find_dependency(PkgConfig)
pkg_check_modules(${arg_PKG} REQUIRED QUIET IMPORTED_TARGET ${needs})\n")
  endif()
  set(file ${PROJECT_BINARY_DIR}/package/sill-${component}.cmake)
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT "@find@include(\
\"\${CMAKE_CURRENT_LIST_DIR}/sill-${component}-targets.cmake\")\n")
  install(FILES ${file} DESTINATION ${SILL_PACKAGE_DIR})

  set(pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${pc_dir}
    OUTPUT_VARIABLE up)
  if(NOT component STREQUAL sill)
    set(needs sill ${needs})
  endif()
  list(JOIN needs " " needs)
  configure_file(${SILL_CMAKE_DIR}/sill.pc.in
    ${PROJECT_BINARY_DIR}/package/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# What the package has once.
function(sill_install_package)
  install(TARGETS sill_api EXPORT sill-api FILE_SET HEADERS
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(TARGETS sill_spi EXPORT sill-api FILE_SET HEADERS
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sill-spi)
  install(EXPORT sill-api NAMESPACE sill::
    FILE sill-api-targets.cmake DESTINATION ${SILL_PACKAGE_DIR})
  get_property(SILL_BACKENDS GLOBAL PROPERTY SILL_BACKENDS)
  get_property(virtual GLOBAL PROPERTY SILL_VIRTUAL_BACKENDS)
  list(APPEND SILL_BACKENDS ${virtual})
  get_property(SILL_PROTOCOLS GLOBAL PROPERTY SILL_PROTOCOLS)
  set(SILL_KIT "")
  if(SILL_CONFORMANCE)
    set(SILL_KIT conformance)
  endif()
  configure_package_config_file(${SILL_CMAKE_DIR}/sillConfig.cmake.in
    ${PROJECT_BINARY_DIR}/package/sillConfig.cmake
    INSTALL_DESTINATION ${SILL_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/package/sillConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES
    ${PROJECT_BINARY_DIR}/package/sillConfig.cmake
    ${PROJECT_BINARY_DIR}/package/sillConfigVersion.cmake
    ${SILL_CMAKE_DIR}/sillBackend.cmake
    ${SILL_CMAKE_DIR}/sillMatrix.cmake
    DESTINATION ${SILL_PACKAGE_DIR})
endfunction()
