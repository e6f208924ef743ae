/* SPDX-License-Identifier: Apache-2.0 */
/* Device management and service enablement interface [200-299]. */
#include "ets/steps.h"

/* clang-format off: in these tables a line is a step and what must come of it */

#define C    DN_ETS_CLIENT
#define CS   (DN_ETS_CLIENT | DN_ETS_SERVER)
#define BOTH (DN_ETS_V10 | DN_ETS_V11)
#define V11  DN_ETS_V11

static const dn_ets_step INT_201[] = {
    READ("/3/0/0", TEXT), FORMAT(TEXT),         HAS("/3/0/0"), READ("/3/0/1", TEXT), FORMAT(TEXT),
    HAS("/3/0/1"),        READ("/3/0/2", TEXT), FORMAT(TEXT),  HAS("/3/0/2"),
};

static const dn_ets_step INT_203[] = {
    READ("/3/0", TLV),
    FORMAT(TLV),
    HAS("/3/0/0 /3/0/1 /3/0/2 /3/0/3 /3/0/11 /3/0/16"),
};

static const dn_ets_step INT_204[] = {
    READ("/3/0", LWM2M_JSON),
    FORMAT(LWM2M_JSON),
    HAS("/3/0/0 /3/0/1 /3/0/2 /3/0/3 /3/0/11 /3/0/16"),
};

static const dn_ets_step INT_205[] = {
    SAVE("/1/x"),
    WRITE("/1/x/2", TEXT, "101"),
    WRITE("/1/x/3", TEXT, "1010"),
    WRITE("/1/x/5", TEXT, "2000"),
    READ("/1/x", NO_ACCEPT),
    HOLDS("2=101 3=1010 5=2000"),
    RESTORE("/1/x/2", TEXT),
    RESTORE("/1/x/3", TEXT),
    RESTORE("/1/x/5", TEXT),
    SAME("/1/x"),
};

static const dn_ets_step INT_211[] = {
    READ("/1/x/0", CBOR), FORMAT(CBOR),         HAS("/1/x/0"), READ("/1/x/6", CBOR), FORMAT(CBOR),
    HAS("/1/x/6"),        READ("/1/x/7", CBOR), FORMAT(CBOR),  HAS("/1/x/7"),
};

static const dn_ets_step INT_212[] = {
    SAVE("/1/x"),
    WRITE("/1/x/2", CBOR, "101"),
    WRITE("/1/x/3", CBOR, "1010"),
    WRITE("/1/x/6", CBOR, "true"),
    READ("/1/x", NO_ACCEPT),
    HOLDS("2=101 3=1010 6=true"),
    RESTORE("/1/x/2", TEXT),
    RESTORE("/1/x/3", TEXT),
    RESTORE("/1/x/6", TEXT),
};

#define WRITE_BASIC_INFO(format_)                                                                   \
    SAVE("/1/x"), UPDATE("/1/x", format_, "2=101 3=1010 5=2000 6=true 7=U"), READ("/1/x", format_), \
        HOLDS("2=101 3=1010 5=2000 6=true 7=U"), RESTORE("/1/x", format_), SAME("/1/x")

static const dn_ets_step INT_215[] = {WRITE_BASIC_INFO(TLV)};
static const dn_ets_step INT_220[] = {WRITE_BASIC_INFO(LWM2M_JSON)};

static const dn_ets_step INT_221[] = {
    READ_GETS("/0", NO_ACCEPT, UNAUTHORIZED),
    WRITE_GETS("/0/0/0", TEXT, "coap://203.0.113.1", UNAUTHORIZED),
    ATTRIBUTES_GETS("/0", "pmin=30&pmax=45", UNAUTHORIZED),
};

static const dn_ets_step INT_222[] = {
    READ("/1", NO_ACCEPT),
    HAS("/1/x/0 /1/x/1 /1/x/6 /1/x/7"),
    READ("/3", NO_ACCEPT),
    HAS("/3/0/0 /3/0/11 /3/0/16"),
};

