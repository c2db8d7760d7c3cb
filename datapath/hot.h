/* hot.h - included last by every file that runs on a worker: what may block, allocate or
 * enter the kernel without need does not compile there. */
#pragma once

#pragma GCC poison malloc calloc realloc strdup asprintf free
#pragma GCC poison printf fprintf sprintf snprintf
#pragma GCC poison xmalloc xcalloc xrealloc xstrdup xasprintf xcalloc_cacheline
#pragma GCC poison log_err log_warn log_info log_dbg
#pragma GCC poison pthread_mutex_lock pthread_rwlock_rdlock pthread_rwlock_wrlock
