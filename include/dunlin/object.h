/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a device describes its Objects: const tables of resources, and a few typed callbacks where a plain
 * field is not enough. What the tables say the library does by itself: presence, access, encoding,
 * validation, notification and rollback (Core 1.1.1 sections 7.1 to 7.3).
 *
 * An Object Instance is a C structure of the application, of which each resource is a field:
 *
 *     struct thermometer { double value, least; };
 *     static const dunlin_resource resources[] = {
 *         {DUNLIN_FIELD(5601, FLOAT, DUNLIN_R, struct thermometer, least)},
 *         {DUNLIN_EXECUTE(5605, DUNLIN_E, reset)},
 *         {DUNLIN_FIELD(5700, FLOAT, DUNLIN_R | DUNLIN_MANDATORY, struct thermometer, value)},
 *         {DUNLIN_CONSTANT(5701, "Cel")},
 *     };
 *     static const dunlin_object object = {3303, DUNLIN_TABLE(resources), .flags = DUNLIN_MULTIPLE};
 *
 * Tables and structures are the application's and must outlive the client. The library changes an instance's
 * structure only from within the calls of dunlin/client.h.
 */
#ifndef DUNLIN_OBJECT_H
#define DUNLIN_OBJECT_H

#include <dunlin/value.h>

struct dunlin_client;

/* Most resources that one Object's table may have. */
#define DUNLIN_RESOURCES_MAX 128u

/* What may be done with a resource, and how many there are. */
enum {
    DUNLIN_R = 1,
    DUNLIN_W = 2,
    DUNLIN_RW = 3,
    DUNLIN_E = 4,
    DUNLIN_MANDATORY = 8,
    DUNLIN_ABSENT = 16, /* an optional resource that starts not instantiated; a Write instantiates it */
    DUNLIN_FILLED = 32, /* mandatory and writable, but `created` fills it: a Create may leave it out */

    DUNLIN_SECRET = 512, /* its value is never given out, not even to the device itself */

    /* In dunlin_object.flags */
    DUNLIN_MULTIPLE = 64, /* the Object may have any number of instances */
    DUNLIN_DYNAMIC = 128, /* a server may create and delete instances */
    DUNLIN_KEEP =
        1024, /* its instances and their writable resources are part of the image, and so survive a restart */
    DUNLIN_HIDDEN = 256 /* never listed, every operation is 4.01: Security (0) and OSCORE (21) */
};

/* How a resource's value is kept. */
enum {
    DUNLIN_KEPT_FIELD = 0, /* in a field: see DUNLIN_FIELD for the C types */
    DUNLIN_KEPT_LIST,      /* a multiple resource in a field made by DUNLIN_MANY */
    DUNLIN_KEPT_POINTER,   /* a field `const char *`: a text to read; NULL: not instantiated */
    DUNLIN_KEPT_CONSTANT,  /* a text in the table, the same for all instances */
    DUNLIN_KEPT_CALL,      /* nowhere: `get` and `set` are asked */
    DUNLIN_KEPT_NONE,      /* executable */
    DUNLIN_KEPT_STREAM     /* write only, and too large for memory: `take` gets it a piece at a time */
};

/* A piece of a STREAM resource: they come in order, without gaps. */
typedef struct {
    uint64_t offset; /* 0 begins a new value */
    dunlin_slice bytes;
    bool more; /* false: this piece completes the value */
} dunlin_piece;

/* What a callback is told: whose resource it is, and who asks. */
typedef struct {
    struct dunlin_client *client;
    void *context;    /* given with the Object */
    void *instance;   /* the instance's structure; NULL if the Object has none */
    dunlin_path path; /* of the instance (created, removed), the resource or the resource instance */
    uint16_t server; /* Short Server ID of who asks; 0: this device itself; 65535: bootstrap, card, factory */
} dunlin_call;

/* The arguments of an Execute: up to ten, named by a digit (Core 1.1.1 section 6.3.5). */
typedef struct {
    uint16_t present;       /* bit n: argument n is there */
    dunlin_slice value[10]; /* data is NULL if it has no value; valid during the call */
} dunlin_arguments;

/*
 * Callbacks give DUNLIN_OK or an error which the server gets as: a bad input (DUNLIN_ERR_MALFORMED ..
 * UNSUPPORTED) 4.00, DUNLIN_ERR_STATE 4.05, DUNLIN_ERR_NOT_FOUND 4.04, all others 5.00.
 *
 * get      gives the value now. Its bytes must stay valid until the next call to the library.
 *          DUNLIN_ERR_NOT_FOUND: not instantiated at this moment.
 * check    may refuse a value before anything of the request is changed. Type, range and size have been checked.
 * set      (FIELD, LIST) is told after the value was stored; (CALL) stores it. If it fails the library takes back
 *          everything that this request has changed: it restores fields and calls `set` again with the old values.
 * execute  acts. The answer leaves when dunlin_client_receive returns, so what cuts the link off (a reboot) should
 *          only be noted down here, and done after that.
 * take     (STREAM) gets the next piece, or NULL: the rest will not come, the transfer was given up. An error ends the
 *          transfer, and the server gets it as above.
 * next     (CALL, multiple) gives the smallest resource instance id that is `from` or above; DUNLIN_ID_NONE: no more.
 */
