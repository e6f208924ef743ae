/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds whatever the input is. Where it does not hold, the fuzzer says what has broken and aborts, which libFuzzer takes for a finding.
 */
#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void must_that(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

#define must(holds) must_that((holds), #holds)

#endif