static const dn_ets_step INT_223[] = {
    READ("/1/x", NO_ACCEPT),
    HAS("/1/x/0 /1/x/1 /1/x/6 /1/x/7"),
    READ("/3/0", NO_ACCEPT),
    HAS("/3/0/0 /3/0/11 /3/0/16"),
};

static const dn_ets_step INT_224[] = {
    READ("/1/x/0", NO_ACCEPT),  HAS("/1/x/0"),  READ("/1/x/1", NO_ACCEPT), HAS("/1/x/1"),
    READ("/1/x/6", NO_ACCEPT),  HAS("/1/x/6"),  READ("/1/x/7", NO_ACCEPT), HAS("/1/x/7"),
    READ("/3/0/16", NO_ACCEPT), HAS("/3/0/16"),
};

static const dn_ets_step INT_225[] = {
    READ("/3/0/11", NO_ACCEPT), HAS("/3/0/11/y"), READ("/3/0/11/y", NO_ACCEPT),
    HAS("/3/0/11/y"),           LACKS("/3/0/16"),
};

static const dn_ets_step INT_226[] = {
    SAVE("/1/x"),           UPDATE("/1/x", ANY, "1=61 6=true"),
    UPDATES("lt=61", 20),   READ("/1/x", NO_ACCEPT),
    HOLDS("1=61 6=true"),   RESTORE("/1/x/6", ANY),
    RESTORE("/1/x/1", ANY), UPDATES(NULL, 20),
    SAME("/1/x"),
};

static const dn_ets_step INT_227[] = {
    SAVE("/1/x/1"),     WRITE("/1/x/1", ANY, "63"), UPDATES("lt=63", 20), READ("/1/x/1", NO_ACCEPT),
    HOLDS("/1/x/1=63"), RESTORE("/1/x/1", ANY),     UPDATES(NULL, 20),    SAME("/1/x/1"),
};

static const dn_ets_step INT_228[] = {
    SAVE("/16/0/0"),         WRITE("/16/0/0/y", ANY, "test"), READ("/16/0/0/y", NO_ACCEPT),
    HOLDS("/16/0/0/y=test"), RESTORE("/16/0/0/y", ANY),       SAME("/16/0/0"),
};

static const dn_ets_step INT_229[] = {
    READ("/3/0/11", NO_ACCEPT),
    READ_COMPOSITE("/3 /1/x /1/x/1 /3/0/11/y", ANY),
    HAS("/3/0/0 /3/0/16 /1/x/0 /1/x/1 /1/x/7 /3/0/11/y"),
};

static const dn_ets_step INT_230[] = {
    SAVE("/1/x"),
    SAVE("/16/0/0"),
    WRITE_COMPOSITE("/1/x/1=61 /1/x/6=true /16/0/0/0=aa /16/0/0/1=bb /16/0/0/2=cc /16/0/0/3=dd", ANY),
    UPDATES("lt=61", 20),
    READ("/1/x", NO_ACCEPT),
    HOLDS("1=61 6=true"),
    READ("/16/0/0", NO_ACCEPT),
    HOLDS("0=aa 1=bb 2=cc 3=dd"),
    RESTORE("/1/x/6", ANY),
    RESTORE("/1/x/1", ANY),
    RESTORE("/16/0/0", ANY),
};

#define READ_LEVELS(format_)                                                                         \
    READ("/1", format_), FORMAT(format_), HAS("/1/x/0 /1/x/1 /1/x/6 /1/x/7"), READ("/3/0", format_), \
        FORMAT(format_), HAS("/3/0/0 /3/0/11 /3/0/16"), READ("/3/0/16", format_), FORMAT(format_),   \
        HAS("/3/0/16"), READ("/3/0/11/y", format_), FORMAT(format_), HAS("/3/0/11/y")

static const dn_ets_step INT_231[] = {READ_LEVELS(SENML_JSON)};
static const dn_ets_step INT_232[] = {READ_LEVELS(SENML_CBOR)};

