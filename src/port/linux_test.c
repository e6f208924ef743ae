/* SPDX-License-Identifier: Apache-2.0 */
/* Network, battery and memory as Linux tells of them, from files made up below a folder of the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "port/linux_net.h"
#include "port/linux_power.h"

static char root[] = "/tmp/dunlin-linux-XXXXXX";

static void put(const char *file, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s%s", root, file);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int remove_root(void **state)
{
    char command[64];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a name of our own */
}

static void routers(void **state)
{
    dn_linux_ip found[3];
    char interface[DN_LINUX_INTERFACE_MAX] = "x";
    (void)state;
    assert_int_equal(dn_linux_routers(root, found, 3, interface), 0);
    assert_string_equal(interface, "");
    put("/proc/net/route",
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "nonsense\n");
    put("/proc/net/ipv6_route", "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
                                "fe800000000000000000000000000001 "
                                "00000400 00000001 00000000 00000003     eth0\n"
                                "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
                                "00000000000000000000000000000000 "
                                "00000100 00000001 00000000 00000001     eth0\n");
    assert_int_equal(dn_linux_routers(root, found, 3, interface), 2);
    assert_string_equal(found[0], "192.168.1.1");
    assert_string_equal(found[1], "fe80::1");
    assert_string_equal(interface, "wlan0");
    assert_int_equal(dn_linux_routers(root, found, 1, interface), 1);
}

static void traffic(void **state)
{
    uint64_t tx = 0;
    uint64_t rx = 0;
    (void)state;
    assert_false(dn_linux_traffic(root, NULL, &tx, &rx));
    put("/proc/net/dev", "Inter-|   Receive                                                |  Transmit\n"
                         " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets "
                         "errs drop fifo colls carrier "
                         "compressed\n"
                         "    lo: 111 1 0 0 0 0 0 0 111 1 0 0 0 0 0 0\n"
                         "  eth0: 5000000000 10 0 0 0 0 0 0 700 10 0 0 0 0 0 0\n"
                         " wlan0:30 10 0 0 0 0 0 0 4 10 0 0 0 0 0 0\n");
    assert_true(dn_linux_traffic(root, "eth0", &tx, &rx));
    assert_true(rx == 5000000000 && tx == 700);
    assert_true(dn_linux_traffic(root, "", &tx, &rx));
    assert_true(rx == 5000000030 && tx == 704);
    assert_true(dn_linux_traffic(root, "lo", &tx, &rx));
    assert_true(rx == 111 && tx == 111);
    assert_false(dn_linux_traffic(root, "eth1", &tx, &rx));
}

static void radio(void **state)
{
    int dbm = 0;
    int quality = 0;
    (void)state;
    assert_false(dn_linux_is_wireless(root, "wlan0"));
    assert_false(dn_linux_signal(root, "wlan0", &dbm, &quality));
    put("/sys/class/net/wlan0/wireless/x", "");
    put("/proc/net/wireless",
        "Inter-| sta-|   Quality\n face | tus | link level noise\n"
        " wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0\n");
    assert_true(dn_linux_is_wireless(root, "wlan0"));
    assert_true(dn_linux_signal(root, "wlan0", &dbm, &quality));
    assert_int_equal(dbm, -56);
    assert_int_equal(quality, 54);
    assert_false(dn_linux_signal(root, "eth0", &dbm, &quality));
}

static void battery(void **state)
{
    static const struct {
        const char *word;
        int status;
    } rows[] = {
        {"Charging\n", DN_LINUX_BATTERY_CHARGING},   {"Full\n", DN_LINUX_BATTERY_FULL},
        {"Not charging\n", DN_LINUX_BATTERY_NORMAL}, {"Discharging\n", DN_LINUX_BATTERY_NORMAL},
        {"Odd\n", DN_LINUX_BATTERY_UNKNOWN},
    };
    dn_linux_battery found;
    (void)state;
    assert_false(dn_linux_battery_read(root, &found));
    put("/sys/class/power_supply/AC/type", "Mains\n");
    assert_false(dn_linux_battery_read(root, &found));
    put("/sys/class/power_supply/BAT0/type", "Battery\n");
    assert_false(dn_linux_battery_read(root, &found));
    put("/sys/class/power_supply/BAT0/capacity", "87\n");
    put("/sys/class/power_supply/BAT0/voltage_now", "11930000\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put("/sys/class/power_supply/BAT0/status", rows[i].word);
        assert_true(dn_linux_battery_read(root, &found));
        assert_int_equal(found.status, rows[i].status);
        assert_int_equal(found.percent, 87);
        assert_int_equal(found.voltage_mv, 11930);
        assert_int_equal(found.current_ma, 0);
    }
}

static void memory(void **state)
{
    int64_t total = 0;
    int64_t available = 0;
    (void)state;
    assert_false(dn_linux_memory(root, &total, &available));
    put("/proc/meminfo",
        "MemTotal:       16318480 kB\nMemFree:          612520 kB\nMemAvailable:    9618480 kB\n");
    assert_true(dn_linux_memory(root, &total, &available));
    assert_true(total == 16318480 && available == 9618480);
}

/* Whatever machine it is: what is given is an address, and the loopback is up. */
static void own_addresses(void **state)
{
    dn_linux_ip found[2];
    const size_t count = dn_linux_addresses(found, 2);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(strpbrk(found[i], ".:") != NULL);
    }
    assert_int_equal(dn_linux_addresses(found, 0), 0);
}

static void way_to_a_host(void **state)
{
    char interface[DN_LINUX_INTERFACE_MAX] = "";
    (void)state;
    assert_true(dn_linux_interface_to("127.0.0.1", interface));
    assert_string_equal(interface, "lo");
    assert_false(dn_linux_interface_to("no such host", interface));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routers),       cmocka_unit_test(traffic), cmocka_unit_test(radio),
        cmocka_unit_test(battery),       cmocka_unit_test(memory),  cmocka_unit_test(own_addresses),
        cmocka_unit_test(way_to_a_host),
    };
    return cmocka_run_group_tests_name("linux", tests, make_root, remove_root);
}
