// SPDX-License-Identifier: Apache-2.0
// A library for LD_PRELOAD that makes chosen calls below one folder fail as a sick disk makes them fail.
//
//   FAULT_FOLDER   absolute path; calls on other files are left alone
//   FAULT_CONTROL  a file of CONTROL_SIZE bytes, shared with whoever decides what fails (see faults.py)
//
// Calls of the chosen kinds are counted while the control is on, and written down in the journal: with the new path
// where there are two. The call numbered
// `target` fails with `error`, and each `every`th from there on, `times` in all; a write with `error` 0 takes half of its
// bytes.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPEN, CREATE, WRITE, SYNC, RENAME, MKDIR, REMOVE, LINK, TRUNCATE, MODE, COPY, READ, LIST };

struct entry {
    uint32_t kind;
    char path[124];
};

#define ENTRIES 16384

struct control {
    _Atomic uint32_t on;
    int32_t error;
    uint32_t kinds;
    uint32_t times;
    uint64_t target;
    _Atomic uint64_t count;
    _Atomic uint64_t fired;
    uint32_t every;
    char part[84];  // only paths that contain this
    struct entry journal[ENTRIES];
};

static struct control *control;
static char folder[PATH_MAX];
static size_t folder_length;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULT_CONTROL"), *below = getenv("FAULT_FOLDER");
    if (!path || !below || strlen(below) >= sizeof folder) return;
    strcpy(folder, below);
    folder_length = strlen(folder);
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int descriptor = real(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (map != MAP_FAILED) control = map;
    close(descriptor);
}

static const char *path_of(int descriptor, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return buffer;
}

enum verdict { PASS, FAIL, HALF };

// Counts a call and says what becomes of it; errno is set where it fails.
static enum verdict judge(enum kind kind, const char *path) {
    if (!control || !path || !atomic_load(&control->on) || !(control->kinds >> kind & 1)) return PASS;
    if (strncmp(path, folder, folder_length) || (path[folder_length] && path[folder_length] != '/')) return PASS;
    if (control->part[0] && !strstr(path, control->part)) return PASS;
    uint64_t number = atomic_fetch_add(&control->count, 1) + 1;
    if (number <= ENTRIES) {
        struct entry *entry = &control->journal[number - 1];
        entry->kind = kind;
        snprintf(entry->path, sizeof entry->path, "%s", path + folder_length);
    }
    uint64_t since = number - control->target;
    if (!control->target || number < control->target || since % control->every || since / control->every >= control->times)
        return PASS;
    atomic_fetch_add(&control->fired, 1);
    if (!control->error) return HALF;
    errno = control->error;
    return FAIL;
}

static enum verdict judge_at(enum kind kind, int at, const char *path) {
    if (!control || !atomic_load(&control->on)) return PASS;
    if (path[0] == '/' || at == AT_FDCWD) return judge(kind, path);
    char base[PATH_MAX], whole[2 * PATH_MAX];
    if (!path_of(at, base)) return PASS;
    snprintf(whole, sizeof whole, "%s/%s", base, path);
    return judge(kind, whole);
}