#define WRITE_LEVELS(format_)                                                                      \
    SAVE("/1/x"), SAVE("/16/0/0"), UPDATE("/1/x", format_, "1=61 6=true"), UPDATES("lt=61", 20),   \
        READ("/1/x", format_), HOLDS("1=61 6=true"), WRITE("/16/0/0/0", format_, "test_value"),    \
        READ("/16/0/0/0", format_), HOLDS("/16/0/0/0=test_value"), WRITE("/1/x/1", format_, "63"), \
        UPDATES("lt=63", 20), READ("/1/x/1", format_), HOLDS("/1/x/1=63"), RESTORE("/1/x/6", ANY), \
        RESTORE("/1/x/1", ANY), RESTORE("/16/0/0/0", ANY)

static const dn_ets_step INT_233[] = {WRITE_LEVELS(SENML_CBOR)};
static const dn_ets_step INT_234[] = {WRITE_LEVELS(SENML_JSON)};

static const dn_ets_step INT_235[] = {
    READ_COMPOSITE("/", ANY),
    HAS("/1/x/0 /1/x/1 /1/x/6 /1/x/7 /3/0/0 /3/0/16"),
    LACKS("/0 /21"),
};

static const dn_ets_step INT_236[] = {
    READ_COMPOSITE("/1/x/1 /3/0/16 /3339/0/5522 /3353/0/6030", ANY),
    HAS("/1/x/1 /3/0/16"),
    LACKS("/3339 /3353"),
};

static const dn_ets_step INT_237[] = {
    READ("/1", NO_ACCEPT),
    HAS("/1/x/0 /1/x/1"),
    READ("/3", NO_ACCEPT),
    HAS("/3/0/0 /3/0/16"),
};

static const dn_ets_step INT_241[] = {
    EXECUTE("/3/0/4", NULL),
    REGISTERS(),
    IS_REGISTERED(),
};

static const dn_ets_step INT_256[] = {
    SAVE("/1/x/0"),
    WRITE_GETS("/1/x/0", TEXT, "123", NOT_ALLOWED),
    SAME("/1/x/0"),
};

static const dn_ets_step INT_257[] = {
    SAVE("/1/x"),
    READ("/3/0", NO_ACCEPT),
    WRITE_COMPOSITE("/1/x/2=101 /1/x/6=true /3/0/13=0", ANY),
    READ_COMPOSITE("/1/x/2 /1/x/6 /3/0/13", ANY),
    HOLDS("/1/x/2=101 /1/x/6=true"),
    CHECK(dn_ets_check_clock_was_reset, "Current Time is within a minute of 1970-01-01"),
    RESTORE("/1/x/2", ANY),
    RESTORE("/1/x/6", ANY),
    SET_CLOCK(),
};

/* In 1.0 the attributes are set at the instance (erratum 13), in 1.1 at the Object. */
static void discover_attributes(dn_ets_run *run, const dn_ets_step *step)
{
    static const dn_ets_step at_object[] = {
        ATTRIBUTES("/3", "pmin=10&pmax=200"), DISCOVER("/3/0"), LINKS("</3/0>,</3/0/7>"), DISCOVER("/3"),
        LINKS("</3>;pmin=10;pmax=200"),
    };
    static const dn_ets_step at_instance[] = {
        ATTRIBUTES("/3/0", "pmin=10&pmax=200"),
        DISCOVER("/3"),
        LINKS("</3/0>;pmin=10;pmax=200"),
    };
    (void)step;
    if (run->registration.minor > 0) {
        dn_ets_do(run, at_object, sizeof at_object / sizeof at_object[0]);
    } else {
        dn_ets_do(run, at_instance, sizeof at_instance / sizeof at_instance[0]);
    }
}

