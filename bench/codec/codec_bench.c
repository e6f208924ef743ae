/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long encoding and decoding take, in nanoseconds per record: a Read of the Device object (16 records) in
 * the formats that carry many, 16 samples of a sensor, a single float in those that carry one, and the links
 * of a registration. The fastest of many short runs counts, since only interference makes one slower.
 *
 *   codec_bench [--json] [--seconds S]
 */
#include "codec/format.h"
#include "codec/link.h"
#include "codec/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECORDS_MAX   32
#define LINKS         16
#define PAYLOAD_MAX   4096
#define CALLS_PER_RUN 100

typedef struct {
    const char *name;
    dunlin_path base;
    dunlin_type type; /* of every Resource; NONE: those of the Device object */
    size_t count;
    dn_record record[RECORDS_MAX];
} load;

typedef struct {
    const char *format;
    const char *load;
    size_t records;
    size_t bytes;
    double encode_ns; /* per record */
    double decode_ns;
} result;

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void require(bool condition, const char *what)
{
    if (!condition) {
        (void)fprintf(stderr, "codec_bench: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static dunlin_type device_type(uint16_t resource)
{
    switch (resource) {
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
        return DUNLIN_TYPE_INTEGER;
    case 13:
        return DUNLIN_TYPE_TIME;
    default:
        return DUNLIN_TYPE_STRING;
    }
}

static dunlin_type type_of(void *context, dunlin_path path, bool *multiple)
{
    const load *l = context;
    (void)multiple;
    return l->type != DUNLIN_TYPE_NONE ? l->type : device_type(path.id[2]);
}

static void add(load *l, dunlin_path path, dunlin_value value)
{
    dn_record record = {.kind = DN_RECORD_VALUE, .path = path, .value = value, .multiple = path.depth == 4};
    l->record[l->count++] = record;
}

static void add_text(load *l, uint16_t resource, const char *text)
{
    add(l, dunlin_path_resource(3, 0, resource), dunlin_string(dunlin_slice_of(text)));
}

static void add_integer(load *l, uint16_t resource, int instance, int64_t value)
{
    dunlin_path path = dunlin_path_resource(3, 0, resource);
    add(l, instance < 0 ? path : dunlin_path_child(path, (uint16_t)instance), dunlin_integer(value));
}

static load device(void)
{
    load l = {.name = "device", .base = dunlin_path_instance(3, 0)};
    add_text(&l, 0, "Open Mobile Alliance");
    add_text(&l, 1, "Lightweight M2M Client");
    add_text(&l, 2, "345000123");
    add_text(&l, 3, "1.0");
    add_integer(&l, 6, 0, 1);
    add_integer(&l, 6, 1, 5);
    add_integer(&l, 7, 0, 3800);
    add_integer(&l, 7, 1, 5000);
    add_integer(&l, 8, 0, 125);
    add_integer(&l, 8, 1, 900);
    add_integer(&l, 9, -1, 100);
    add_integer(&l, 10, -1, 15);
    add_integer(&l, 11, 0, 0);
    add(&l, dunlin_path_resource(3, 0, 13), dunlin_time(1367491215));
    add_text(&l, 14, "+02:00");
    add_text(&l, 16, "U");
    return l;
}

/* `step` decides how many digits the values have: 0.25 is what a sensor gives, 1 / 7 what arithmetic leaves.
 */
static load floats(const char *name, double first, double step)
{
    load l = {.name = name, .base = dunlin_path_instance(3303, 0), .type = DUNLIN_TYPE_FLOAT};
    for (uint16_t i = 0; i < 16; i++) {
        add(&l, dunlin_path_resource(3303, 0, (uint16_t)(5600 + i)), dunlin_float(first + i * step));
    }
    return l;
}

static load one(const char *name, dunlin_type type, dunlin_value value)
{
    load l = {.name = name, .base = dunlin_path_resource(3303, 0, 5700), .type = type};
    add(&l, l.base, value);
    return l;
}

static size_t encode(uint16_t format, const load *l, uint8_t *out)
{
    dn_encoder encoder;
    dunlin_slice payload;
    (void)dn_encode(&encoder, format, l->base, dunlin_buf_make(out, PAYLOAD_MAX));
    for (size_t i = 0; i < l->count; i++) {
        dn_encode_put(&encoder, &l->record[i]);
    }
    require(dn_encode_finish(&encoder, &payload) == DUNLIN_OK, "cannot encode");
    return payload.len;
}

static size_t decode(uint16_t format, const load *l, dunlin_slice payload)
{
    static uint8_t scratch[PAYLOAD_MAX];
    dn_decoder decoder;
    dn_record record;
    dunlin_status status;
    size_t count = 0;
    const dn_types types = {type_of, (void *)(uintptr_t)l};
    (void)dn_decode(&decoder, format, l->base, payload, types, dunlin_buf_make(scratch, sizeof scratch));
    while ((status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        count++;
    }
    require(status == DUNLIN_END, "cannot decode");
    return count;
}

typedef struct {
    uint16_t format;
    const load *load;
    dunlin_slice payload;
    uint8_t *out;
} job;

static void run_encode(const job *j)
{
    require(encode(j->format, j->load, j->out) == j->payload.len, "encoded otherwise");
}

static void run_decode(const job *j)
{
    require(decode(j->format, j->load, j->payload) == j->load->count, "decoded otherwise");
}

static void run_links_write(const job *j)
{
    dn_link_writer writer;
    dunlin_slice payload;
    dn_links_write(&writer, dunlin_buf_make(j->out, PAYLOAD_MAX));
    dn_link_put_target(&writer, "/");
    dn_link_put_text(&writer, "rt", dunlin_slice_of("oma.lwm2m"), true);
    dn_link_put_text(&writer, "ct", dunlin_slice_of("60 110 112 11542"), true);
    for (uint16_t i = 1; i < LINKS; i++) {
        dn_link_put(&writer, dunlin_slice_of("/"), dunlin_path_instance((uint16_t)(3300 + i), 0));
        dn_link_put_text(&writer, "ver", dunlin_slice_of("1.1"), false);
    }
    require(dn_links_finish(&writer, &payload) == DUNLIN_OK, "cannot write links");
}

static void run_links_read(const job *j)
{
    dn_link_reader reader;
    dn_link link;
    dn_link_param param;
    dunlin_path path;
    size_t count = 0;
    dn_links_read(&reader, j->payload);
    while (dn_links_next(&reader, &link) == DUNLIN_OK) {
        count += dn_link_path(&link, dunlin_slice_of("/"), &path) == DUNLIN_OK;
        count += dn_link_param_find(&link, "ver", &param) == DUNLIN_OK;
    }
    require(count == 2 * LINKS - 1, "read otherwise");
}

/* Nanoseconds per call: the fastest of many short runs. */
static double measure(void (*run)(const job *), const job *j, double duration_s)
{
    const double end = seconds() + duration_s;
    double best_s = 1;
    double start;
    while ((start = seconds()) < end) {
        for (int i = 0; i < CALLS_PER_RUN; i++) {
            run(j);
        }
        double run_s = seconds() - start;
        best_s = run_s < best_s ? run_s : best_s;
    }
    return best_s / CALLS_PER_RUN * 1e9;
}

static result bench(uint16_t format, const load *l, double duration_s)
{
    static uint8_t payload[PAYLOAD_MAX];
    static uint8_t out[PAYLOAD_MAX];
    job j = {format, l, {payload, 0}, out};
    j.payload.len = encode(format, l, payload);
    double count = (double)l->count;
    result r = {dn_format_find(format)->name, l->name, l->count, j.payload.len, 0, 0};
    r.encode_ns = measure(run_encode, &j, duration_s) / count;
    r.decode_ns = measure(run_decode, &j, duration_s) / count;
    return r;
}

static result bench_links(double duration_s)
{
    static uint8_t payload[PAYLOAD_MAX];
    dn_link_reader reader;
    dn_link link;
    job j = {0, NULL, {payload, PAYLOAD_MAX}, payload};
    run_links_write(&j);
    j.payload.len = strnlen((const char *)payload, PAYLOAD_MAX);
    dn_links_read(&reader, j.payload);
    require(dn_links_next(&reader, &link) == DUNLIN_OK, "cannot read links");
    result r = {"link", "registration", LINKS, j.payload.len, 0, 0};
    r.decode_ns = measure(run_links_read, &j, duration_s) / LINKS;
    r.encode_ns = measure(run_links_write, &j, duration_s) / LINKS;
    return r;
}

static void print(const result *r, bool json, bool first)
{
    if (json) {
        printf("%s\n  {\"format\": \"%s\", \"load\": \"%s\", \"records\": %zu, \"bytes\": %zu, "
               "\"encode_ns\": %.1f, "
               "\"decode_ns\": %.1f}",
               first ? "[" : ",", r->format, r->load, r->records, r->bytes, r->encode_ns, r->decode_ns);
        return;
    }
    if (first) {
        printf("%-11s %-13s %8s %8s %14s %14s\n", "format", "load", "records", "bytes", "encode ns/rec",
               "decode ns/rec");
    }
    printf("%-11s %-13s %8zu %8zu %14.1f %14.1f\n", r->format, r->load, r->records, r->bytes, r->encode_ns,
           r->decode_ns);
}

static void run_all(bool json, double duration_s)
{
    static const uint16_t many[] = {DN_FORMAT_TLV, DN_FORMAT_SENML_CBOR, DN_FORMAT_SENML_JSON,
                                    DN_FORMAT_LWM2M_JSON};
    static const uint8_t bytes[64] = {1, 2, 3};
    const load loads[] = {device(), floats("sensor", 20, 0.25), floats("arithmetic", 20, 1.0 / 7)};
    const load single_float = one("float", DUNLIN_TYPE_FLOAT, dunlin_float(22.5));
    const load single_bytes =
        one("64 bytes", DUNLIN_TYPE_OPAQUE, dunlin_opaque(dunlin_slice_make(bytes, sizeof bytes)));
    bool first = true;
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        for (size_t k = 0; k < sizeof many / sizeof many[0]; k++) {
            result r = bench(many[k], &loads[i], duration_s);
            print(&r, json, first);
            first = false;
        }
    }
    const result rest[] = {
        bench(DN_FORMAT_TEXT, &single_float, duration_s),   bench(DN_FORMAT_CBOR, &single_float, duration_s),
        bench(DN_FORMAT_TEXT, &single_bytes, duration_s),   bench(DN_FORMAT_CBOR, &single_bytes, duration_s),
        bench(DN_FORMAT_OPAQUE, &single_bytes, duration_s), bench_links(duration_s),
    };
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        print(&rest[i], json, false);
    }
    if (json) {
        printf("\n]\n");
    }
}

int main(int argc, char **argv)
{
    bool json = false;
    double duration_s = 0.2;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            duration_s = strtod(argv[++i], NULL);
        } else {
            (void)fprintf(stderr, "usage: codec_bench [--json] [--seconds S]\n");
            return EXIT_FAILURE;
        }
    }
    run_all(json, duration_s);
    return EXIT_SUCCESS;
}
