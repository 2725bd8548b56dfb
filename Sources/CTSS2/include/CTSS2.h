// SPDX-License-Identifier: Apache-2.0
// The types of the TPM Software Stack. Its libraries are not linked: whoever attests with a TPM loads them, whoever
// verifies needs none.
#pragma once
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>
