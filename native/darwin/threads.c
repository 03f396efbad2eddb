/*
 * What a thread has of its own, on macOS; and that this library stays.
 */
#include "posix/system.h"

#include <dlfcn.h>
#include <pthread.h>

/* A key and not __thread, whose first use in a thread allocates: not for a handler. */
static pthread_key_t depth_key;
static bool has_key;

/* The signal handlers of the fault guard must outlive the last environment that loaded it. */
__attribute__((constructor)) static void stay(void) {
  Dl_info self;
  has_key = pthread_key_create(&depth_key, NULL) == 0;
  if (dladdr((const void *)(uintptr_t)stay, &self) != 0) dlopen(self.dli_fname, RTLD_LAZY | RTLD_NODELETE);
}

void sectile_thread_name(const char *name) { pthread_setname_np(name); }

int sectile_thread_depth(void) { return has_key ? (int)(intptr_t)pthread_getspecific(depth_key) : 0; }

void sectile_thread_set_depth(int depth) {
  if (has_key) pthread_setspecific(depth_key, (const void *)(intptr_t)depth);
}
