/* SPDX-License-Identifier: Apache-2.0
 *
 * A plug-in of QEMU's user mode (Debian's qemu-user) that counts the user instructions of a program: exactly, without a
 * performance counter, and undisturbed by what else the machine does. Prints one number to standard error.
 *
 * The interface is QEMU's qemu-plugin.h, version 1; Debian has no package with it, so that the few declarations that are
 * used stand here.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int add, void *counter, uint64_t amount);
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = 1;

/* One counter a block, since blocks of several threads count at once and a sum would lose some. */
struct block {
    uint64_t instructions, executions;
    struct block *next;
};
static struct block *blocks;

static void translated(plugin_id id, struct qemu_plugin_tb *tb) {
    (void)id;
    struct block *block = calloc(1, sizeof *block);
    if (block == NULL) abort();
    block->instructions = qemu_plugin_tb_n_insns(tb);
    do block->next = blocks;
    while (!__sync_bool_compare_and_swap(&blocks, block->next, block));
    qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, &block->executions, 1);
}

static void ended(plugin_id id, void *unused) {
    (void)id, (void)unused;
    uint64_t sum = 0;
    for (const struct block *block = blocks; block; block = block->next) sum += block->instructions * block->executions;
    fprintf(stderr, "%llu\n", (unsigned long long)sum);
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
