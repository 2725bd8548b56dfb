// SPDX-License-Identifier: Apache-2.0
#include "CTSS2.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

// What is needed of each library.
#define ESYS(X)                                                                                                  \
    X(Esys_Initialize) X(Esys_Finalize) X(Esys_Free) X(Esys_TR_FromTPMPublic) X(Esys_TR_Close) X(Esys_FlushContext) \
    X(Esys_GetCapability) X(Esys_NV_ReadPublic) X(Esys_NV_Read) X(Esys_ReadPublic) X(Esys_CreatePrimary)          \
    X(Esys_PCR_Read) X(Esys_Quote)
#define MU(X) X(Tss2_MU_TPMT_PUBLIC_Marshal) X(Tss2_MU_TPMT_PUBLIC_Unmarshal) X(Tss2_MU_TPMT_SIGNATURE_Marshal)
#define TCTI(X) X(Tss2_TctiLdr_Initialize) X(Tss2_TctiLdr_Finalize)

struct ctss2 {
#define FIELD(name) __typeof__(name) *name;
    ESYS(FIELD) MU(FIELD) TCTI(FIELD)
#undef FIELD
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
    ESYS_TR key;
    bool key_is_transient;
};

// Many TPMs take no more at one time.
enum { nv_chunk = 512 };

