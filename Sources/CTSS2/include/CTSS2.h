// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A TPM 2.0 by way of the TCG's software stack (tpm2-tss). Its libraries are not linked: they are loaded when a TPM is
/// asked, so that whoever verifies needs none. Each function is one or a few commands of the TPM; each returns 0, or a
/// response code that `ctss2_describe` puts into words.

struct ctss2;

/// Own codes, in a layer (bits 16 to 23) that the stack leaves to others.
enum {
    CTSS2_LIBRARY_MISSING = 0x00F10001,
    CTSS2_TOO_LARGE = 0x00F10002,
    CTSS2_BANK_MISSING = 0x00F10003,
    CTSS2_MEMORY = 0x00F10004,
};

/// Opens the TPM that `tcti` names: "device:/dev/tpmrm0", "swtpm:path=…". `esys` is the file name of the ESYS library.
/// On failure nothing is left open, and `*missing` names the library or function that was not found, if that was it.
uint32_t ctss2_open(const char *esys, const char *tcti, struct ctss2 **tpm, const char **missing);

/// Flushes and frees whatever is loaded.
void ctss2_close(struct ctss2 *tpm);

/// What a response code means, cut to `size`.
void ctss2_describe(uint32_t code, char *text, size_t size);

/// Whether there is an NV index or a persistent key of this handle.
uint32_t ctss2_has(struct ctss2 *tpm, uint32_t handle, bool *found);

/// Reads a whole NV index. `*size` is what there is room for, then what was read.
uint32_t ctss2_nv_read(struct ctss2 *tpm, uint32_t index, uint8_t *bytes, size_t *size);

/// Uses a persistent key. The key that was used before is dropped.
uint32_t ctss2_use_persistent(struct ctss2 *tpm, uint32_t handle);

/// Makes a primary key of the endorsement hierarchy from a template, a TPMT_PUBLIC, and uses it.
uint32_t ctss2_create_primary(struct ctss2 *tpm, const uint8_t *template, size_t size);

/// The TPMT_PUBLIC of the key in use. `*size` as above.
uint32_t ctss2_read_public(struct ctss2 *tpm, uint8_t *bytes, size_t *size);

/// The values of the selected registers (bit i of `registers`, 24 bits) of a bank, one after the other.
uint32_t ctss2_read_registers(struct ctss2 *tpm, uint16_t bank, uint32_t registers, uint8_t *values, size_t *size);

struct ctss2_quote {
    /// TPMS_ATTEST.
    uint8_t message[2048];
    size_t message_size;
    /// TPMT_SIGNATURE.
    uint8_t signature[2048];
    size_t signature_size;
};

/// TPM2_Quote by the key in use, over the caller's bytes and the selected registers.
uint32_t ctss2_make_quote(
    struct ctss2 *tpm, const uint8_t *data, size_t data_size, uint16_t bank, uint32_t registers,
    struct ctss2_quote *quote);
