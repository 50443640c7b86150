# SPDX-License-Identifier: MIT
#
# The property by which a program chooses its backend; part of the build and
# of the installed package.

define_property(TARGET PROPERTY SILL_BACKEND
  BRIEF_DOCS "The backend that a program is linked with"
  INITIALIZE_FROM_VARIABLE SILL_BACKEND)
