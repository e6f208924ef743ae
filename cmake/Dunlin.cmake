# SPDX-License-Identifier: Apache-2.0
# The functions that the folders' CMakeLists.txt use, so that each target gets the same
# warnings, include paths and checks:
#
#   dn_library(NAME dn_x FOLDER src/x SOURCES a.c b.c [DEPENDS dn_base ...]
#              [PRIVATE_DEPENDS PkgConfig::EXPAT ...] [POSIX])
#       A static library (PIC). DEPENDS are checked against tools/layers.json.
#       FOLDER defaults to the calling folder. POSIX defines _GNU_SOURCE.
#   dn_test(NAME x_test SOURCES x_test.c DEPENDS dn_x [LABELS l ...] [TIMEOUT s] [POSIX] [ARGS ...])
#       A cmocka executable, run by ctest with the label "unit" (or LABELS); one that names Threads::Threads
#       has the label "threads" as well, and is built by the target of that name. The macro DUNLIN_SOURCE_DIR
#       is the path of the source tree.
#   dn_fuzzer(NAME x SOURCES x_fuzz.c DEPENDS dn_x)
#       libFuzzer target in the preset "fuzz"; elsewhere a program that replays
#       fuzz/corpus/x, run by ctest with the label "fuzz-corpus".
#   dn_bench(NAME x_bench SOURCES ... DEPENDS ... [POSIX])       bin/bench/x_bench, not run by ctest
#   dn_app(NAME dunlind SOURCES ... DEPENDS ... [PRIVATE_DEPENDS ...] [POSIX])   bin/dunlind, installed
#   dn_pkg(PREFIX pkg-config-module DEBIAN libfoo-dev)
#       Find a system library as PkgConfig::PREFIX, or stop with what to install.
include_guard(GLOBAL)
find_package(PkgConfig REQUIRED)
find_program(DUNLIN_BASH bash REQUIRED)
find_package(Python3 COMPONENTS Interpreter REQUIRED)

file(READ "${PROJECT_SOURCE_DIR}/tools/layers.json" DN_LAYERS_JSON)
set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             "${PROJECT_SOURCE_DIR}/tools/layers.json")

