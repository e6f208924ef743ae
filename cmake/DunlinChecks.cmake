# SPDX-License-Identifier: Apache-2.0
# Tests of the tree itself: layers, style, archives, and of the checkers and ./dev.
if(NOT DUNLIN_TESTS)
    return()
endif()

set(tools "${PROJECT_SOURCE_DIR}/tools")
function(dn_check name)
    add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES LABELS check TIMEOUT 600)
endfunction()

dn_check(check_layers Python3::Interpreter "${tools}/check_layers.py" "${PROJECT_SOURCE_DIR}")
dn_check(check_style Python3::Interpreter "${tools}/check_style.py" "${PROJECT_SOURCE_DIR}")
dn_check(checks_test Python3::Interpreter "${tools}/checks_test.py")
dn_check(dev_test "${DUNLIN_BASH}" "${tools}/dev_test.sh")
dn_check(check_conformance Python3::Interpreter "${tools}/check_conformance.py")
dn_check(check_links Python3::Interpreter "${tools}/check_links.py" "${PROJECT_SOURCE_DIR}")

# Sanitizers and coverage add mutable data of their own to every object.
get_property(archives GLOBAL PROPERTY DUNLIN_ARCHIVES)
if(archives AND NOT DUNLIN_SANITIZE AND NOT DUNLIN_FUZZ AND NOT CMAKE_C_FLAGS MATCHES "--coverage")
    list(TRANSFORM archives REPLACE "(.+)" "$<TARGET_FILE:\\1>")
    dn_check(check_archives Python3::Interpreter "${tools}/check_archives.py" --nm "${CMAKE_NM}" ${archives})
endif()

# What is installed can be used by another project.
get_property(bundles GLOBAL PROPERTY DUNLIN_BUNDLES)
if(bundles AND NOT DUNLIN_FUZZ)
    set(consumer_flags "${CMAKE_C_FLAGS}")
    if(DUNLIN_SANITIZE)
        string(APPEND consumer_flags " -fsanitize=${DUNLIN_SANITIZE}")
    endif()
    dn_check(consumer_test "${DUNLIN_BASH}" "${PROJECT_SOURCE_DIR}/tests/consumer/run"
             "${PROJECT_BINARY_DIR}" "${CMAKE_C_COMPILER}" "${consumer_flags}")
endif()
