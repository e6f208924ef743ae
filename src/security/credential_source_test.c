/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of an application as the server sees them: what look-ups may answer, and what was current when. */
#include "security/credentials.h"

#include <dunlin/credentials.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* What the application answers next. */
typedef struct {
    dunlin_credentials *credentials;
    dunlin_status status; /* END: it calls dunlin_credential_found and returns what that says */
    uint64_t number;
    const char *endpoint, *key;
    bool changes; /* it changes the credential while it looks it up */
    dunlin_known known;
    dunlin_certificate certificate; /* as it was asked */
} application;

static dunlin_status answer(application *app, dunlin_credential_answer *to)
{
    if (app->changes) {
        dunlin_credentials_changed(app->credentials, app->number);
    }
    return app->status != DUNLIN_END
               ? app->status
               : dunlin_credential_found(to, app->number, dunlin_slice_of(app->endpoint),
                                         dunlin_slice_of(app->key));
}

static dunlin_status find(void *context, dunlin_slice what, dunlin_credential_answer *to)
{
    assert_true(dunlin_slice_equal(what, dunlin_slice_of("what")));
    return answer(context, to);
}

static dunlin_status find_certificate(void *context, const dunlin_certificate *certificate,
                                      dunlin_credential_answer *to)
{
    application *app = context;
    app->certificate = *certificate;
    return answer(app, to);
}

static dunlin_known known(void *context, dunlin_slice endpoint)
{
    (void)endpoint;
    return ((application *)context)->known;
}

static application *open_application(application *app)
{
    *app = (application){.status = DUNLIN_END, .number = 7, .endpoint = "a"};
    app->credentials = dunlin_credentials_of(&(dunlin_credential_source){.find_psk = find,
                                                                         .find_public_key = find,
                                                                         .find_certificate = find_certificate,
                                                                         .known = known,
                                                                         .context = app});
    assert_non_null(app->credentials);
    return app;
}

static dunlin_status look_up(application *app, dn_security_mode mode, dn_credential *found)
{
    static const uint8_t fingerprint[DN_FINGERPRINT_LEN] = {1};
    const dn_credentials_ops *ops = app->credentials->ops;
    const dunlin_slice what = dunlin_slice_of("what");
    const dn_certificate_claims claims = {
        .fingerprint = fingerprint, .names = &what, .count = 1, .is_trusted = true};
    memset(found, 0xee, sizeof *found);
    switch (mode) {
    case DN_SECURITY_PSK:
        return ops->find_psk(app->credentials, what, found);
    case DN_SECURITY_RPK:
        return ops->find_key(app->credentials, what, found);
    default:
        return ops->find_names(app->credentials, &claims, found);
    }
}

#define KEY64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define E63   "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define E252  E63 E63 E63 E63

static const struct {
    const char *description;
    dn_security_mode mode;
    dunlin_status answers;
    uint64_t number;
    const char *endpoint, *key;
    dunlin_status status;
} answers[] = {
    {"a key", DN_SECURITY_PSK, DUNLIN_END, 7, "a", "12345678", DUNLIN_OK},
    {"a long key", DN_SECURITY_PSK, DUNLIN_END, 0, E252, KEY64, DUNLIN_OK},
    {"a key for a pattern", DN_SECURITY_PSK, DUNLIN_END, 7, "a*", "12345678", DUNLIN_OK},
    {"a short key", DN_SECURITY_PSK, DUNLIN_END, 7, "a", "1234567", DUNLIN_ERR_ARGUMENT},
    {"a key that is too long", DN_SECURITY_PSK, DUNLIN_END, 7, "a", KEY64 "0", DUNLIN_ERR_ARGUMENT},
    {"no key", DN_SECURITY_PSK, DUNLIN_END, 7, "a", "", DUNLIN_ERR_ARGUMENT},
    {"no endpoint", DN_SECURITY_PSK, DUNLIN_END, 7, "", "12345678", DUNLIN_ERR_ARGUMENT},
    {"a long endpoint", DN_SECURITY_PSK, DUNLIN_END, 7, E252 "e", "12345678", DUNLIN_ERR_ARGUMENT},
    {"no number", DN_SECURITY_PSK, DUNLIN_END, DUNLIN_CREDENTIALS_ALL, "a", "12345678", DUNLIN_ERR_ARGUMENT},
    {"OK with nothing", DN_SECURITY_PSK, DUNLIN_OK, 7, "a", "12345678", DUNLIN_ERR_ARGUMENT},
    {"nobody", DN_SECURITY_PSK, DUNLIN_ERR_NOT_FOUND, 7, "a", "", DUNLIN_ERR_NOT_FOUND},
    {"a failure", DN_SECURITY_PSK, DUNLIN_ERR_STORE, 7, "a", "", DUNLIN_ERR_STORE},
    {"a public key", DN_SECURITY_RPK, DUNLIN_END, 7, "a", "", DUNLIN_OK},
    {"a public key for a pattern", DN_SECURITY_RPK, DUNLIN_END, 7, "a?", "", DUNLIN_ERR_ARGUMENT},
    {"a public key and a secret one", DN_SECURITY_RPK, DUNLIN_END, 7, "a", "12345678", DUNLIN_ERR_ARGUMENT},
    {"a certificate", DN_SECURITY_X509, DUNLIN_END, 7, "a", "", DUNLIN_OK},
    {"a certificate for a pattern", DN_SECURITY_X509, DUNLIN_END, 7, "a*", "", DUNLIN_ERR_ARGUMENT},
    {"another certificate", DN_SECURITY_X509, DUNLIN_ERR_ACCESS, 7, "a", "", DUNLIN_ERR_ACCESS},
};

