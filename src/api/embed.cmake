# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=openapi.json -DOUTPUT=openapi.c -P embed.cmake: writes a file's bytes as a C array.
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}" "/* SPDX-License-Identifier: Apache-2.0 */
/* Made from openapi.json by embed.cmake. */
#include \"api/openapi.h\"

const unsigned char dn_openapi[] = {
${bytes}
};
const size_t dn_openapi_len = sizeof dn_openapi;
")
