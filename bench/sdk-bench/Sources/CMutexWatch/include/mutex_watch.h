// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Whether the sanitizer is told of locks. To call it keeps the rest of this file in the program.
int mutex_watch(void);