// The libraries stay loaded: they keep state of their own for as long as the process lives.
static const char *load(struct ctss2 *tpm, const char *esys) {
    void *library = dlopen(esys, RTLD_NOW | RTLD_LOCAL);
    if (!library) return esys;
#define LOOK_UP(name) \
    if (!(tpm->name = (__typeof__(name) *)dlsym(library, #name))) return #name;
    ESYS(LOOK_UP)
    if (!(library = dlopen("libtss2-mu.so.0", RTLD_NOW | RTLD_LOCAL))) return "libtss2-mu.so.0";
    MU(LOOK_UP)
    if (!(library = dlopen("libtss2-tctildr.so.0", RTLD_NOW | RTLD_LOCAL))) return "libtss2-tctildr.so.0";
    TCTI(LOOK_UP)
#undef LOOK_UP
    return NULL;
}

uint32_t ctss2_open(const char *esys, const char *tcti, struct ctss2 **result, const char **missing) {
    *result = NULL;
    *missing = NULL;
    struct ctss2 *tpm = calloc(1, sizeof *tpm);
    if (!tpm) return CTSS2_MEMORY;
    tpm->key = ESYS_TR_NONE;
    // The libraries print each error themselves, unless told not to; ours are thrown.
    setenv("TSS2_LOG", "all+none", 0);
    if ((*missing = load(tpm, esys))) {
        free(tpm);
        return CTSS2_LIBRARY_MISSING;
    }
    TSS2_RC status = tpm->Tss2_TctiLdr_Initialize(tcti, &tpm->tcti);
    if (status == TSS2_RC_SUCCESS) status = tpm->Esys_Initialize(&tpm->esys, tpm->tcti, NULL);
    if (status != TSS2_RC_SUCCESS) {
        if (tpm->tcti) tpm->Tss2_TctiLdr_Finalize(&tpm->tcti);
        free(tpm);
        return status;
    }
    *result = tpm;
    return TSS2_RC_SUCCESS;
}

static void drop_key(struct ctss2 *tpm) {
    if (tpm->key == ESYS_TR_NONE) return;
    if (tpm->key_is_transient) tpm->Esys_FlushContext(tpm->esys, tpm->key);
    else tpm->Esys_TR_Close(tpm->esys, &tpm->key);
    tpm->key = ESYS_TR_NONE;
}

void ctss2_close(struct ctss2 *tpm) {
    if (!tpm) return;
    drop_key(tpm);
    tpm->Esys_Finalize(&tpm->esys);
    tpm->Tss2_TctiLdr_Finalize(&tpm->tcti);
    free(tpm);
}

// The stack's own words; NULL where the library that has them is absent.
static const char *decode(uint32_t code) {
    void *library = dlopen("libtss2-rc.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return NULL;
    __typeof__(Tss2_RC_Decode) *decode = (__typeof__(Tss2_RC_Decode) *)dlsym(library, "Tss2_RC_Decode");
    return decode ? decode(code) : NULL;
}

void ctss2_describe(uint32_t code, char *text, size_t size) {
    const char *words = NULL;
    switch (code) {
    case CTSS2_TOO_LARGE: words = "it has more bytes than are read"; break;
    case CTSS2_BANK_MISSING: words = "the TPM keeps no registers of this bank"; break;
    case CTSS2_MEMORY: words = "there is no memory left"; break;
    default: words = decode(code);
    }
    if (words) snprintf(text, size, "%s", words);
    else snprintf(text, size, "response code 0x%x", code);
}

uint32_t ctss2_has(struct ctss2 *tpm, uint32_t handle, bool *found) {
    TPMI_YES_NO more;
    TPMS_CAPABILITY_DATA *data = NULL;
    TSS2_RC status = tpm->Esys_GetCapability(
        tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, handle, 1, &more, &data);
    if (status != TSS2_RC_SUCCESS) return status;
    // The first handle that is not smaller.
    *found = data->data.handles.count > 0 && data->data.handles.handle[0] == handle;
    tpm->Esys_Free(data);
    return status;
}

static TSS2_RC read_index(
    struct ctss2 *tpm, ESYS_TR index, ESYS_TR authority, size_t size, uint8_t *bytes) {
    for (size_t offset = 0; offset < size;) {
        size_t left = size - offset;
        TPM2B_MAX_NV_BUFFER *chunk = NULL;
        TSS2_RC status = tpm->Esys_NV_Read(
            tpm->esys, authority, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
            (UINT16)(left < nv_chunk ? left : nv_chunk), (UINT16)offset, &chunk);
        if (status != TSS2_RC_SUCCESS) return status;
        size_t got = chunk->size;
        if (got > 0 && got <= left) memcpy(bytes + offset, chunk->buffer, got);
        tpm->Esys_Free(chunk);
        if (got == 0 || got > left) return CTSS2_TOO_LARGE;
        offset += got;
    }
    return TSS2_RC_SUCCESS;
}

static TSS2_RC read_with_any_authority(struct ctss2 *tpm, ESYS_TR index, uint8_t *bytes, size_t *size) {
    TPM2B_NV_PUBLIC *description = NULL;
    TPM2B_NAME *name = NULL;
    TSS2_RC status = tpm->Esys_NV_ReadPublic(
        tpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &description, &name);
    if (status != TSS2_RC_SUCCESS) return status;
    size_t present = description->nvPublic.dataSize;
    TPMA_NV attributes = description->nvPublic.attributes;
    tpm->Esys_Free(description);
    tpm->Esys_Free(name);
    if (present > *size) return CTSS2_TOO_LARGE;
    *size = present;
    status = TPM2_RC_NV_AUTHORIZATION;
    if (attributes & TPMA_NV_OWNERREAD) status = read_index(tpm, index, ESYS_TR_RH_OWNER, present, bytes);
    if (status != TSS2_RC_SUCCESS && (attributes & TPMA_NV_AUTHREAD)) {
        status = read_index(tpm, index, index, present, bytes);
    }
    return status;
}

uint32_t ctss2_nv_read(struct ctss2 *tpm, uint32_t handle, uint8_t *bytes, size_t *size) {
    ESYS_TR index = ESYS_TR_NONE;
    TSS2_RC status =
        tpm->Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &index);
    if (status != TSS2_RC_SUCCESS) return status;
    status = read_with_any_authority(tpm, index, bytes, size);
    tpm->Esys_TR_Close(tpm->esys, &index);
    return status;
}

uint32_t ctss2_use_persistent(struct ctss2 *tpm, uint32_t handle) {
    drop_key(tpm);
    tpm->key_is_transient = false;
    return tpm->Esys_TR_FromTPMPublic(
        tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &tpm->key);
}

uint32_t ctss2_create_primary(struct ctss2 *tpm, const uint8_t *template, size_t size) {
    drop_key(tpm);
    TPM2B_SENSITIVE_CREATE sensitive = {0};
    TPM2B_PUBLIC public = {0};
    TPM2B_DATA outside = {0};
    TPML_PCR_SELECTION creation = {0};
    size_t offset = 0;
    TSS2_RC status = tpm->Tss2_MU_TPMT_PUBLIC_Unmarshal(template, size, &offset, &public.publicArea);
    if (status != TSS2_RC_SUCCESS) return status;
    TPM2B_PUBLIC *made = NULL;
    TPM2B_CREATION_DATA *data = NULL;
    TPM2B_DIGEST *hash = NULL;
    TPMT_TK_CREATION *ticket = NULL;
    ESYS_TR key = ESYS_TR_NONE;
    status = tpm->Esys_CreatePrimary(
        tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &public,
        &outside, &creation, &key, &made, &data, &hash, &ticket);
    if (status != TSS2_RC_SUCCESS) return status;
    tpm->Esys_Free(made);
    tpm->Esys_Free(data);
    tpm->Esys_Free(hash);
    tpm->Esys_Free(ticket);
    tpm->key = key;
    tpm->key_is_transient = true;
    return status;
}

uint32_t ctss2_read_public(struct ctss2 *tpm, uint8_t *bytes, size_t *size) {
    TPM2B_PUBLIC *public = NULL;
    TPM2B_NAME *name = NULL, *qualified = NULL;
    TSS2_RC status = tpm->Esys_ReadPublic(
        tpm->esys, tpm->key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public, &name, &qualified);
    if (status != TSS2_RC_SUCCESS) return status;
    size_t offset = 0;
    status = tpm->Tss2_MU_TPMT_PUBLIC_Marshal(&public->publicArea, bytes, *size, &offset);
    *size = offset;
    tpm->Esys_Free(public);
    tpm->Esys_Free(name);
    tpm->Esys_Free(qualified);
    return status;
}

static TPML_PCR_SELECTION selection(uint16_t bank, uint32_t registers) {
    TPML_PCR_SELECTION result = {.count = 1};
    result.pcrSelections[0].hash = bank;
    result.pcrSelections[0].sizeofSelect = 3;
    for (int i = 0; i < 3; i++) result.pcrSelections[0].pcrSelect[i] = (BYTE)(registers >> (8 * i));
    return result;
}

static uint32_t selected(const TPML_PCR_SELECTION *selection) {
    uint32_t registers = 0;
    if (selection->count < 1) return 0;
    for (int i = 0; i < 3; i++) registers |= (uint32_t)selection->pcrSelections[0].pcrSelect[i] << (8 * i);
    return registers;
}

uint32_t ctss2_read_registers(struct ctss2 *tpm, uint16_t bank, uint32_t registers, uint8_t *values, size_t *size) {
    size_t written = 0;
    // A TPM answers with at most eight values at one time, the lowest first.
    while (registers != 0) {
        TPML_PCR_SELECTION wanted = selection(bank, registers), *got = NULL;
        TPML_DIGEST *digests = NULL;
        UINT32 counter;
        TSS2_RC status = tpm->Esys_PCR_Read(
            tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted, &counter, &got, &digests);
        if (status != TSS2_RC_SUCCESS) return status;
        uint32_t answered = selected(got) & registers;
        if (answered == 0 || digests->count != (UINT32)__builtin_popcount(answered)) status = CTSS2_BANK_MISSING;
        for (UINT32 i = 0; status == TSS2_RC_SUCCESS && i < digests->count; i++) {
            const TPM2B_DIGEST *digest = &digests->digests[i];
            if (digest->size > *size - written) {
                status = CTSS2_TOO_LARGE;
            } else {
                memcpy(values + written, digest->buffer, digest->size);
                written += digest->size;
            }
        }
        tpm->Esys_Free(got);
        tpm->Esys_Free(digests);
        if (status != TSS2_RC_SUCCESS) return status;
        registers &= ~answered;
    }
    *size = written;
    return TSS2_RC_SUCCESS;
}

uint32_t ctss2_make_quote(
    struct ctss2 *tpm, const uint8_t *data, size_t data_size, uint16_t bank, uint32_t registers,
    struct ctss2_quote *quote) {
    TPM2B_DATA qualifying = {.size = (UINT16)data_size};
    if (data_size > sizeof qualifying.buffer) return CTSS2_TOO_LARGE;
    memcpy(qualifying.buffer, data, data_size);
    TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_NULL};
    TPML_PCR_SELECTION wanted = selection(bank, registers);
    TPM2B_ATTEST *message = NULL;
    TPMT_SIGNATURE *signature = NULL;
    TSS2_RC status = tpm->Esys_Quote(
        tpm->esys, tpm->key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &qualifying, &scheme, &wanted, &message,
        &signature);
    if (status != TSS2_RC_SUCCESS) return status;
    if (message->size > sizeof quote->message) {
        status = CTSS2_TOO_LARGE;
    } else {
        memcpy(quote->message, message->attestationData, message->size);
        quote->message_size = message->size;
        quote->signature_size = 0;
        status = tpm->Tss2_MU_TPMT_SIGNATURE_Marshal(
            signature, quote->signature, sizeof quote->signature, &quote->signature_size);
    }
    tpm->Esys_Free(message);
    tpm->Esys_Free(signature);
    return status;
}
