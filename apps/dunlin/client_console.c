/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the console. Answers go to standard output, one line each, so that programs can use them too. */
#include "apps/dunlin/client_console.h"

#include "apps/dunlin/client_send.h"
#include "codec/format.h"
#include "port/clock.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERROR_CODE_MAX 255
#define BATTERY_MAX    100

typedef struct {
    const char *name, *arguments, *summary;
    int least, most; /* arguments */
    void (*run)(dn_sim_console *console, char **arguments);
} console_command;

static void say_wrong(const char *path, dunlin_status status)
{
    const char *why = dunlin_status_text(status);
    switch (status) {
    case DUNLIN_ERR_NOT_FOUND:
        why = "there is no such thing";
        break;
    case DUNLIN_ERR_STATE:
        why = "it has no single value that could be read or set here";
        break;
    case DUNLIN_ERR_TYPE:
        why = "the value is not of its type";
        break;
    case DUNLIN_ERR_RANGE:
        why = "the value is out of its range";
        break;
    default:
        break;
    }
    (void)printf("error: %s: %s\n", path, why);
}

static bool read_path(const char *text, dunlin_path *path)
{
    if (dunlin_path_parse(dunlin_slice_of(text), path) == DUNLIN_OK) {
        return true;
    }
    (void)printf("error: '%s' is no path like /3303/0/5700\n", text);
    return false;
}

static bool show(void *context, dunlin_path path, const dunlin_resource *resource, const dunlin_value *value)
{
    static char text[2 * DN_SIM_LINE_MAX]; /* base64 is longer than what it says; only this thread shows */
    char name[DUNLIN_PATH_TEXT_MAX + 1];
    dunlin_buf buf = dunlin_buf_make(text, sizeof text);
    unsigned *shown = context;
    (void)dunlin_path_format(path, name);
    ++*shown;
    if (resource == NULL) {
        (void)printf("%s\n", name);
    } else if ((resource->flags & DUNLIN_E) != 0) {
        (void)printf("%s (executable)\n", name);
    } else if (value != NULL && dn_value_to_text(value, &buf) == DUNLIN_OK) {
        (void)printf("%s = %.*s (%s)\n", name, (int)buf.len, text, dunlin_type_name(value->type));
    } else if (path.depth == 3) {
        (void)printf("%s (multiple %s)\n", name, dunlin_type_name((dunlin_type)resource->type));
    }
    return true;
}

static void run_tree(dn_sim_console *console, char **arguments)
{
    dunlin_path path = dunlin_path_root();
    unsigned shown = 0;
    if (arguments[0] != NULL && !read_path(arguments[0], &path)) {
        return;
    }
    const dunlin_status status = dunlin_client_walk(console->parts.client, path, show, &shown);
    if (status != DUNLIN_OK) {
        say_wrong(arguments[0], status);
    }
}

static void run_set(dn_sim_console *console, char **arguments)
{
    static uint8_t scratch[DN_SIM_LINE_MAX];
    dunlin_path path;
    dunlin_value value;
    if (!read_path(arguments[0], &path)) {
        return;
    }
    dunlin_path resource = path;
    resource.depth = path.depth > 3 ? 3 : path.depth;
    const dunlin_resource *row = dunlin_client_resource(console->parts.client, resource);
    if (row == NULL) {
        say_wrong(arguments[0], DUNLIN_ERR_NOT_FOUND);
        return;
    }
    dunlin_buf memory = dunlin_buf_make(scratch, sizeof scratch);
    dunlin_status status =
        dn_value_from_text(dunlin_slice_of(arguments[1]), (dunlin_type)row->type, &memory, &value);
    if (status == DUNLIN_OK) {
        status = dunlin_client_set(console->parts.client, path, &value);
    }
    if (status != DUNLIN_OK) {
        say_wrong(arguments[0], status);
        return;
    }
    (void)printf("%s is set\n", arguments[0]);
}

