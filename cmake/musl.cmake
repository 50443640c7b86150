# SPDX-License-Identifier: MIT
#
# Builds with musl, as Debian's musl-tools have it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_C_COMPILER musl-gcc)

# The kernel's headers, which musl-gcc does not see, without those of glibc that
# lie beside them.
set(kernel ${CMAKE_BINARY_DIR}/kernel)
file(MAKE_DIRECTORY ${kernel})
foreach(folder IN ITEMS
    linux asm-generic ${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu/asm)
  cmake_path(GET folder FILENAME name)
  file(CREATE_LINK /usr/include/${folder} ${kernel}/${name} SYMBOLIC)
endforeach()
set(CMAKE_C_STANDARD_INCLUDE_DIRECTORIES ${kernel})
