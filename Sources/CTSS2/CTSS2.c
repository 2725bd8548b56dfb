// SPDX-License-Identifier: Apache-2.0
#include "CTSS2.h"
