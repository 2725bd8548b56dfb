// SPDX-License-Identifier: Apache-2.0
#include "CSEVGuest.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

// Declared here and not taken from <linux/sev-guest.h>, whose names changed between kernels; its layout did not.

struct report_request {
    uint8_t user_data[64];
    uint32_t vmpl;
    uint8_t reserved[28];
};

struct extended_report_request {
    struct report_request data;
    uint64_t certificates_address;
    uint32_t certificates_size;
};

struct guest_request {
    uint8_t message_version;
    uint64_t request_address;
    uint64_t response_address;
    // The host's error in the upper half, the firmware's in the lower.
    uint64_t exit_info;
};

_Static_assert(sizeof(struct report_request) == 96, "struct snp_report_req");
_Static_assert(sizeof(struct extended_report_request) == 112, "struct snp_ext_report_req");
_Static_assert(sizeof(struct guest_request) == 32, "struct snp_guest_request_ioctl");

#define GET_REPORT _IOWR('S', 0x0, struct guest_request)
#define GET_EXTENDED_REPORT _IOWR('S', 0x2, struct guest_request)

static struct csevguest_answer ask(int device, unsigned long command, void *request, uint8_t *response) {
    memset(response, 0, CSEVGUEST_RESPONSE_SIZE);
    struct guest_request envelope = {
        .message_version = 1,
        .request_address = (uint64_t)(uintptr_t)request,
        .response_address = (uint64_t)(uintptr_t)response,
    };
    int status = ioctl(device, command, &envelope);
    int error = status == 0 ? 0 : errno;
    // What kernels put there before they ask: then nobody answered.
    if (envelope.exit_info == UINT64_MAX || envelope.exit_info == UINT32_MAX || envelope.exit_info == 0xFF) {
        envelope.exit_info = 0;
    }
    struct csevguest_answer answer = {
        .error = error,
        .firmware_error = (uint32_t)envelope.exit_info,
        .host_error = (uint32_t)(envelope.exit_info >> 32),
    };
    return answer;
}

struct csevguest_answer csevguest_extended_report(
    int device, const uint8_t *report_data, uint32_t vmpl, uint8_t *response, uint8_t *certificates,
    uint32_t certificates_size) {
    struct extended_report_request request = {
        .data.vmpl = vmpl,
        .certificates_address = certificates_size > 0 ? (uint64_t)(uintptr_t)certificates : 0,
        .certificates_size = certificates_size,
    };
    memcpy(request.data.user_data, report_data, sizeof request.data.user_data);
    struct csevguest_answer answer = ask(device, GET_EXTENDED_REPORT, &request, response);
    answer.certificates_size = request.certificates_size;
    return answer;
}

struct csevguest_answer csevguest_report(
    int device, const uint8_t *report_data, uint32_t vmpl, uint8_t *response) {
    struct report_request request = {.vmpl = vmpl};
    memcpy(request.user_data, report_data, sizeof request.user_data);
    return ask(device, GET_REPORT, &request, response);
}