static void run_unset(dn_sim_console *console, char **arguments)
{
    dunlin_path path;
    if (!read_path(arguments[0], &path)) {
        return;
    }
    const dunlin_status status = dunlin_client_set_present(console->parts.client, path, false);
    if (status == DUNLIN_OK) {
        (void)printf("%s is not there any more\n", arguments[0]);
    } else if (status == DUNLIN_ERR_STATE) {
        (void)printf("error: %s is mandatory\n", arguments[0]);
    } else {
        say_wrong(arguments[0], status);
    }
}

static void run_add(dn_sim_console *console, char **arguments)
{
    dunlin_path path;
    if (!read_path(arguments[0], &path)) {
        return;
    }
    const dunlin_status status =
        path.depth != 2 ? DUNLIN_ERR_NOT_FOUND
                        : dunlin_client_add_instance(console->parts.client, path.id[0], path.id[1], NULL);
    if (status == DUNLIN_OK) {
        (void)printf("%s is there\n", arguments[0]);
    } else {
        say_wrong(arguments[0], status);
    }
}

static void run_remove(dn_sim_console *console, char **arguments)
{
    dunlin_path path;
    if (!read_path(arguments[0], &path)) {
        return;
    }
    const dunlin_status status =
        path.depth != 2 ? DUNLIN_ERR_NOT_FOUND
                        : dunlin_client_remove_instance(console->parts.client, path.id[0], path.id[1]);
    if (status == DUNLIN_OK) {
        (void)printf("%s is not there any more\n", arguments[0]);
    } else {
        say_wrong(arguments[0], status);
    }
}

static bool read_error_code(const char *text, uint8_t *code)
{
    char *end = NULL;
    const long number = strtol(text, &end, 10);
    *code = (uint8_t)number;
    if (*end != '\0' || number < 1 || number > ERROR_CODE_MAX) {
        (void)printf("error: '%s' is no error code from 1 to 255\n", text);
        return false;
    }
    return true;
}

static void run_error(dn_sim_console *console, char **arguments)
{
    uint8_t code = 0;
    if (!read_error_code(arguments[0], &code)) {
        return;
    }
    const dunlin_status status =
        dunlin_device_raise(console->parts.client, &console->parts.device->device, code);
    (void)printf(status == DUNLIN_OK ? "error code %u is raised\n" : "error: no room for error code %u\n",
                 code);
}

static void run_clear(dn_sim_console *console, char **arguments)
{
    uint8_t code = 0;
    if (read_error_code(arguments[0], &code)) {
        dunlin_device_clear(console->parts.client, &console->parts.device->device, code);
        (void)printf("error code %u is cleared\n", code);
    }
}

static void run_update(dn_sim_console *console, char **arguments)
{
    (void)arguments;
    dunlin_client_update(console->parts.client);
    (void)printf("an update is on its way\n");
}

static void run_status(dn_sim_console *console, char **arguments)
{
    const dunlin_client_counters c = dunlin_client_count(console->parts.client);
    (void)arguments;
    (void)printf(
        "%s; datagrams %llu in, %llu out; requests %llu, of which refused %llu; notifications %llu; registers %llu, updates %llu\n",
        dunlin_client_registered(console->parts.client) ? "registered" : "not registered",
        (unsigned long long)c.datagrams_received, (unsigned long long)c.datagrams_sent,
        (unsigned long long)c.requests, (unsigned long long)c.refused, (unsigned long long)c.notifications,
        (unsigned long long)c.registers, (unsigned long long)c.updates);
}

static void run_send(dn_sim_console *console, char **arguments)
{
    dn_sim_send(console->parts.client, arguments[0]);
}

static void run_battery(dn_sim_console *console, char **arguments)
{
    char *end = NULL;
    const double percent = strtod(arguments[0], &end);
    if (end == arguments[0] || *end != '\0' || !(percent >= 0 && percent <= BATTERY_MAX)) {
        (void)printf("error: '%s' is no level from 0 to 100\n", arguments[0]);
        return;
    }
    dn_sim_device_set_battery(console->parts.client, console->parts.device, percent);
    (void)printf("the battery has %d %%\n", console->parts.device->device.battery_level);
}

