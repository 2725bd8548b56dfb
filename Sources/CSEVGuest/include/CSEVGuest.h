// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

/// The kernel's interface to SEV-SNP firmware, /dev/sev-guest (Linux, include/uapi/linux/sev-guest.h).

/// The bytes of a response: MSG_REPORT_RSP and what follows it (AMD 56860, SEV-SNP Firmware ABI, section 7.3).
#define CSEVGUEST_RESPONSE_SIZE 4000

struct csevguest_answer {
    /// 0, or an error number.
    int error;
    /// What the firmware said; 0 where it said nothing.
    uint32_t firmware_error;
    /// What the host said (GHCB specification): 1 where the certificates do not fit, 2 where it is busy.
    uint32_t host_error;
    /// Bytes that the host's certificates take.
    uint32_t certificates_size;
};

/// SNP_GET_EXT_REPORT: asks for a report over 64 bytes. `certificates_size` bytes, a multiple of a page or 0, are there
/// for the host's certificates.
struct csevguest_answer csevguest_extended_report(
    int device, const uint8_t *report_data, uint32_t vmpl, uint8_t *response, uint8_t *certificates,
    uint32_t certificates_size);

/// SNP_GET_REPORT: the same without certificates.
struct csevguest_answer csevguest_report(
    int device, const uint8_t *report_data, uint32_t vmpl, uint8_t *response);
