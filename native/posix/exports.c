/*
 * What the POSIX side exports, and what the files above the platforms ask of it.
 */
#include "sectile.h"

#include <errno.h>
#include <unistd.h>

const sectile_export *const sectile_exports[] = {
    sectile_descriptor_exports,  sectile_address_ranges_exports, sectile_memory_exports,  sectile_mapping_exports,
    sectile_mapping_use_exports, sectile_mapping_async_exports,  sectile_words_exports,   sectile_waits_exports,
    sectile_pages_exports,       sectile_placeholder_exports,    sectile_guard_exports,   sectile_lock_exports,
    sectile_socket_exports,      sectile_server_exports,         sectile_process_exports, NULL,
};

double sectile_page_size(void) { return (double)sysconf(_SC_PAGESIZE); }

/* The symbol of an error number; the numbers that the calls in posix/ can meet. */
const char *sectile_errno_symbol(int error) {
  switch (error) {
#define SYMBOL(name) \
  case name:         \
    return #name
    SYMBOL(EPERM);
    SYMBOL(ENOENT);
    SYMBOL(ESRCH);
    SYMBOL(EINTR);
    SYMBOL(EIO);
    SYMBOL(ENXIO);
    SYMBOL(E2BIG);
    SYMBOL(EBADF);
    SYMBOL(EAGAIN);
    SYMBOL(ENOMEM);
    SYMBOL(EACCES);
    SYMBOL(EFAULT);
    SYMBOL(EBUSY);
    SYMBOL(EEXIST);
    SYMBOL(ENODEV);
    SYMBOL(ENOTDIR);
    SYMBOL(EISDIR);
    SYMBOL(EINVAL);
    SYMBOL(ENFILE);
    SYMBOL(EMFILE);
    SYMBOL(ENOTTY);
    SYMBOL(ETXTBSY);
    SYMBOL(EFBIG);
    SYMBOL(ENOSPC);
    SYMBOL(ESPIPE);
    SYMBOL(EROFS);
    SYMBOL(EPIPE);
    SYMBOL(ERANGE);
    SYMBOL(EDEADLK);
    SYMBOL(ENAMETOOLONG);
    SYMBOL(ENOLCK);
    SYMBOL(ENOSYS);
    SYMBOL(ELOOP);
    SYMBOL(EPROTO);
    SYMBOL(EOVERFLOW);
    SYMBOL(EMSGSIZE);
    SYMBOL(EPROTOTYPE);
    SYMBOL(EOPNOTSUPP);
#if ENOTSUP != EOPNOTSUPP
    SYMBOL(ENOTSUP);
#endif
    SYMBOL(EADDRINUSE);
    SYMBOL(ECONNREFUSED);
    SYMBOL(ECONNRESET);
    SYMBOL(ENOTCONN);
    SYMBOL(ENOTSOCK);
    SYMBOL(ECONNABORTED);
    SYMBOL(ETOOMANYREFS);
    SYMBOL(ENOBUFS);
    SYMBOL(ETIMEDOUT);
    SYMBOL(EDQUOT);
    SYMBOL(ECANCELED);
    SYMBOL(ECHILD);
#undef SYMBOL
    default:
      return "EUNKNOWN";
  }
}