static void run_place(dn_sim_console *console, char **arguments)
{
    char *end = NULL;
    char *end_longitude = NULL;
    const double latitude = strtod(arguments[0], &end);
    const double longitude = strtod(arguments[1], &end_longitude);
    if (*end != '\0' || end_longitude == arguments[1] || *end_longitude != '\0' ||
        !dn_sim_place_set(console->parts.client, console->parts.place, latitude, longitude)) {
        (void)printf("error: it takes degrees, north and east: place 48.2082 16.3738\n");
        return;
    }
    (void)printf("it is at %f, %f\n", latitude, longitude);
}

/* Without an argument it shows; 'now' agrees to an update that was deferred; else how updates are to fail. */
static void run_firmware(dn_sim_console *console, char **arguments)
{
    dn_sim_firmware *firmware = console->parts.firmware;
    if (arguments[0] == NULL) {
        dn_sim_firmware_say(firmware);
    } else if (strcmp(arguments[0], "now") == 0) {
        const dunlin_status status = dn_sim_firmware_agree(firmware);
        (void)printf(status == DUNLIN_OK ? "it is being installed\n"
                                         : "error: no package is there to install\n");
    } else if (dn_sim_failure_read(arguments[0], &firmware->fail)) {
        (void)printf("updates will fail: %s\n", arguments[0]);
    } else {
        (void)printf("error: it takes now, " DN_SIM_FAILURES ", not '%s'\n", arguments[0]);
    }
}

static void run_reboot(dn_sim_console *console, char **arguments)
{
    (void)arguments;
    console->parts.device->reboot = true;
}

/* The device is reached at another address: without security it is another device, to which the registration does not belong. */
static void run_bootstrap(dn_sim_console *console, char **arguments)
{
    (void)arguments;
    switch (dunlin_client_bootstrap(console->parts.client, dn_clock_ms())) {
    case DUNLIN_OK:
        (void)printf("a bootstrap is on its way\n");
        break;
    case DUNLIN_ERR_STATE:
        (void)printf("error: one is under way\n");
        break;
    default:
        (void)printf("error: there is no bootstrap server's account\n");
        break;
    }
}

static void run_roam(dn_sim_console *console, char **arguments)
{
    (void)arguments;
    const dunlin_status status = dn_ways_roam(console->parts.ways);
    if (status != DUNLIN_OK) {
        (void)printf("error: no other socket: %s\n", strerror(errno));
        return;
    }
    (void)printf("it is at %s\n", dn_ways_address(console->parts.ways));
    console->roamed = true;
}

static void run_drop(dn_sim_console *console, char **arguments)
{
    (void)arguments;
    dn_ways_drop(console->parts.ways);
    dunlin_client_update(console->parts.client);
    (void)printf("sessions are forgotten\n");
}

static void run_quit(dn_sim_console *console, char **arguments)
{
    (void)arguments;
    console->quit = true;
}

static void run_help(dn_sim_console *console, char **arguments);