static const dn_ets_step INT_260[] = {
    DISCOVER("/3"),
    LINKS("</3/0/0>,</3/0/6>;dim=2,</3/0/7>;dim=2,</3/0/8>;dim=2,</3/0/9>,</3/0/11>,</3/0/16>"),
    CHECK(discover_attributes,
          "Server writes pmin=10 and pmax=200 at /3 (LwM2M 1.0: /3/0); Discover shows them there"),
    ATTRIBUTES("/3/0/7", "lt=1&gt=6&st=1"),
    DISCOVER("/3/0"),
    LINKS("</3/0/7>;dim=2;lt=1;gt=6;st=1"),
    DISCOVER("/3/0/7"),
    LINKS("</3/0/7>;dim=2;pmin=10;pmax=200;lt=1;gt=6;st=1"),
    UNSET("/3/0/7", "lt&gt&st"),
    UNSET("/3/0", "pmin&pmax"),
    UNSET("/3", "pmin&pmax"),
};

static const dn_ets_step INT_261[] = {
    DISCOVER("/3/0/11"),
    LINKS("</3/0/11>"),
    ATTRIBUTES("/3", "pmin=10&pmax=200"),
    ATTRIBUTES("/3/0", "pmax=320"),
    ATTRIBUTES("/3/0/11/0", "pmax=100&epmin=1&epmax=20"),
    DISCOVER("/3/0/11"),
    LINKS("</3/0/11>;dim=1;pmin=10;pmax=320,</3/0/11/0>;pmax=100;epmin=1;epmax=20"),
    UNSET("/3/0/11/0", "pmax&epmin&epmax"),
    UNSET("/3/0", "pmax"),
    UNSET("/3", "pmin&pmax"),
};

static const dn_ets_step INT_280[] = {
    READ("/3/0/11", NO_ACCEPT),
    READ_COMPOSITE("/3/0/16 /3/0/11/y /1/x", ANY),
    HAS("/3/0/16 /3/0/11/y /1/x/0 /1/x/1"),
};

static const dn_ets_step INT_281[] = {
    READ_COMPOSITE("/1/x/1 /1/x/7 /1/x/8", ANY),
    HAS("/1/x/1 /1/x/7"),
    LACKS("/1/x/8"),
};