static void what_look_ups_may_answer(void **state)
{
    application app;
    (void)state;
    (void)open_application(&app);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        dn_credential found;
        app.status = answers[i].answers;
        app.number = answers[i].number;
        app.endpoint = answers[i].endpoint;
        app.key = answers[i].key;
        const dunlin_status status = look_up(&app, answers[i].mode, &found);
        const dn_identity identity = dn_credential_identity(&found);
        if (status != answers[i].status) {
            fail_msg("%s: %s", answers[i].description, dunlin_status_text(status));
        } else if (status != DUNLIN_OK) {
            assert_int_equal(found.key_len + found.endpoint_len, 0); /* nothing is left of it */
        } else {
            assert_true(identity.mode == answers[i].mode && identity.credential == answers[i].number);
            assert_int_equal(identity.endpoint_len, strlen(answers[i].endpoint));
            assert_int_equal(found.key_len, strlen(answers[i].key));
            assert_memory_equal(found.key, answers[i].key, found.key_len);
            assert_int_equal(identity.is_pattern, strchr(answers[i].endpoint, '*') != NULL);
        }
    }
    assert_true(app.certificate.is_trusted && app.certificate.count == 1);
    assert_int_equal(app.certificate.fingerprint.len, 32);
    dunlin_credentials_close(app.credentials);
}

static void kinds_that_there_are_none_of(void **state)
{
    application app = {.known = DUNLIN_KNOWN_SHARED};
    dn_credential found;
    (void)state;
    app.credentials = dunlin_credentials_of(&(dunlin_credential_source){.known = known, .context = &app});
    for (int mode = DN_SECURITY_PSK; mode <= DN_SECURITY_X509; mode++) {
        assert_int_equal(look_up(&app, (dn_security_mode)mode, &found), DUNLIN_ERR_NOT_FOUND);
    }
    const dn_credentials_ops *ops = app.credentials->ops;
    const dunlin_slice name = dunlin_slice_of("a");
    assert_true(ops->is_known(app.credentials, name));
    assert_int_equal(ops->get(app.credentials, name, &found), DUNLIN_ERR_NOT_FOUND);
    app.known = DUNLIN_KNOWN_OWN;
    assert_true(ops->is_known(app.credentials, name));
    assert_int_equal(ops->get(app.credentials, name, &found), DUNLIN_OK);
    app.known = DUNLIN_KNOWN_NOT;
    assert_false(ops->is_known(app.credentials, name));
    assert_true(ops->count(app.credentials) > 0); /* so that it is asked at all */
    dunlin_credentials_close(app.credentials);
}

typedef struct {
    unsigned count;
    uint64_t number;
} told;

static void on_changed(void *context, uint64_t number, bool is_new)
{
    told *t = context;
    assert_false(is_new);
    t->count++;
    t->number = number;
}

static bool is_current(application *app, const dn_credential *found)
{
    return app->credentials->ops->is_current(app->credentials, found->number, found->generation);
}

static void what_is_current(void **state)
{
    application app;
    dn_credential found, other;
    told t = {.count = 0};
    (void)state;
    (void)open_application(&app);
    app.key = "12345678";
    dn_credentials_watch(app.credentials, on_changed, &t);
    assert_int_equal(look_up(&app, DN_SECURITY_PSK, &found), DUNLIN_OK);
    app.number = 8;
    assert_int_equal(look_up(&app, DN_SECURITY_PSK, &other), DUNLIN_OK);
    assert_true(is_current(&app, &found) && is_current(&app, &other));
    dunlin_credentials_changed(app.credentials, 7);
    assert_true(t.count == 1 && t.number == 7);
    assert_true(!is_current(&app, &found) && is_current(&app, &other));
    app.number = 7;
    assert_int_equal(look_up(&app, DN_SECURITY_PSK, &found), DUNLIN_OK);
    assert_true(is_current(&app, &found));
    dunlin_credentials_changed(app.credentials, DUNLIN_CREDENTIALS_ALL);
    assert_true(t.count == 2 && t.number == UINT64_MAX);
    assert_true(!is_current(&app, &found) && !is_current(&app, &other));
    dn_credentials_watch(app.credentials, NULL, NULL);
    dunlin_credentials_changed(app.credentials, 7);
    assert_int_equal(t.count, 2);
    /* Changed between the question and the answer: which of both was told nobody knows. */
    app.changes = true;
    assert_int_equal(look_up(&app, DN_SECURITY_PSK, &found), DUNLIN_OK);
    assert_false(is_current(&app, &found));
    dunlin_credentials_close(app.credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_look_ups_may_answer),
        cmocka_unit_test(kinds_that_there_are_none_of),
        cmocka_unit_test(what_is_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
