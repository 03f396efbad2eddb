/*
 * What a thread has of its own, on Linux.
 */
#include "posix/system.h"

#include <pthread.h>

/*
 * A handler may not allocate: glibc would, at a thread's first use of a library's own variable, so the place
 * is taken when the library is loaded. musl always does so, and refuses libraries that ask for it.
 */
#ifdef __GLIBC__
#define AT_LOAD __attribute__((tls_model("initial-exec")))
#else
#define AT_LOAD
#endif
static __thread int depth_of_thread AT_LOAD;

void sectile_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

int sectile_thread_depth(void) { return depth_of_thread; }

void sectile_thread_set_depth(int depth) { depth_of_thread = depth; }
