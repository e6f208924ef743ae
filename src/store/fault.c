/* SPDX-License-Identifier: Apache-2.0 */
/* A failing file system: SQLite's methods with a countdown before those that change something. */
#include "store/fault.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

/* The system's file follows in the same memory. */
typedef struct {
    sqlite3_file base;
    sqlite3_file *real;
} fault_file;

/* Test support has to share this with SQLite's callbacks, which carry no context of ours; two threads use it.
 */
static _Atomic int64_t countdown = INT64_MAX;
static _Atomic fault_kind kind_now;
static _Atomic bool happened;

void fault_arm(int64_t at, fault_kind kind)
{
    atomic_store(&kind_now, kind);
    atomic_store(&happened, false);
    atomic_store(&countdown, at);
}

bool fault_happened(void)
{
    return atomic_load(&happened);
}

static bool fails(void)
{
    if (atomic_fetch_sub(&countdown, 1) > 0) {
        return false;
    }
    atomic_store(&happened, true);
    return true;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((fault_file *)(void *)file)->real;
}

static int file_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *out, int count, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), out, count, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    if (fails()) {
        return atomic_load(&kind_now) == FAULT_DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, count, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return fails() ? SQLITE_IOERR_TRUNCATE : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    return fails() ? SQLITE_IOERR_FSYNC : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int file_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    sqlite3_vfs *real = vfs->pAppData;
    fault_file *f = (fault_file *)(void *)file;
    f->real = (sqlite3_file *)(void *)(f + 1);
    f->real->pMethods = NULL;
    int result = real->xOpen(real, name, f->real, flags, out_flags);
    f->base.pMethods = f->real->pMethods != NULL ? &methods : NULL;
    return result;
}

bool fault_register(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    if (real == NULL) {
        return false;
    }
    /* Everything but opening is the system's, which ignores which structure it is called with. */
    vfs = *real;
    vfs.zName = FAULT_VFS;
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(fault_file) + real->szOsFile;
    vfs.pAppData = real;
    vfs.xOpen = vfs_open;
    return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
}
