/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: link format. What is read is written again and must read the same. */
#include "codec/link.h"
#include "fuzz/must.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(dunlin_slice part, dunlin_slice whole)
{
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

/* A parameter's value without the backslashes in front of what they escape. */
static dunlin_slice unescaped(dunlin_slice value, uint8_t *memory)
{
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        i += value.data[i] == '\\' && i + 1 < value.len;
        memory[len++] = value.data[i];
    }
    return dunlin_slice_make(memory, len);
}

static void write_link(dn_link_writer *writer, const dn_link *link, dunlin_slice input, uint8_t *memory)
{
    char text[1024];
    dn_link_param param;
    dunlin_status status;
    size_t at = 0;
    if (link->target.len >= sizeof text) {
        return;
    }
    memcpy(text, link->target.len > 0 ? (const char *)link->target.data : "", link->target.len);
    text[link->target.len] = '\0';
    dn_link_put_target(writer, text);
    while ((status = dn_link_param_next(link, &at, &param)) == DUNLIN_OK) {
        must(lies_in(param.name, input) && lies_in(param.value, input) && param.name.len > 0);
        if (param.name.len >= sizeof text) {
            continue;
        }
        memcpy(text, param.name.data, param.name.len);
        text[param.name.len] = '\0';
        if (param.has_value) {
            dunlin_slice value = param.quoted ? unescaped(param.value, memory) : param.value;
            dn_link_put_text(writer, text, value, param.quoted);
        } else {
            dn_link_put_flag(writer, text);
        }
    }
    must(status == DUNLIN_END); /* a link that was given out is well-formed */
}

static size_t read_all(dunlin_slice input, dn_link_writer *writer, uint8_t *memory, dunlin_status *status)
{
    dn_link_reader reader;
    dn_link link;
    size_t count = 0;
    dn_links_read(&reader, input);
    while ((*status = dn_links_next(&reader, &link)) == DUNLIN_OK) {
        dunlin_path path;
        must(lies_in(link.target, input) && lies_in(link.params, input));
        must(++count <= input.len);
        (void)dn_link_path(&link, dunlin_slice_of("/lwm2m"), &path);
        if (dn_link_path(&link, dunlin_slice_of("/"), &path) == DUNLIN_OK) {
            char text[DUNLIN_PATH_TEXT_MAX + 1];
            must(dunlin_path_format(path, text) <= link.target.len);
        }
        if (writer != NULL) {
            write_link(writer, &link, input, memory);
        }
    }
    must(*status == DUNLIN_END || *status == DUNLIN_ERR_MALFORMED);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dn_link_writer writer;
    dunlin_slice payload;
    dunlin_status status;
    size_t cap = 4 * size + 16;
    uint8_t *output = malloc(cap);
    uint8_t *memory = malloc(size + 1);
    must(output != NULL && memory != NULL);
    dn_links_write(&writer, dunlin_buf_make(output, cap));
    size_t count = read_all(dunlin_slice_make(data, size), &writer, memory, &status);
    if (status == DUNLIN_END && dn_links_finish(&writer, &payload) == DUNLIN_OK) {
        must(read_all(payload, NULL, NULL, &status) == count && status == DUNLIN_END);
    }
    free(memory);
    free(output);
    return 0;
}
