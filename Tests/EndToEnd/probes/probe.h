// SPDX-License-Identifier: Apache-2.0
// What a probe is: something that a build tries, and that must be refused to it. A group of probes is one file that
// defines `probes`; main.c runs them.
#ifndef PROBE_H
#define PROBE_H
#include <stddef.h>

struct probe {
    const char *name;
    // Returns 0 where it reached what it wanted, -1 with errno where that was refused, 1 after `absent`.
    int (*run)(void);
};

// Ends with a name that is NULL.
extern const struct probe probes[];

// What the test calls `key`; ends the probe where there is no such thing.
const char *target(const char *key);
int number(const char *key);

// Says what was reached; returns 0.
int reached(const char *format, ...);
// Says that this machine has no such thing to reach; returns 1.
int absent(const char *what);
// Refused with this number; returns -1.
int refused(int code);

// Opens and closes a file; 0 or -1.
int try_open(const char *path, int flags);
// Makes a file in a folder, and removes it; 0 or -1.
int try_create(const char *folder);
// Whether the file holds the text: 0, or -1, with ENOMSG where it holds another.
int try_find(const char *path, const char *text);
// A text from parts, valid until the next ten calls.
char *joined(const char *format, ...);
#endif
