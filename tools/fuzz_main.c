/* SPDX-License-Identifier: Apache-2.0 */
/* Replays files and folders of inputs through a libFuzzer entry point, for compilers and
 * builds without libFuzzer. Exits 0 when every input was read and ran to its end. A folder
 * that does not exist counts as an empty corpus; a named file must exist. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX_BYTES (16u * 1024u * 1024u)
#define PATH_MAX_BYTES  4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    /* The buffer has exactly the input's size, so that a sanitizer sees a read past it. */
    int result = -1;
    uint8_t *data = NULL;
    long size = -1;
    if (fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
    }
    if (size >= 0 && (unsigned long)size <= INPUT_MAX_BYTES) {
        rewind(file);
        data = malloc(size > 0 ? (size_t)size : 1);
        if (data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size) {
            (void)LLVMFuzzerTestOneInput(data, (size_t)size);
            result = 1;
        }
    }
    if (result < 0) {
        fprintf(stderr, "%s: cannot be read as an input\n", path);
    }
    free(data);
    (void)fclose(file);
    return result;
}

static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        perror(path);
        return -1;
    }
    int count = 0;
    const struct dirent *entry;
    while (count >= 0 && (entry = readdir(folder)) != NULL) {
        char child[PATH_MAX_BYTES];
        int length = snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        struct stat info;
        if (entry->d_name[0] == '.' || length < 0 || (size_t)length >= sizeof child) {
            continue;
        }
        if (stat(child, &info) == 0 && S_ISREG(info.st_mode)) {
            int result = replay_file(child);
            count = result < 0 ? -1 : count + result;
        }
    }
    (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int index = 1; index < argc; index++) {
        struct stat info;
        int result;
        if (stat(argv[index], &info) != 0) {
            printf("%s: no corpus yet\n", argv[index]);
            continue;
        }
        result = S_ISDIR(info.st_mode) ? replay_folder(argv[index]) : replay_file(argv[index]);
        if (result < 0) {
            return EXIT_FAILURE;
        }
        total += result;
    }
    printf("%d inputs replayed\n", total);
    return EXIT_SUCCESS;
}
