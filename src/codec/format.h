/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content formats behind one interface: bytes to a stream of records and back.
 * A record is one path with at most one value. Nothing here allocates; a decoder views its input and, where
 * text must be unescaped, a scratch region of the caller.  (Core 1.1.1 section 7.4, RFC 8428, RFC 8949)
 */
#ifndef DN_CODEC_FORMAT_H
#define DN_CODEC_FORMAT_H

#include <dunlin/value.h>

/* CoAP Content-Format numbers. */
enum {
    DN_FORMAT_TEXT = 0,
    DN_FORMAT_LINK = 40,
    DN_FORMAT_OPAQUE = 42,
    DN_FORMAT_CBOR = 60,
    DN_FORMAT_SENML_JSON = 110,
    DN_FORMAT_SENML_CBOR = 112,
    DN_FORMAT_TLV = 11542,
    DN_FORMAT_LWM2M_JSON = 11543,
    DN_FORMAT_NONE = 65535
};
/* The numbers that clients used before IANA assigned the above are mapped by dn_format_canonical: 1541 text,
 * 1542 TLV, 1543 JSON. */

typedef enum {
    DN_RECORD_VALUE = 0, /* a Resource (depth 3) or Resource Instance (depth 4) with `value` */
    DN_RECORD_EMPTY, /* no value: an Object Instance without resources, a multiple Resource without instances,
                        or a name in a composite request or an ETCH-style removal */
} dn_record_kind;

typedef struct {
    dn_record_kind kind;
    dunlin_path path;   /* absolute */
    dunlin_value value; /* bytes stay valid until the next call on the decoder */
    bool multiple;      /* the format says that this Resource is a multiple one (TLV); true for depth 4 */
    bool relative;      /* SenML: the name did not start with a slash, and was taken below `base` */
    bool has_time;
    double time_s; /* SenML / JSON base time plus time: < 2^28 is relative to now (RFC 8428 section 4.5.3) */
} dn_record;

/*
 * Which type the model gives a Resource. Return DUNLIN_TYPE_NONE when it is not known: the decoder then gives
 * the type that the payload shows (TLV: OPAQUE, its bytes as they are; text: STRING; JSON/CBOR numbers:
 * INTEGER if integral, UNSIGNED if above INT64_MAX, else FLOAT). `multiple` is set by the callee when the
 * Resource is known to be a multiple one. NULL is a model that knows nothing.
 */
typedef struct {
    dunlin_type (*type_of)(void *context, dunlin_path resource, bool *multiple);
    void *context;
} dn_types;

#define DN_DECODER_STATE_WORDS 24

typedef struct {
    const struct dn_format *format;
    dunlin_slice input;
    size_t at;
    dunlin_path base;  /* the request's path: records lie within it */
    dunlin_slice root; /* alternate path ("/lwm2m") that names in JSON and SenML may start with; empty after
                          dn_decode, to be set before the first dn_decode_next where there is one */
    dn_types types;
    dunlin_buf scratch;  /* at least as large as the input suffices for every format */
    dunlin_status error; /* sticky */
    bool any;            /* a record was given; the next two say which, to find one given twice in a row */
    dunlin_path last;
    double last_time_s;
    uint64_t state[DN_DECODER_STATE_WORDS]; /* the format's own */
} dn_decoder;

#define DN_ENCODER_STATE_WORDS 8

typedef struct {
    const struct dn_format *format;
    dunlin_buf out; /* data NULL: only lengths are computed */
    size_t total;   /* bytes that the output has or would have */
    dunlin_path base;
    dunlin_status error; /* sticky */
    uint64_t state[DN_ENCODER_STATE_WORDS];
} dn_encoder;

/* One content format: a row of the table behind dn_format_find. */
typedef struct dn_format {
    uint16_t number;
    const char *name;       /* "text", "opaque", "cbor", "senml-json", "senml-cbor", "tlv", "lwm2m-json" */
    const char *media_type; /* "application/senml+cbor" … */
    bool many;              /* carries more than one value */
    dunlin_status (*decode_start)(dn_decoder *);
    dunlin_status (*decode_next)(dn_decoder *, dn_record *);
    void (*encode_start)(dn_encoder *);
    void (*encode_put)(dn_encoder *, const dn_record *);
    void (*encode_finish)(dn_encoder *);
} dn_format;

/* The row of `number` (old numbers are mapped), or NULL: not supported (also for 40, which has its own
 * interface, link.h). */
const dn_format *dn_format_find(uint16_t number);
const dn_format *dn_format_find_name(const char *name);
uint16_t dn_format_canonical(uint16_t number);

/*
 * Starts decoding `input`, the payload of a request or response for `base`. For text, opaque and CBOR `base`
 * is the path of the only record (depth 3 or 4). Errors: UNSUPPORTED for an unknown format or one that cannot
 * serve `base`.
 */
dunlin_status dn_decode(dn_decoder *decoder, uint16_t format, dunlin_path base, dunlin_slice input,
                        dn_types types, dunlin_buf scratch);
/* OK with a record; END; or an error, which sticks: MALFORMED, TRUNCATED, TYPE, RANGE, PATH, DUPLICATE,
   UNSUPPORTED (a must-understand label), SPACE (scratch too small), LIMIT (nesting). Values read before an
   error must not be applied. DUPLICATE finds a known label twice in one record and two records in a row for
   the same path and time; whoever applies a payload notices paths that come again later. A TLV for an Object
   (`base` of depth 1) may hold Resources without an Object Instance around them, as in a Create that leaves
   the choice of the id to the client: their Object Instance id is then DUNLIN_ID_NONE. */
dunlin_status dn_decode_next(dn_decoder *decoder, dn_record *record);

/*
 * Starts encoding into `out` (NULL data: size only). `base` is the path of the request: SenML names are made
 * from it, TLV gives Object Instance wrappers when it has depth 1.
 */
dunlin_status dn_encode(dn_encoder *encoder, uint16_t format, dunlin_path base, dunlin_buf out);
/* Adds a record. Errors stick. A multiple Resource's instances come as depth 4. TLV needs the records in
 * dunlin_path_compare order; the Object Instance id DUNLIN_ID_NONE leaves out its wrapper, see above. */
void dn_encode_put(dn_encoder *encoder, const dn_record *record);
/* Ends the payload and gives its view (data NULL in size-only mode). Errors, whichever came first: SPACE
 * (`total` tells what would have sufficed); PATH (a record outside `base`); TYPE (a value the format cannot
 * carry); RANGE (not a number in text or JSON, 16 MiB in TLV); MALFORMED (a string is not UTF-8); UNSUPPORTED
 * (a time, an empty or a second record that the format cannot carry); ARGUMENT (order, no record at all where
 * one is due). */
dunlin_status dn_encode_finish(dn_encoder *encoder, dunlin_slice *payload);

/*
 * Converts `value` to `type` where the formats allow it without loss: OPAQUE bytes of a TLV to any type, text
 * to any type, integers among signed/unsigned/time/float, "oid:iid" to OBJLNK. TYPE or RANGE otherwise;
 * `value` is then unchanged.
 */
dunlin_status dn_value_from_tlv(dunlin_slice bytes, dunlin_type type, dunlin_value *out);
dunlin_status dn_value_from_text(dunlin_slice text, dunlin_type type, dunlin_buf *scratch, dunlin_value *out);
dunlin_status dn_value_to_text(const dunlin_value *value, dunlin_buf *out);
dunlin_status dn_value_convert(dunlin_value *value, dunlin_type type);

#endif
