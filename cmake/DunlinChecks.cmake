# SPDX-License-Identifier: Apache-2.0
# Tests of the tree itself: layers, style, archives.
if(DUNLIN_TESTS)
endif()