typedef dunlin_status dunlin_get(const dunlin_call *call, dunlin_value *value);
typedef dunlin_status dunlin_check(const dunlin_call *call, const dunlin_value *value);
typedef dunlin_status dunlin_set(const dunlin_call *call, const dunlin_value *value);
typedef dunlin_status dunlin_execute(const dunlin_call *call, const dunlin_arguments *arguments);
typedef dunlin_status dunlin_take(const dunlin_call *call, const dunlin_piece *piece);
typedef uint16_t dunlin_next(const dunlin_call *call, uint16_t from);

/* One resource. Make it with one of the macros below, and add further members behind: `.max = 100, .set = dim`. */
typedef struct {
    uint16_t id;
    uint16_t flags;
    uint8_t type; /* dunlin_type */
    uint8_t kept;
    uint16_t offset;   /* of the field in the instance's structure */
    uint16_t size;     /* of the field; of one element for LIST */
    uint16_t values;   /* LIST: offset of the first element */
    uint16_t capacity; /* LIST: elements. CALL: not 0 for a multiple resource */
    int64_t min, max;  /* a number's range; a text's or opaque's length in bytes. Both 0: any */
    const char *constant;
    dunlin_get *get;
    dunlin_check *check;
    dunlin_set *set;
    dunlin_execute *execute;
    dunlin_next *next;
    dunlin_take *take;
} dunlin_resource;

/* One Object. */
typedef struct {
    uint16_t id;
    const dunlin_resource *resources; /* ascending ids */
    uint16_t resource_count;
    uint16_t flags;
    size_t size; /* of an instance's structure; 0: it has none */
    uint8_t major,
        minor; /* version; 0.0 is the one that the LwM2M version implies (1.0 for other than core Objects) */
    /* A server created an instance: fill its structure, which is zero, with defaults before the payload is
     * applied. */
    dunlin_status (*created)(const dunlin_call *call);
    /* An instance goes (Delete, or a Create that failed after `created`); its structure is zeroed afterwards.
     */
    void (*removed)(const dunlin_call *call);
} dunlin_object;

/* `.resources` and their number from an array. */
#define DUNLIN_TABLE(array) .resources = (array), .resource_count = sizeof(array) / sizeof((array)[0])

/*
 * A resource in a field. C types by TYPE:
 *   INTEGER, TIME  int8_t .. int64_t        UNSIGNED  uint8_t .. uint64_t       FLOAT  float or double
 *   BOOLEAN        bool                     OBJLNK    dunlin_objlnk
 *   STRING, CORELNK  char[N], N - 1 bytes and a NUL      OPAQUE  DUNLIN_BYTES(N)
 */
#define DUNLIN_FIELD(number, TYPE, how, structure, field)                                  \
    .id = (number), .flags = (how), .type = DUNLIN_TYPE_##TYPE, .kept = DUNLIN_KEPT_FIELD, \
    .offset = offsetof(structure, field), .size = sizeof(((structure *)0)->field)

/* A multiple resource in a field of type DUNLIN_MANY. */
#define DUNLIN_LIST(number, TYPE, how, structure, field)                                    \
    .id = (number), .flags = (how), .type = DUNLIN_TYPE_##TYPE, .kept = DUNLIN_KEPT_LIST,   \
    .offset = offsetof(structure, field), .size = sizeof(((structure *)0)->field.value[0]), \
    .capacity = sizeof(((structure *)0)->field.id) / sizeof(uint16_t),                      \
    .values = offsetof(structure, field.value) /* NOLINT: a member's name takes no parentheses */

/* A text to read behind a `const char *`. */
#define DUNLIN_POINTER(number, how, structure, field)                                        \
    .id = (number), .flags = (how), .type = DUNLIN_TYPE_STRING, .kept = DUNLIN_KEPT_POINTER, \
    .offset = offsetof(structure, field), .size = sizeof(((structure *)0)->field)

/* A text that never changes. */
#define DUNLIN_CONSTANT(number, text)                                                            \
    .id = (number), .flags = DUNLIN_R, .type = DUNLIN_TYPE_STRING, .kept = DUNLIN_KEPT_CONSTANT, \
    .constant = (text)

/* A resource that callbacks keep: `.get = …, .set = …`. */
#define DUNLIN_CALL(number, TYPE, how) \
    .id = (number), .flags = (how), .type = DUNLIN_TYPE_##TYPE, .kept = DUNLIN_KEPT_CALL

/* A write-only opaque of any size that `function` takes a piece at a time. */
#define DUNLIN_STREAM(number, how, function)                                                           \
    .id = (number), .flags = DUNLIN_W | (how), .type = DUNLIN_TYPE_OPAQUE, .kept = DUNLIN_KEPT_STREAM, \
    .take = (function)

/* An executable resource. */
#define DUNLIN_EXECUTE(number, how, function)                                                      \
    .id = (number), .flags = DUNLIN_E | (how), .type = DUNLIN_TYPE_NONE, .kept = DUNLIN_KEPT_NONE, \
    .execute = (function)

/* Field type of an opaque of up to `n` bytes. */
#define DUNLIN_BYTES(n)  \
    struct {             \
        uint16_t len;    \
        uint8_t data[n]; \
    }

/* Field type of a multiple resource of up to `n` instances; `id` ascends, `value[i]` belongs to `id[i]`. */
#define DUNLIN_MANY(type, n) \
    struct {                 \
        uint16_t count;      \
        uint16_t id[n];      \
        type value[n];       \
    }

#endif