static const console_command commands[] = {
    {"tree", "[PATH]", "show what is there, with values", 0, 1, run_tree},
    {"get", "PATH", "the same for one path", 1, 1, run_tree},
    {"set", "PATH VALUE", "set a value, as the device itself: set /3303/0/5700 21.5", 2, 2, run_set},
    {"unset", "PATH", "take an optional resource away; 'set' brings it back", 1, 1, run_unset},
    {"add", "/O/I", "add an instance", 1, 1, run_add},
    {"remove", "/O/I", "take an instance away", 1, 1, run_remove},
    {"error", "N", "raise an error code of Device", 1, 1, run_error},
    {"clear", "N", "clear an error code", 1, 1, run_clear},
    {"battery", "PERCENT", "set the battery's level", 1, 1, run_battery},
    {"place", "NORTH EAST", "go there: place 48.2082 16.3738", 2, 2, run_place},
    {"firmware", "[now|HOW]", "show it; install a deferred one; HOW updates fail: flash, ram, ... or not", 0,
     1, run_firmware},
    {"send", "PATH ...", "send values to the servers that want them: send /3/0/9 /3303/0", 1, 1, run_send},
    {"reboot", "", "start anew", 0, 0, run_reboot},
    {"update", "", "send an Update now", 0, 0, run_update},
    {"bootstrap", "", "ask the bootstrap server for a configuration now", 0, 0, run_bootstrap},
    {"roam", "", "go on from another address and port", 0, 0, run_roam},
    {"drop-session", "", "forget sessions and connections, as after a loss of power", 0, 0, run_drop},
    {"status", "", "how it stands", 0, 0, run_status},
    {"help", "", "this", 0, 0, run_help},
    {"quit", "", "de-register and end", 0, 0, run_quit},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void run_help(dn_sim_console *console, char **arguments)
{
    (void)console;
    (void)arguments;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        (void)printf("%-12s %-11s %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
    }
}

/* Cuts at blanks; the last argument that a command takes is the rest of the line, blanks and all. */
static int cut(char *rest, int most, char **arguments)
{
    int count = 0;
    while (count < most) {
        rest += strspn(rest, " \t");
        if (*rest == '\0') {
            break;
        }
        arguments[count++] = rest;
        if (count < most) {
            rest += strcspn(rest, " \t");
            if (*rest != '\0') {
                *rest++ = '\0';
            }
        }
    }
    return count;
}

void dn_sim_console_do(dn_sim_console *console, char *line)
{
    char *arguments[3] = {NULL, NULL, NULL};
    line += strspn(line, " \t");
    char *rest = line + strcspn(line, " \t");
    if (*line == '\0' || *line == '#') {
        return;
    }
    if (*rest != '\0') {
        *rest++ = '\0';
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, line) != 0) {
            continue;
        }
        const int most = commands[i].most == 0 ? 1 : commands[i].most;
        int count = cut(rest, most, arguments);
        /* An empty text is a value too: `set /3/0/14 ` */
        if (count == 1 && commands[i].most == 2) {
            arguments[count++] = rest + strlen(rest);
        }
        if (count < commands[i].least || count > commands[i].most) {
            (void)printf("error: it is: %s %s\n", commands[i].name, commands[i].arguments);
            return;
        }
        commands[i].run(console, arguments);
        return;
    }
    (void)printf("error: there is no command '%s'; 'help' lists them\n", line);
}

static void prompt(const dn_sim_console *console)
{
    if (console->prompt && !console->quit) {
        (void)fputs("> ", stdout);
    }
    (void)fflush(stdout);
}

void dn_sim_console_open(dn_sim_console *console, const dn_sim_parts *parts)
{
    memset(console, 0, sizeof *console);
    console->parts = *parts;
    console->open = true;
    console->prompt = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
    prompt(console);
}

/* A line ends at `line[len]`. */
static void end_line(dn_sim_console *console)
{
    console->line[console->len] = '\0';
    if (console->len > 0 && console->line[console->len - 1] == '\r') {
        console->line[console->len - 1] = '\0';
    }
    if (console->too_long) {
        (void)printf("error: the line is too long\n");
    } else {
        dn_sim_console_do(console, console->line);
    }
    console->len = 0;
    console->too_long = false;
    prompt(console);
}

void dn_sim_console_read(dn_sim_console *console)
{
    char chunk[4096];
    const ssize_t got = read(STDIN_FILENO, chunk, sizeof chunk);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (got <= 0) {
        if (console->len > 0) {
            end_line(console);
        }
        console->open = false; /* the device goes on */
        return;
    }
    for (ssize_t i = 0; i < got && !console->quit; i++) {
        if (chunk[i] == '\n') {
            end_line(console);
        } else if (console->len + 1 < sizeof console->line) {
            console->line[console->len++] = chunk[i];
        } else {
            console->too_long = true;
        }
    }
}
