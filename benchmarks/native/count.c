// Tells callgrind when to count. Without valgrind around the process these are a few instructions
// that do nothing.

#include <valgrind/callgrind.h>

void count_start(void) { CALLGRIND_START_INSTRUMENTATION; }

/// What was counted since the last stop goes into a file of its own, and the count starts again.
void count_stop(void) {
    CALLGRIND_STOP_INSTRUMENTATION;
    CALLGRIND_DUMP_STATS;
}