static enum verdict judge_descriptor(enum kind kind, int descriptor) {
    char buffer[PATH_MAX];
    if (!control || !atomic_load(&control->on)) return PASS;
    int before = errno;
    const char *path = path_of(descriptor, buffer);
    errno = before;
    return judge(kind, path);
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
        } \
        if (judge_at(flags & O_CREAT ? CREATE : OPEN, AT_FDCWD, path) == FAIL) return -1; \
        return real(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
    int name(int at, const char *path, int flags, ...) { \
        REAL(name); \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
        } \
        if (judge_at(flags & O_CREAT ? CREATE : OPEN, at, path) == FAIL) return -1; \
        return real(at, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

int creat(const char *path, mode_t mode) {
    REAL(creat);
    return judge_at(CREATE, AT_FDCWD, path) == FAIL ? -1 : real(path, mode);
}

// Half of the bytes, but at least one.
static size_t half(size_t count) { return count > 1 ? count / 2 : count; }

#define WRITES(name, kind, result, parameters, arguments, halved) \
    result name parameters { \
        REAL(name); \
        switch (judge_descriptor(kind, descriptor)) { \
        case FAIL: return -1; \
        case HALF: return real halved; \
        default: return real arguments; \
        } \
    }
#define PLACE int descriptor, const void *bytes, size_t count
WRITES(write, WRITE, ssize_t, (PLACE), (descriptor, bytes, count), (descriptor, bytes, half(count)))
WRITES(pwrite, WRITE, ssize_t, (PLACE, off_t at), (descriptor, bytes, count, at), (descriptor, bytes, half(count), at))
WRITES(pwrite64, WRITE, ssize_t, (PLACE, off64_t at), (descriptor, bytes, count, at),
       (descriptor, bytes, half(count), at))
#define VECTOR int descriptor, const struct iovec *vector, int count
WRITES(writev, WRITE, ssize_t, (VECTOR), (descriptor, vector, count), (descriptor, vector, count > 1 ? count / 2 : count))
WRITES(pwritev, WRITE, ssize_t, (VECTOR, off_t at), (descriptor, vector, count, at),
       (descriptor, vector, count > 1 ? count / 2 : count, at))
WRITES(read, READ, ssize_t, (int descriptor, void *bytes, size_t count), (descriptor, bytes, count),
       (descriptor, bytes, half(count)))
WRITES(pread, READ, ssize_t, (int descriptor, void *bytes, size_t count, off_t at), (descriptor, bytes, count, at),
       (descriptor, bytes, half(count), at))
WRITES(pread64, READ, ssize_t, (int descriptor, void *bytes, size_t count, off64_t at), (descriptor, bytes, count, at),
       (descriptor, bytes, half(count), at))

#define ON_DESCRIPTOR(name, kind, parameters, arguments) \
    int name parameters { \
        REAL(name); \
        return judge_descriptor(kind, descriptor) == FAIL ? -1 : real arguments; \
    }
ON_DESCRIPTOR(fsync, SYNC, (int descriptor), (descriptor))
ON_DESCRIPTOR(fdatasync, SYNC, (int descriptor), (descriptor))
ON_DESCRIPTOR(ftruncate, TRUNCATE, (int descriptor, off_t length), (descriptor, length))
ON_DESCRIPTOR(ftruncate64, TRUNCATE, (int descriptor, off64_t length), (descriptor, length))
ON_DESCRIPTOR(fchmod, MODE, (int descriptor, mode_t mode), (descriptor, mode))

// These answer with the error instead of setting errno.
#define ALLOCATES(name, offset) \
    int name(int descriptor, offset start, offset length) { \
        REAL(name); \
        return judge_descriptor(TRUNCATE, descriptor) == FAIL ? errno : real(descriptor, start, length); \
    }
ALLOCATES(posix_fallocate, off_t)
ALLOCATES(posix_fallocate64, off64_t)

#define ON_PATH(name, kind, parameters, arguments) \
    int name parameters { \
        REAL(name); \
        return judge_at(kind, AT_FDCWD, path) == FAIL ? -1 : real arguments; \
    }
ON_PATH(rename, RENAME, (const char *from, const char *path), (from, path))
ON_PATH(mkdir, MKDIR, (const char *path, mode_t mode), (path, mode))
ON_PATH(unlink, REMOVE, (const char *path), (path))
ON_PATH(rmdir, REMOVE, (const char *path), (path))
ON_PATH(link, LINK, (const char *from, const char *path), (from, path))
ON_PATH(chmod, MODE, (const char *path, mode_t mode), (path, mode))

#define ON_PATH_AT(name, kind, parameters, arguments) \
    int name parameters { \
        REAL(name); \
        return judge_at(kind, at, path) == FAIL ? -1 : real arguments; \
    }
ON_PATH_AT(renameat, RENAME, (int from, const char *name, int at, const char *path), (from, name, at, path))
ON_PATH_AT(renameat2, RENAME, (int from, const char *name, int at, const char *path, unsigned int flags),
           (from, name, at, path, flags))
ON_PATH_AT(mkdirat, MKDIR, (int at, const char *path, mode_t mode), (at, path, mode))
ON_PATH_AT(unlinkat, REMOVE, (int at, const char *path, int flags), (at, path, flags))
ON_PATH_AT(linkat, LINK, (int from, const char *name, int at, const char *path, int flags),
           (from, name, at, path, flags))

DIR *opendir(const char *path) {
    REAL(opendir);
    return judge_at(LIST, AT_FDCWD, path) == FAIL ? NULL : real(path);
}

ssize_t sendfile(int to, int descriptor, off_t *at, size_t count) {
    REAL(sendfile);
    switch (judge_descriptor(COPY, descriptor)) {
    case FAIL: return -1;
    case HALF: return real(to, descriptor, at, half(count));
    default: return real(to, descriptor, at, count);
    }
}

ssize_t sendfile64(int to, int descriptor, off64_t *at, size_t count) {
    REAL(sendfile64);
    switch (judge_descriptor(COPY, descriptor)) {
    case FAIL: return -1;
    case HALF: return real(to, descriptor, at, half(count));
    default: return real(to, descriptor, at, count);
    }
}

ssize_t copy_file_range(int from, off64_t *at, int descriptor, off64_t *to, size_t count, unsigned int flags) {
    REAL(copy_file_range);
    switch (judge_descriptor(COPY, descriptor)) {
    case FAIL: return -1;
    case HALF: return real(from, at, descriptor, to, half(count), flags);
    default: return real(from, at, descriptor, to, count, flags);
    }
}
