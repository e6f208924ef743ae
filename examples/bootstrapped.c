/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thermometer (Object 3303) that leaves the factory with one file, and goes on from another one:
 *
 *     bootstrapped NAME FACTORY.json STATE
 *
 * The factory file is SenML JSON: the account of a bootstrap server, as `dunlin bootstrap credentials set NAME --psk --factory FACTORY.json`
 * writes it. Whatever the bootstrap server configures, and what servers change of it later, is in STATE from then on, which is written
 * anew with each change; the factory file is not looked at again. A set point that servers may write is kept as well (DUNLIN_KEEP).
 */
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>
#include <dunlin/posix.h>

#include <signal.h>
#include <stdio.h>

#define SENML_JSON  110
#define FACTORY_MAX 8192u
#define SERVERS     2u
#define RIGHTS      16u

struct thermometer {
    double value, setpoint;
};

static const dunlin_resource thermometer_resources[] = {
    {DUNLIN_FIELD(5700, FLOAT, DUNLIN_R | DUNLIN_MANDATORY, struct thermometer, value)},
    {DUNLIN_CONSTANT(5701, "Cel")},
    {DUNLIN_FIELD(5900, FLOAT, DUNLIN_RW, struct thermometer, setpoint)},
};

static const dunlin_object thermometer_object = {
    .id = 3303,
    DUNLIN_TABLE(thermometer_resources),
    .flags = DUNLIN_MULTIPLE | DUNLIN_KEEP,
    .size = sizeof(struct thermometer),
};

static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[160 * 1024];
static struct thermometer thermometer = {20, 21};
static dunlin_device device;
static dunlin_access rights[RIGHTS]; /* Object 2, for more than one server */
static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

static void on_event(void *context, const dunlin_client_event *event)
{
    (void)context;
    switch (event->kind) {
    case DUNLIN_CLIENT_BOOTSTRAPPED:
        printf("bootstrapped\n");
        break;
    case DUNLIN_CLIENT_BOOTSTRAP_FAILED:
        printf("no bootstrap: %s\n", dunlin_status_text(event->status));
        break;
    case DUNLIN_CLIENT_REGISTERED:
        printf("registered as %s\n", event->location);
        break;
    default:
        break;
    }
    (void)fflush(stdout);
}

static void on_log(void *context, dunlin_log_level level, const char *area, const char *message)
{
    (void)context;
    if (level >= DUNLIN_LOG_WARN) {
        (void)fprintf(stderr, "%s: %s\n", area, message);
    }
}

static dunlin_status read_factory(dunlin_client *client, const char *name)
{
    static uint8_t bytes[FACTORY_MAX];
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    const size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    return dunlin_client_provision(client, dunlin_path_root(), SENML_JSON, dunlin_slice_make(bytes, len));
}

/* What was saved goes before what the factory has put in; a state that was damaged is as good as none. */
static dunlin_status configure(dunlin_posix *posix, dunlin_client *client, const char *factory)
{
    const dunlin_status status = dunlin_posix_restore(posix, client);
    return status == DUNLIN_ERR_NOT_FOUND || status == DUNLIN_ERR_MALFORMED ? read_factory(client, factory)
                                                                            : status;
}

static dunlin_client *make_client(dunlin_posix *posix, const char *name)
{
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = name;
    config.bootstrap = true;
    config.servers = SERVERS;
    dunlin_posix_fill(posix, &config);
    dunlin_client *client = dunlin_client_create(arena, sizeof arena, &config, dunlin_posix_now_ms());
    dunlin_device_init(&device);
    if (client == NULL || dunlin_device_add(client, &device) != DUNLIN_OK ||
        dunlin_access_add(client, rights, RIGHTS, 0) != DUNLIN_OK ||
        dunlin_client_add_object(client, &thermometer_object, &thermometer, 1, 1, NULL) != DUNLIN_OK) {
        return NULL;
    }
    return client;
}

static void run(dunlin_posix *posix, dunlin_client *client)
{
    uint64_t measure_ms = 0;
    dunlin_client_start(client, dunlin_posix_now_ms());
    while (stop_asked == 0) {
        dunlin_posix_turn(posix, client, 200);
        if (dunlin_posix_now_ms() >= measure_ms) { /* a real device asks its sensor here */
            measure_ms = dunlin_posix_now_ms() + 1000;
            thermometer.value = thermometer.setpoint + (double)(measure_ms / 1000 % 10) / 10;
            dunlin_changed(client, dunlin_path_resource(3303, 0, 5700));
        }
    }
    dunlin_client_stop(client, dunlin_posix_now_ms());
    for (unsigned turns = 0; turns < 50 && !dunlin_client_stopped(client); turns++) {
        dunlin_posix_turn(posix, client, 100);
    }
}

int main(int argc, char **argv)
{
    dunlin_posix *posix = NULL;
    dunlin_posix_config own = dunlin_posix_config_default();
    own.event = on_event;
    own.log = on_log;
    own.state = argc == 4 ? argv[3] : NULL;
    if (argc != 4 || dunlin_posix_create(&own, &posix) != DUNLIN_OK) {
        (void)fprintf(stderr, "usage: bootstrapped NAME FACTORY.json STATE\n");
        return 2;
    }
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);

    dunlin_client *client = make_client(posix, argv[1]);
    const dunlin_status status = client == NULL ? DUNLIN_ERR_MEMORY : configure(posix, client, argv[2]);
    if (status == DUNLIN_OK) {
        run(posix, client);
    } else {
        (void)fprintf(stderr, "bootstrapped: cannot begin: %s\n", dunlin_status_text(status));
    }
    dunlin_posix_destroy(posix);
    return status == DUNLIN_OK ? 0 : 1;
}