if(DUNLIN_SANITIZE)
    add_compile_options(-fsanitize=${DUNLIN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${DUNLIN_SANITIZE})
endif()
if(DUNLIN_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "DUNLIN_FUZZ needs clang (Debian: clang libclang-rt-dev, or ./dev setup fuzz)")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(DUNLIN_LTO)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()
add_compile_options("$<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>" -fstack-protector-strong
                    "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
add_link_options(-Wl,-z,relro,-z,now)

# What is worth running under ThreadSanitizer: `ctest -L threads` after building this.
add_custom_target(threads)

function(dn_warnings target)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wcast-qual -Wcast-align
        -Wpointer-arith -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
        -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough -Wdouble-promotion -fno-common
        $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wno-format-nonliteral -Wno-format-truncation>
        $<$<C_COMPILER_ID:Clang>:-Wno-format-nonliteral -Wno-gnu-zero-variadic-macro-arguments>)
    if(DUNLIN_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
        # gcc's own instrumentation makes these warn about code that is fine without it.
        target_compile_options(${target} PRIVATE -Wno-conversion -Wno-maybe-uninitialized)
    endif()
    if(DUNLIN_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
    target_compile_features(${target} PRIVATE c_std_11)
endfunction()

function(dn_pkg prefix module)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "DEBIAN" "")
    pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${module})
    if(NOT ${prefix}_FOUND)
        message(FATAL_ERROR "Dunlin needs ${module}, which was not found. On Debian install the package "
                            "\"${arg_DEBIAN}\", or run ./dev setup, which installs all that is needed.")
    endif()
endfunction()

# Stop when `folder` may not use the dn_ target `dep` according to tools/layers.json.
function(dn_check_edge folder target dep)
    string(JSON target_folder ERROR_VARIABLE err GET "${DN_LAYERS_JSON}" targets ${dep})
    if(err)
        message(FATAL_ERROR "${target}: ${dep} is not a target that tools/layers.json knows")
    endif()
    string(JSON count ERROR_VARIABLE err LENGTH "${DN_LAYERS_JSON}" layers ${folder} uses)
    if(err)
        message(FATAL_ERROR "${target}: the folder ${folder} is not in tools/layers.json")
    endif()
    set(index 0)
    while(index LESS count)
        string(JSON used GET "${DN_LAYERS_JSON}" layers ${folder} uses ${index})
        if(used STREQUAL "*" OR used STREQUAL target_folder)
            return()
        endif()
        math(EXPR index "${index} + 1")
    endwhile()
    message(FATAL_ERROR "${target}: ${folder} must not depend on ${dep} (${target_folder}); see tools/layers.json")
endfunction()

function(dn_library)
    cmake_parse_arguments(PARSE_ARGV 0 arg "POSIX" "NAME;FOLDER" "SOURCES;DEPENDS;PRIVATE_DEPENDS")
    if(NOT arg_FOLDER)
        file(RELATIVE_PATH arg_FOLDER "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
    endif()
    add_library(${arg_NAME} STATIC ${arg_SOURCES})
    dn_warnings(${arg_NAME})
    target_include_directories(${arg_NAME} PUBLIC
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>")
    if(arg_POSIX)
        target_compile_definitions(${arg_NAME} PRIVATE _GNU_SOURCE)
    endif()
    if(arg_FOLDER MATCHES "^src/")
        foreach(dep IN LISTS arg_DEPENDS)
            dn_check_edge(${arg_FOLDER} ${arg_NAME} ${dep})
        endforeach()
        set_property(GLOBAL APPEND PROPERTY DUNLIN_ARCHIVES ${arg_NAME})
    else()
        target_include_directories(${arg_NAME} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>")
    endif()
    target_link_libraries(${arg_NAME} PUBLIC ${arg_DEPENDS} PRIVATE ${arg_PRIVATE_DEPENDS})
endfunction()

# What tests, fuzzers, benches and apps have in common.
macro(dn_program_)
    add_executable(${arg_NAME} ${arg_SOURCES})
    dn_warnings(${arg_NAME})
    target_include_directories(${arg_NAME} PRIVATE
        "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
    if(arg_POSIX)
        target_compile_definitions(${arg_NAME} PRIVATE _GNU_SOURCE)
    endif()
    target_compile_definitions(${arg_NAME} PRIVATE "DUNLIN_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
    target_link_libraries(${arg_NAME} PRIVATE ${arg_DEPENDS} ${arg_PRIVATE_DEPENDS})
endmacro()

function(dn_test)
    if(NOT DUNLIN_TESTS)
        return()
    endif()
    cmake_parse_arguments(PARSE_ARGV 0 arg "POSIX" "NAME;TIMEOUT"
                          "SOURCES;DEPENDS;PRIVATE_DEPENDS;LABELS;ARGS")
    dn_pkg(CMOCKA cmocka DEBIAN libcmocka-dev)
    dn_program_()
    target_link_libraries(${arg_NAME} PRIVATE PkgConfig::CMOCKA)
    if(NOT arg_LABELS)
        set(arg_LABELS unit)
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 600)
    endif()
    if("Threads::Threads" IN_LIST arg_DEPENDS OR "Threads::Threads" IN_LIST arg_PRIVATE_DEPENDS)
        list(APPEND arg_LABELS threads)
        add_dependencies(threads ${arg_NAME})
    endif()
    add_test(NAME ${arg_NAME} COMMAND ${arg_NAME} ${arg_ARGS})
    set_tests_properties(${arg_NAME} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()

function(dn_fuzzer)
    if(NOT DUNLIN_TESTS)
        return()
    endif()
    cmake_parse_arguments(PARSE_ARGV 0 arg "POSIX" "NAME" "SOURCES;DEPENDS;PRIVATE_DEPENDS")
    set(corpus "${PROJECT_SOURCE_DIR}/fuzz/corpus/${arg_NAME}")
    set(fuzzer ${arg_NAME})
    set(arg_NAME fuzz_${fuzzer})
    if(NOT DUNLIN_FUZZ)
        list(APPEND arg_SOURCES "${PROJECT_SOURCE_DIR}/tools/fuzz_main.c")
    endif()
    dn_program_()
    set_target_properties(${arg_NAME} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin/fuzz" OUTPUT_NAME ${fuzzer})
    # libFuzzer fixes the name of its entry point and declares it in no header.
    target_compile_options(${arg_NAME} PRIVATE -Wno-missing-prototypes)
    if(DUNLIN_FUZZ)
        target_link_options(${arg_NAME} PRIVATE -fsanitize=fuzzer)
        add_test(NAME ${arg_NAME} COMMAND ${arg_NAME} -runs=0 "${corpus}")
    else()
        add_test(NAME ${arg_NAME} COMMAND ${arg_NAME} "${corpus}")
    endif()
    set_tests_properties(${arg_NAME} PROPERTIES LABELS fuzz-corpus TIMEOUT 600)
    set_property(GLOBAL APPEND PROPERTY DUNLIN_FUZZERS ${fuzzer})
endfunction()

function(dn_bench)
    cmake_parse_arguments(PARSE_ARGV 0 arg "POSIX" "NAME" "SOURCES;DEPENDS;PRIVATE_DEPENDS")
    dn_program_()
    set_target_properties(${arg_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin/bench")
endfunction()

function(dn_app)
    cmake_parse_arguments(PARSE_ARGV 0 arg "POSIX" "NAME" "SOURCES;DEPENDS;PRIVATE_DEPENDS")
    dn_program_()
    target_compile_definitions(${arg_NAME} PRIVATE "DUNLIN_VERSION=\"${PROJECT_VERSION}\"")
    set_target_properties(${arg_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
    install(TARGETS ${arg_NAME} RUNTIME)
endfunction()