static const dn_ets_case cases[] = {
    {.id = "int-201",
     .title = "Read basic information in plain text",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C1,
     .needs = "/3/0/0 /3/0/1 /3/0/2",
     DN_ETS_STEPS(INT_201)},
    {.id = "int-202",
     .title = "Read basic information in opaque format",
     .why_not = "a heading without a procedure in the test specification"},
    {.id = "int-203",
     .title = "Read basic information in TLV",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C1,
     .needs = "/3/0/0 /3/0/1 /3/0/2 /3/0/3",
     .erratum = "the wrapper of the Object Instance, of which the text speaks, is optional for a path with "
                "an instance",
     DN_ETS_STEPS(INT_203)},
    {.id = "int-204",
     .title = "Read basic information in LwM2M JSON",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C1,
     .needs = "/3/0/0 /3/0/1 /3/0/2 /3/0/3",
     DN_ETS_STEPS(INT_204)},
    {.id = "int-205",
     .title = "Setting basic information in plain text",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C3,
     .needs = "/1/x/2 /1/x/3 /1/x/5",
     DN_ETS_STEPS(INT_205)},
    {.id = "int-210",
     .title = "Setting basic information in opaque format",
     .why_not = "a heading without a procedure in the test specification"},
    {.id = "int-211",
     .title = "Read basic information in CBOR",
     .roles = CS,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_211)},
    {.id = "int-212",
     .title = "Setting basic information in CBOR",
     .roles = CS,
     .versions = V11,
     .config = DN_ETS_C3,
     .needs = "/1/x/2 /1/x/3",
     DN_ETS_STEPS(INT_212)},
    {.id = "int-215",
     .title = "Setting basic information in TLV",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C3,
     .needs = "/1/x/2 /1/x/3 /1/x/5",
     .erratum = "the restoring Replace carries all that is writable and leaves out the Short Server ID, "
                "which is read only "
                "(OMA issue 236)",
     DN_ETS_STEPS(INT_215)},
    {.id = "int-220",
     .title = "Setting basic information in LwM2M JSON",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C3,
     .needs = "/1/x/2 /1/x/3 /1/x/5",
     .erratum = "the printed JSON has a number with a leading zero; the Replace is that of int-215",
     DN_ETS_STEPS(INT_220)},
    {.id = "int-221",
     .title = "Attempt to perform operations on Security",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_221)},
    {.id = "int-222",
     .title = "Read Object",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_222)},
    {.id = "int-223",
     .title = "Read Object Instance",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_223)},
    {.id = "int-224",
     .title = "Read Resource",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_224)},
    {.id = "int-225",
     .title = "Read Resource Instance",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_225)},
    {.id = "int-226",
     .title = "Write (partial update) Object Instance",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_226)},
    {.id = "int-227",
     .title = "Write (replace) Resource",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_227)},
    {.id = "int-228",
     .title = "Write Resource Instance",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     .portfolio = true,
     .needs = "/16/0/0",
     .erratum = "the text says CoAP POST, which does not exist there: PUT",
     DN_ETS_STEPS(INT_228)},
    {.id = "int-229",
     .title = "Read-Composite",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     .erratum = "void from test specification 1.2.1 on, where int-280 takes its place",
     DN_ETS_STEPS(INT_229)},
    {.id = "int-230",
     .title = "Write-Composite",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     .portfolio = true,
     .needs = "/16/0/0",
     DN_ETS_STEPS(INT_230)},
    {.id = "int-231",
     .title = "Read in SenML JSON",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_231)},
    {.id = "int-232",
     .title = "Read in SenML CBOR",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_232)},
    {.id = "int-233",
     .title = "Write in SenML CBOR",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     .portfolio = true,
     .needs = "/16/0/0",
     DN_ETS_STEPS(INT_233)},
    {.id = "int-234",
     .title = "Write in SenML JSON",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     .portfolio = true,
     .needs = "/16/0/0",
     DN_ETS_STEPS(INT_234)},
    {.id = "int-235",
     .title = "Read-Composite on root",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_235)},
    {.id = "int-236",
     .title = "Read-Composite, partial presence",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_236)},
    {.id = "int-237",
     .title = "Read without Accept",
     .roles = CS,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_237)},
    {.id = "int-241",
     .title = "Executable Resource: reboot",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_241)},
    {.id = "int-256",
     .title = "Write operation failure",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_256)},
    {.id = "int-257",
     .title = "Write-Composite on Server and Device",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C6,
     .needs = "/1/x/2 /3/0/13",
     DN_ETS_STEPS(INT_257)},
    {.id = "int-260",
     .title = "Discover",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C4,
     .needs = "/3/0/6 /3/0/7 /3/0/8 /3/0/9",
     .erratum = "the lists are compared as sets, a configuration being a minimum; the text of 1.0 sets the "
                "attributes at "
                "/3/0 and sees them in the Discover of /3",
     DN_ETS_STEPS(INT_260)},
    {.id = "int-261",
     .title = "Write-Attributes on a multiple resource",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     .erratum = "the text prints & between attributes of a link: it is ;",
     DN_ETS_STEPS(INT_261)},
    {.id = "int-264",
     .title = "Discover with depth 1",
     .release = "1.2",
     .roles = C,
     .why_not = "needs LwM2M 1.2"},
    {.id = "int-266",
     .title = "Discover with depth 3",
     .release = "1.2",
     .roles = C,
     .why_not = "needs LwM2M 1.2"},
    {.id = "int-270",
     .title = "Create Object Instance",
     .why_not = "has no procedure of its own: see int-1630"},
    {.id = "int-271",
     .title = "Create multiple Resource Instance",
     .why_not = "a heading without a procedure in the test specification"},
    {.id = "int-280",
     .title = "Read-Composite, success",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_280)},
    {.id = "int-281",
     .title = "Read-Composite, partial success",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_281)},
    {.id = "int-290",
     .title = "Delete Object Instance",
     .why_not = "has no procedure of its own: see int-1635"},
};

const dn_ets_group dn_ets_group_management = {
    .title = "Device management and service enablement interface [200-299]",
    .cases = cases,
    .count = sizeof cases / sizeof cases[0],
};
