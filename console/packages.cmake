# SPDX-License-Identifier: Apache-2.0
# Installs the npm packages of the lock file into node_modules, unless they are there. Run as a
# script with NPM set. Several build directories share node_modules, so only one may do it at a time.
cmake_minimum_required(VERSION 3.25)
set(here "${CMAKE_CURRENT_LIST_DIR}")
set(lock_file "${here}/package-lock.json")
set(stamp "${here}/node_modules/.dunlin-lock")
file(MAKE_DIRECTORY "${here}/node_modules")
file(LOCK "${here}/node_modules/.dunlin-busy" TIMEOUT 600)
file(SHA256 "${lock_file}" wanted)
set(present "")
if(EXISTS "${stamp}")
    file(SHA256 "${stamp}" present)
endif()
if(present STREQUAL wanted)
    return()
endif()
execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
            "${NPM}" ci --no-audit --no-fund --loglevel=error
    WORKING_DIRECTORY "${here}" RESULT_VARIABLE failed)
if(failed)
    message(FATAL_ERROR "npm ci failed in ${here}")
endif()
file(COPY_FILE "${lock_file}" "${stamp}")
