/*
 * What the Windows side exports, and what the files above the platforms ask of it.
 */
#include "nt.h"
#include "sectile.h"

#include <errno.h>

extern const sectile_export sectile_adopt_exports[];
extern const sectile_export sectile_call_exports[];
extern const sectile_export sectile_handle_exports[];
extern const sectile_export sectile_io_exports[];
extern const sectile_export sectile_keepers_exports[];
extern const sectile_export sectile_meetings_exports[];
extern const sectile_export sectile_security_exports[];
extern const sectile_export sectile_stations_exports[];
extern const sectile_export sectile_word_waits_exports[];

const sectile_export *const sectile_exports[] = {
    sectile_mapping_exports,
    sectile_mapping_use_exports,
    sectile_mapping_async_exports,
    sectile_guard_exports,
    sectile_call_exports,
    sectile_handle_exports,
    sectile_adopt_exports,
    sectile_io_exports,
    sectile_security_exports,
    sectile_waits_exports,
    sectile_stations_exports,
    sectile_keepers_exports,
    sectile_words_exports,
    sectile_word_waits_exports,
    sectile_meetings_exports,
    sectile_process_exports,
    NULL,
};

double sectile_page_size(void) {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwPageSize;
}

const char *sectile_errno_symbol(int error) {
  switch (error) {
#define SYMBOL(name) \
  case name:         \
    return #name
    SYMBOL(EIO);
    SYMBOL(EBADF);
    SYMBOL(EFAULT);
    SYMBOL(ENOMEM);
    SYMBOL(EACCES);
    SYMBOL(EINVAL);
    SYMBOL(ENOSPC);
    SYMBOL(EOPNOTSUPP);
    SYMBOL(ECANCELED);
#undef SYMBOL
    default:
      return "EUNKNOWN";
  }
}
