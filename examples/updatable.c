/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device whose firmware can be updated (Object 5), in one file, on a POSIX host. Its flash is a file: what a server pushes, or names
 * as a coap:// address, goes there; "installing" it means to rename it.
 *
 *     updatable NAME HOST PORT SLOT-FILE
 *
 * The part between the two marks is what an update takes; the rest is the same for every device (see thermometer.c, and
 * docs/guides/write-a-device.md). After SIGTERM it starts anew with nothing: `save` and `load` would make it go on where it was.
 */
#include <dunlin/client.h>
#include <dunlin/client_device.h>
#include <dunlin/oma_firmware.h>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* [update */
struct flash {
    const char *slot; /* name of the file */
    int fd;
    bool install; /* asked for by a server */
};

static dunlin_firmware_result begin(void *context, uint64_t size)
{
    struct flash *flash = context;
    (void)size; /* a device of fixed size would compare: DUNLIN_FIRMWARE_NO_FLASH */
    return ftruncate(flash->fd, 0) == 0 ? DUNLIN_FIRMWARE_INITIAL : DUNLIN_FIRMWARE_NO_FLASH;
}

static dunlin_firmware_result write_piece(void *context, uint64_t offset, dunlin_slice bytes)
{
    const struct flash *flash = context;
    const bool written = pwrite(flash->fd, bytes.data, bytes.len, (off_t)offset) == (ssize_t)bytes.len;
    return written ? DUNLIN_FIRMWARE_INITIAL : DUNLIN_FIRMWARE_NO_FLASH;
}

/* A real device checks a signature here. */
static dunlin_firmware_result verify(void *context, uint64_t size)
{
    const struct flash *flash = context;
    char magic[4];
    const bool known =
        pread(flash->fd, magic, sizeof magic, 0) == sizeof magic && memcmp(magic, "FIRM", 4) == 0;
    (void)size;
    return known ? DUNLIN_FIRMWARE_INITIAL : DUNLIN_FIRMWARE_TYPE;
}

/* The answer leaves after this, so it is only noted down. */
static dunlin_firmware_result apply(void *context)
{
    ((struct flash *)context)->install = true;
    return DUNLIN_FIRMWARE_INITIAL;
}

/* Installs it, shows the new version, and says so; a real device starts anew in between. */
static void install(dunlin_client *client, dunlin_firmware *firmware, dunlin_device *device,
                    struct flash *flash, uint64_t now)
{
    char installed[4096];
    flash->install = false;
    (void)snprintf(installed, sizeof installed, "%s.installed", flash->slot);
    if (rename(flash->slot, installed) != 0 || (flash->fd = open(flash->slot, O_RDWR | O_CREAT, 0600)) < 0) {
        dunlin_firmware_installed(firmware, DUNLIN_FIRMWARE_FAILED);
        return;
    }
    device->firmware = "2.0";
    dunlin_changed(client, dunlin_path_resource(3, 0, 3));
    dunlin_firmware_installed(firmware, DUNLIN_FIRMWARE_SUCCESS);
    dunlin_client_restart(client, now);
}
/* update] */

static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[48 * 1024];
static const dunlin_peer the_server = {.len = 1, .bytes = {1}};
static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void send_datagram(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    const int *fd = context;
    (void)peer;
    (void)!send(*fd, datagram.data, datagram.len, 0); /* a loss is no error: CoAP repeats */
}

static void fill_random(void *context, void *out, size_t len)
{
    (void)context;
    while (getrandom(out, len, 0) != (ssize_t)len) {
    }
}

/* The socket is connected to the server, so packages come from there too, whatever host their address names. */
static dunlin_status resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    *peer = the_server;
    return DUNLIN_OK;
}

static int connect_to(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return -1;
    }
    const int fd = socket(found->ai_family, SOCK_DGRAM, 0);
    const bool good = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0;
    freeaddrinfo(found);
    return good ? fd : -1;
}

static void run(dunlin_client *client, int fd, dunlin_firmware *firmware, dunlin_device *device,
                struct flash *flash)
{
    bool stopping = false;
    while (!dunlin_client_stopped(client)) {
        uint8_t datagram[1280];
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        const uint64_t due = dunlin_client_deadline(client);
        (void)poll(&wait, 1, due <= now_ms() || dunlin_firmware_deadline(firmware) <= now_ms() ? 0 : 100);
        const ssize_t got = wait.revents != 0 ? recv(fd, datagram, sizeof datagram, MSG_DONTWAIT) : -1;
        if (got > 0) {
            dunlin_client_receive(client, &the_server, dunlin_slice_make(datagram, (size_t)got), now_ms());
        }
        dunlin_firmware_step(firmware, now_ms());
        if (flash->install) {
            install(client, firmware, device, flash, now_ms());
        }
        dunlin_client_step(client, now_ms());
        if (stop_asked && !stopping) {
            stopping = true;
            dunlin_client_stop(client, now_ms());
        }
    }
}

static bool set_up(dunlin_client *client, dunlin_firmware *firmware, dunlin_device *device,
                   struct flash *flash, char **argv)
{
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "coap://%.100s:%.10s", argv[2], argv[3]);
    dunlin_device_init(device);
    device->firmware = "1.0";
    dunlin_firmware_init(firmware);
    firmware->call = (dunlin_firmware_callbacks){
        .begin = begin, .write = write_piece, .verify = verify, .apply = apply, .context = flash};
    return dunlin_device_add(client, device) == DUNLIN_OK &&
           dunlin_firmware_add(client, firmware) == DUNLIN_OK &&
           dunlin_client_add_server(client, &server) == DUNLIN_OK;
}

int main(int argc, char **argv)
{
    static dunlin_firmware firmware;
    static dunlin_device device;
    int fd = argc == 5 ? connect_to(argv[2], argv[3]) : -1;
    struct flash flash = {.slot = argv[argc - 1], .fd = fd < 0 ? -1 : open(argv[4], O_RDWR | O_CREAT, 0600)};
    if (flash.fd < 0) {
        (void)fprintf(stderr, "usage: updatable NAME HOST PORT SLOT-FILE, where HOST is a LwM2M server\n");
        return 2;
    }
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = argv[1];
    config.call = (dunlin_client_callbacks){
        .send = send_datagram, .random = fill_random, .resolve = resolve, .context = &fd};
    dunlin_client *client = dunlin_client_create(arena, sizeof arena, &config, now_ms());
    if (client == NULL || !set_up(client, &firmware, &device, &flash, argv)) {
        (void)fprintf(stderr, "the arena is too small\n");
        return 1;
    }
    dunlin_client_start(client, now_ms());
    run(client, fd, &firmware, &device, &flash);
    return 0;
}
