/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment that is forwarded, against an EST server over HTTPS which issues with OpenSSL (ca.py). The clock of the engine is the test's. */
#include "apps/dunlind/est_forward.h"

#include "port/clock.h"
#include "port/entropy.h"
#include "security/enroll.h"
#include "security/issue.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME    "urn:dev:1"
#define NONE    65535u
#define WAIT_MS 60000u

typedef struct {
    char folder[64], url[96], path[4][96];
    pid_t ca;
    int input; /* of the CA: it ends when this is closed */
    dn_entropy entropy;
    est_forward *forward;
    dn_est *est;
    dn_identity identity;
    uint8_t key[DN_KEY_DER_MAX], request[DN_ENROLL_REQUEST_MAX];
    size_t key_len, request_len;
    uint64_t now_ms;
} world;

static int64_t wall_ms(void *context)
{
    (void)context;
    return dn_clock_wall_ms();
}

static void start_ca(world *w, const char *option, const char *value)
{
    int in[2], out[2];
    char line[64] = "";
    unsigned port = 0;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    w->ca = fork();
    assert_true(w->ca >= 0);
    if (w->ca == 0) {
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", DUNLIN_SOURCE_DIR "/tests/est/ca.py", w->folder, option, value,
               (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    w->input = in[1];
    FILE *said = fdopen(out[0], "r");
    assert_non_null(said);
    assert_non_null(fgets(line, sizeof line, said));
    assert_int_equal(sscanf(line, "port %u", &port), 1);
    (void)fclose(said);
    (void)snprintf(w->url, sizeof w->url, "https://127.0.0.1:%u/.well-known/est/", port);
}

static void stop_ca(world *w)
{
    if (w->ca > 0) {
        int status;
        close(w->input);
        assert_int_equal(waitpid(w->ca, &status, 0), w->ca);
        w->ca = 0;
    }
}

static est_forward_config config_of(world *w)
{
    static const char *const names[] = {"ca.pem", "ra.pem", "ra.key"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(w->path[i], sizeof w->path[i], "%s/%s", w->folder, names[i]);
    }
    return (est_forward_config){.url = w->url,
                                .authorities = w->path[0],
                                .certificate = w->path[1],
                                .key = w->path[2],
                                .timeout_s = 5};
}

static void open_with(world *w, const est_forward_config *config)
{
    char error[200] = "";
    dn_est_config est = dn_est_config_default();
    assert_true(est_forward_open(config, &w->forward, error, sizeof error));
    est.forward = est_forward_ask;
    est.context = w->forward;
    est.random = dn_entropy_random(&w->entropy);
    est.wall_ms = wall_ms;
    assert_int_equal(dn_est_create(&est, &w->est, error, sizeof error), DUNLIN_OK);
    assert_true(est_forward_start(w->forward, w->est, error, sizeof error));
}

static int make_world(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    strcpy(w->folder, "/tmp/dunlin_forward_test_XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    dunlin_buf request = dunlin_buf_make(w->request, sizeof w->request);
    assert_int_equal(dn_key_generate(w->key, &w->key_len), DUNLIN_OK);
    assert_int_equal(dn_enroll_request(dunlin_slice_make(w->key, w->key_len), NAME, &request), DUNLIN_OK);
    w->request_len = request.len;
    w->identity = (dn_identity){.mode = DN_SECURITY_X509, .endpoint_len = sizeof NAME - 1, .endpoint = NAME};
    *state = w;
    return 0;
}

static int free_world(void **state)
{
    world *w = *state;
    char command[100];
    est_forward_close(w->forward);
    dn_est_destroy(w->est);
    stop_ca(w);
    (void)snprintf(command, sizeof command, "rm -rf %s", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

static dn_est_reply ask(world *w, bool is_crts)
{
    static const uint8_t crts[] = {0xb3, 'e', 's', 't', 0x04, 'c', 'r', 't', 's'};
    static const uint8_t sen[] = {0xb3, 'e', 's', 't', 0x03, 's', 'e', 'n'};
    const dn_coap_options options = {.raw = is_crts ? dunlin_slice_make(crts, sizeof crts)
                                                    : dunlin_slice_make(sen, sizeof sen)};
    const dn_est_request request = {.method = is_crts ? DN_COAP_GET : DN_COAP_POST,
                                    .options = options,
                                    .content_format = is_crts ? NONE : 286,
                                    .accept = 281,
                                    .payload = is_crts ? dunlin_slice_make(NULL, 0)
                                                       : dunlin_slice_make(w->request, w->request_len)};
    dn_est_reply reply;
    dn_est_handle(w->est, &request, &w->identity, w->now_ms, &reply);
    return reply;
}

/* Until it is not put off any more; the engine's clock stands still. */
static dn_est_reply ask_patiently(world *w, bool is_crts)
{
    const uint64_t end_ms = dn_clock_ms() + WAIT_MS;
    dn_est_reply reply;
    while ((reply = ask(w, is_crts)).code == DN_COAP_UNAVAILABLE &&
           strstr(reply.why, "being asked") != NULL && dn_clock_ms() < end_ms) {
        const struct timespec pause = {.tv_nsec = 2000000};
        (void)nanosleep(&pause, NULL);
    }
    return reply;
}

static void it_is_issued(world *w)
{
    uint8_t bytes[DN_CERTIFICATE_DER_MAX];
    dunlin_buf out = dunlin_buf_make(bytes, sizeof bytes);
    int64_t from_s, until_s;
    const dn_est_reply reply = ask_patiently(w, false);
    assert_int_equal(reply.code, DN_COAP_CHANGED);
    assert_true(reply.is_issue);
    assert_int_equal(
        dn_enroll_find(reply.payload, dunlin_slice_make(w->key, w->key_len), NAME, &out, &from_s, &until_s),
        DUNLIN_OK);
    assert_true(until_s - from_s == INT64_C(20) * 86400);
}

static void a_certificate_comes_from_elsewhere(void **state)
{
    world *w = *state;
    start_ca(w, "--accept", "0");
    const est_forward_config config = config_of(w);
    open_with(w, &config);
    dn_est_reply reply = ask_patiently(w, true);
    assert_int_equal(reply.code, DN_COAP_CONTENT);
    size_t count = 0;
    assert_int_equal(dn_enroll_count(reply.payload, &count), DUNLIN_OK);
    assert_int_equal(count, 1);
    it_is_issued(w);
}

static void der_will_do(void **state)
{
    world *w = *state;
    start_ca(w, "--der", NULL);
    const est_forward_config config = config_of(w);
    open_with(w, &config);
    it_is_issued(w);
}

/* 202 with Retry-After 1: the device is told so, and what comes again after that is asked again. */
static void it_may_take_its_time(void **state)
{
    world *w = *state;
    start_ca(w, "--accept", "1");
    const est_forward_config config = config_of(w);
    const uint64_t end_ms = dn_clock_ms() + WAIT_MS;
    open_with(w, &config);
    while (strstr(ask(w, false).why, "asked for time") == NULL && dn_clock_ms() < end_ms) {
        const struct timespec pause = {.tv_nsec = 2000000};
        (void)nanosleep(&pause, NULL);
    }
    assert_int_equal(ask(w, false).max_age_s, 1);
    w->now_ms += 1000;
    it_is_issued(w);
}

static void it_may_refuse(void **state)
{
    world *w = *state;
    start_ca(w, "--refuse", "403");
    const est_forward_config config = config_of(w);
    open_with(w, &config);
    const dn_est_reply reply = ask_patiently(w, false);
    assert_int_equal(reply.code, DN_COAP_FORBIDDEN);
    assert_non_null(strstr(reply.why, "403"));
}

/* Neither an authority that is not trusted, nor one that does not know us, nor one that is gone is an answer. */
static void it_may_be_out_of_reach(void **state)
{
    world *w = *state;
    char error[200];
    start_ca(w, "--accept", "0");
    est_forward_config config = config_of(w);
    for (unsigned i = 0; i < 3; i++) {
        config = config_of(w);
        if (i == 0) {
            config.authorities = NULL; /* the system's */
        } else if (i == 1) {
            config.certificate = config.key = NULL;
        } else {
            stop_ca(w);
        }
        open_with(w, &config);
        const dn_est_reply reply = ask_patiently(w, false);
        assert_int_equal(reply.code, DN_COAP_UNAVAILABLE);
        assert_non_null(strstr(reply.why, "cannot be asked"));
        est_forward_close(w->forward);
        dn_est_destroy(w->est);
        w->forward = NULL;
        w->est = NULL;
    }
    config = config_of(w);
    config.url = "http://127.0.0.1/est";
    assert_false(est_forward_open(&config, &w->forward, error, sizeof error));
    config = config_of(w);
    config.key = NULL;
    assert_false(est_forward_open(&config, &w->forward, error, sizeof error));
    config = config_of(w);
    config.authorities = "/nowhere/ca.pem";
    assert_false(est_forward_open(&config, &w->forward, error, sizeof error));
    assert_non_null(strstr(error, "/nowhere/ca.pem"));
}

int main(void)
{
    if (system("command -v python3 >/dev/null && command -v openssl >/dev/null") != 0) {
        print_message("skipped: no python3, or no openssl\n");
        return 0;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_comes_from_elsewhere, make_world, free_world),
        cmocka_unit_test_setup_teardown(der_will_do, make_world, free_world),
        cmocka_unit_test_setup_teardown(it_may_take_its_time, make_world, free_world),
        cmocka_unit_test_setup_teardown(it_may_refuse, make_world, free_world),
        cmocka_unit_test_setup_teardown(it_may_be_out_of_reach, make_world, free_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
