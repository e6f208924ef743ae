# SPDX-License-Identifier: Apache-2.0
# The installed libraries: each is the objects of several dn_ libraries in one archive, so
# that a user links one file and the layers stay an inside matter. With them go the public
# headers, a CMake package ("dunlin": dunlin::client, dunlin::posix, dunlin::server) and
# pkg-config files. A bundle whose parts are not all in this build is left out.
include(CMakePackageConfigHelpers)

# dn_bundle(NAME dunlin-x EXPORT x PARTS dn_a dn_b ... [REQUIRES dunlin-y] [FIND Pkg ...]
#           [LINK Pkg::Target ...] [MODULES pkg-config-module ...] DESCRIPTION text)
function(dn_bundle)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;EXPORT;DESCRIPTION" "PARTS;REQUIRES;FIND;LINK;MODULES")
    set(objects "")
    foreach(part IN LISTS arg_PARTS)
        if(NOT TARGET ${part})
            message(STATUS "${arg_NAME}: left out, since ${part} is not in this build")
            return()
        endif()
        list(APPEND objects "$<TARGET_OBJECTS:${part}>")
    endforeach()
    add_library(${arg_NAME} STATIC ${objects})
    add_library(dunlin::${arg_EXPORT} ALIAS ${arg_NAME})
    set_target_properties(${arg_NAME} PROPERTIES EXPORT_NAME ${arg_EXPORT} LINKER_LANGUAGE C
        ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
    target_include_directories(${arg_NAME} INTERFACE
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
    foreach(package IN LISTS arg_FIND)
        find_package(${package} REQUIRED)
    endforeach()
    target_link_libraries(${arg_NAME} INTERFACE ${arg_REQUIRES} ${arg_LINK})
    install(TARGETS ${arg_NAME} EXPORT dunlin-targets ARCHIVE COMPONENT devel)

    set(DN_NAME ${arg_NAME})
    set(DN_DESCRIPTION "${arg_DESCRIPTION}")
    string(JOIN " " DN_REQUIRES ${arg_REQUIRES} ${arg_MODULES})
    configure_file("${PROJECT_SOURCE_DIR}/cmake/dunlin.pc.in" "${PROJECT_BINARY_DIR}/lib/${arg_NAME}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/lib/${arg_NAME}.pc"
            DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT devel)
    set_property(GLOBAL APPEND PROPERTY DUNLIN_BUNDLES ${arg_NAME})
    set_property(GLOBAL APPEND PROPERTY DUNLIN_BUNDLE_FINDS ${arg_FIND})
endfunction()

dn_bundle(NAME dunlin-client EXPORT client
    PARTS dn_base dn_codec dn_coap dn_model dn_client dn_objects
    DESCRIPTION "LwM2M client library without IO and without heap")
dn_bundle(NAME dunlin-posix EXPORT posix
    PARTS dn_security dn_bearer dn_endpoint dn_port dn_posix
    REQUIRES dunlin-client
    FIND GnuTLS LINK GnuTLS::GnuTLS MODULES gnutls
    DESCRIPTION "Sockets, clock and event loop for Dunlin on POSIX systems")
dn_bundle(NAME dunlin-server EXPORT server
    PARTS dn_base dn_codec dn_coap dn_security dn_model dn_ddf dn_bearer dn_endpoint dn_port dn_server dn_store
    FIND Threads SQLite3 EXPAT GnuTLS LINK Threads::Threads SQLite::SQLite3 EXPAT::EXPAT GnuTLS::GnuTLS
    MODULES sqlite3 expat gnutls
    DESCRIPTION "LwM2M server library")

get_property(bundles GLOBAL PROPERTY DUNLIN_BUNDLES)
if(bundles)
    set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/dunlin")
    get_property(finds GLOBAL PROPERTY DUNLIN_BUNDLE_FINDS)
    set(DN_FIND_DEPENDENCIES "")
    foreach(package IN LISTS finds)
        string(APPEND DN_FIND_DEPENDENCIES "find_dependency(${package})\n")
    endforeach()
    configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/dunlin-config.cmake.in"
        "${PROJECT_BINARY_DIR}/lib/dunlin-config.cmake" INSTALL_DESTINATION "${package_dir}")
    write_basic_package_version_file("${PROJECT_BINARY_DIR}/lib/dunlin-config-version.cmake"
        COMPATIBILITY SameMinorVersion)
    install(FILES "${PROJECT_BINARY_DIR}/lib/dunlin-config.cmake" "${PROJECT_BINARY_DIR}/lib/dunlin-config-version.cmake"
            DESTINATION "${package_dir}" COMPONENT devel)
    install(EXPORT dunlin-targets NAMESPACE dunlin:: DESTINATION "${package_dir}" COMPONENT devel)
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/dunlin" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
            COMPONENT devel FILES_MATCHING PATTERN "*.h")
endif()
