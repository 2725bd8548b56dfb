// SPDX-License-Identifier: Apache-2.0
#include "CArchive.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *library;

static void load(void) { library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL); }

/// Ends the process where the library or the function is missing: it is a dependency like one that is linked.
static void *function(const char *name) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    void *found = library ? dlsym(library, name) : NULL;
    if (found) return found;
    fprintf(stderr, "cupel: error: libarchive cannot be loaded: %s\ncupel: hint: install libarchive13\n", dlerror());
    _Exit(2);
}

// A function of libarchive's name and type, which looks for the real one when it is first called. Two threads that do so
// at once find the same.
#define FORWARD(RESULT, NAME, PARAMETERS, ARGUMENTS)                                      \
    __attribute__((visibility("hidden"))) RESULT NAME PARAMETERS {                        \
        static RESULT(*_Atomic found) PARAMETERS;                                         \
        RESULT(*real) PARAMETERS = found;                                                 \
        if (!real) found = real = (RESULT(*) PARAMETERS)function(#NAME);                  \
        return real ARGUMENTS;                                                            \
    }
#define OF_ARCHIVE(RESULT, NAME) FORWARD(RESULT, NAME, (struct archive * a), (a))
#define OF_ENTRY(RESULT, NAME) FORWARD(RESULT, NAME, (struct archive_entry * e), (e))

FORWARD(struct archive *, archive_read_new, (void), ())
FORWARD(struct archive *, archive_write_new, (void), ())
FORWARD(struct archive_entry *, archive_entry_new, (void), ())

OF_ARCHIVE(int, archive_errno)
OF_ARCHIVE(const char *, archive_error_string)
OF_ARCHIVE(int, archive_read_free)
OF_ARCHIVE(int, archive_read_support_format_raw)
OF_ARCHIVE(int, archive_read_support_format_tar)
OF_ARCHIVE(int, archive_read_support_format_zip_seekable)
OF_ARCHIVE(int, archive_write_add_filter_gzip)
OF_ARCHIVE(int, archive_write_add_filter_zstd)
OF_ARCHIVE(int, archive_write_close)
OF_ARCHIVE(int, archive_write_free)
OF_ARCHIVE(int, archive_write_set_format_pax_restricted)

FORWARD(la_int64_t, archive_filter_bytes, (struct archive * a, int n), (a, n))
FORWARD(int, archive_read_append_filter, (struct archive * a, int code), (a, code))
FORWARD(int, archive_read_data_block, (struct archive * a, const void **buffer, size_t *size, la_int64_t *offset),
        (a, buffer, size, offset))
FORWARD(int, archive_read_next_header, (struct archive * a, struct archive_entry **entry), (a, entry))
FORWARD(int, archive_read_open,
        (struct archive * a, void *context, archive_open_callback *opened, archive_read_callback *read,
         archive_close_callback *closed),
        (a, context, opened, read, closed))
FORWARD(int, archive_read_open_fd, (struct archive * a, int fd, size_t size), (a, fd, size))
FORWARD(la_ssize_t, archive_write_data, (struct archive * a, const void *bytes, size_t count), (a, bytes, count))
FORWARD(int, archive_write_header, (struct archive * a, struct archive_entry *entry), (a, entry))
FORWARD(int, archive_write_open,
        (struct archive * a, void *context, archive_open_callback *opened, archive_write_callback *write,
         archive_close_callback *closed),
        (a, context, opened, write, closed))
FORWARD(int, archive_write_set_bytes_per_block, (struct archive * a, int size), (a, size))
FORWARD(int, archive_write_set_filter_option,
        (struct archive * a, const char *module, const char *option, const char *value), (a, module, option, value))

OF_ENTRY(__LA_MODE_T, archive_entry_filetype)
OF_ENTRY(void, archive_entry_free)
OF_ENTRY(const char *, archive_entry_hardlink)
OF_ENTRY(int, archive_entry_is_encrypted)
OF_ENTRY(const char *, archive_entry_pathname)
OF_ENTRY(__LA_MODE_T, archive_entry_perm)
OF_ENTRY(la_int64_t, archive_entry_size)
OF_ENTRY(int, archive_entry_size_is_set)
OF_ENTRY(const char *, archive_entry_symlink)

FORWARD(void, archive_entry_set_filetype, (struct archive_entry * e, unsigned int type), (e, type))
FORWARD(void, archive_entry_set_mtime, (struct archive_entry * e, time_t seconds, long nanoseconds),
        (e, seconds, nanoseconds))
FORWARD(void, archive_entry_set_pathname_utf8, (struct archive_entry * e, const char *name), (e, name))
FORWARD(void, archive_entry_set_perm, (struct archive_entry * e, __LA_MODE_T mode), (e, mode))
FORWARD(void, archive_entry_set_size, (struct archive_entry * e, la_int64_t size), (e, size))
FORWARD(void, archive_entry_set_symlink_utf8, (struct archive_entry * e, const char *target), (e, target))
