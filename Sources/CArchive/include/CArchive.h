// SPDX-License-Identifier: Apache-2.0
// The functions of libarchive that are used. The library is not linked: it is loaded when the first of them is called,
// since it brings 11 more with it (libxml2, ICU, four compressors), which most commands have no use for.
#pragma once
#include <archive.h>
#include <archive_entry.h>
