/* SPDX-License-Identifier: Apache-2.0 */
/* Reads /sys/class/power_supply and /proc/meminfo. */
#include "port/linux_power.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUPPLIES       "/sys/class/power_supply"
#define WORD_MAX       32
#define MICRO_TO_MILLI 1000
#define PERCENT_MAX    100

/* The first word of a file of one supply. */
static bool read_word(const char *root, const char *supply, const char *file, char out[WORD_MAX])
{
    char path[PATH_MAX];
    const int len = snprintf(path, sizeof path, "%s" SUPPLIES "/%s/%s", root, supply, file);
    FILE *in = len > 0 && (size_t)len < sizeof path ? fopen(path, "r") : NULL;
    const bool good = in != NULL && fscanf(in, "%31s", out) == 1;
    if (in != NULL) {
        (void)fclose(in);
    }
    return good;
}

static long read_number(const char *root, const char *supply, const char *file, long otherwise)
{
    char word[WORD_MAX];
    return read_word(root, supply, file, word) ? strtol(word, NULL, 10) : otherwise;
}

static int status_of(const char *word)
{
    static const struct {
        const char *word;
        int status;
    } rows[] = {
        {"Charging", DN_LINUX_BATTERY_CHARGING},
        {"Full", DN_LINUX_BATTERY_FULL},
        {"Discharging", DN_LINUX_BATTERY_NORMAL},
        {"Not", DN_LINUX_BATTERY_NORMAL}, /* "Not charging" */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].word, word) == 0) {
            return rows[i].status;
        }
    }
    return DN_LINUX_BATTERY_UNKNOWN;
}

static bool read_supply(const char *root, const char *supply, dn_linux_battery *out)
{
    char word[WORD_MAX];
    if (!read_word(root, supply, "type", word) || strcmp(word, "Battery") != 0) {
        return false;
    }
    const long percent = read_number(root, supply, "capacity", -1);
    if (percent < 0) {
        return false;
    }
    out->percent = percent > PERCENT_MAX ? PERCENT_MAX : (int)percent;
    out->status = read_word(root, supply, "status", word) ? status_of(word) : DN_LINUX_BATTERY_UNKNOWN;
    out->voltage_mv = (int32_t)(read_number(root, supply, "voltage_now", 0) / MICRO_TO_MILLI);
    out->current_ma = (int32_t)(read_number(root, supply, "current_now", 0) / MICRO_TO_MILLI);
    return true;
}

bool dn_linux_battery_read(const char *root, dn_linux_battery *out)
{
    char path[PATH_MAX];
    bool found = false;
    const int len = snprintf(path, sizeof path, "%s" SUPPLIES, root);
    DIR *supplies = len > 0 && (size_t)len < sizeof path ? opendir(path) : NULL;
    for (const struct dirent *at = NULL; supplies != NULL && !found && (at = readdir(supplies)) != NULL;) {
        found = at->d_name[0] != '.' && read_supply(root, at->d_name, out);
    }
    if (supplies != NULL) {
        (void)closedir(supplies);
    }
    return found;
}

bool dn_linux_memory(const char *root, int64_t *total_kb, int64_t *free_kb)
{
    char line[128];
    char path[PATH_MAX];
    long long number = 0;
    int found = 0;
    const int len = snprintf(path, sizeof path, "%s/proc/meminfo", root);
    FILE *in = len > 0 && (size_t)len < sizeof path ? fopen(path, "r") : NULL;
    while (in != NULL && found < 2 && fgets(line, sizeof line, in) != NULL) {
        char name[sizeof line];
        /* NOLINTNEXTLINE(cert-err34-c): the kernel writes this number */
        if (sscanf(line, "%[^:]: %lld", name, &number) != 2) {
            continue;
        }
        int64_t *wanted = strcmp(name, "MemTotal") == 0       ? total_kb
                          : strcmp(name, "MemAvailable") == 0 ? free_kb
                                                              : NULL;
        if (wanted != NULL) {
            *wanted = number;
            found++;
        }
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    return found == 2;
}
