// SPDX-License-Identifier: Apache-2.0
#ifndef CWEBASSETS_H
#define CWEBASSETS_H
#endif
