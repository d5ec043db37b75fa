/*
 * What ExecuTorch's Android libraries (x86_64) need of Android's C library, bionic, and a Linux machine's glibc lacks or
 * does differently. It is linked as libc.so with the version node LIBC, which those libraries ask for; everything else
 * they find in glibc itself. Only the tests use it.
 *
 * Two groups:
 *  1. names that exist in bionic only;
 *  2. host_*: names that exist in both with another meaning. patchelf renames the libraries' references to them
 *     (renamed.txt), and each says below what differs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- 1. bionic only ---------------------------------------------------------------------------------------------- */

/* liblog: to stderr. The empty liblog.so beside this file satisfies the library's NEEDED entry. */
int __android_log_vprint(int priority, const char *tag, const char *format, va_list arguments) {
    (void)priority;
    fprintf(stderr, "%s: ", tag ? tag : "");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    return 1;
}

int __android_log_print(int priority, const char *tag, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int written = __android_log_vprint(priority, tag, format, arguments);
    va_end(arguments);
    return written;
}

int __android_log_write(int priority, const char *tag, const char *message) {
    return __android_log_print(priority, tag, "%s", message);
}

void __android_log_assert(const char *condition, const char *tag, const char *format, ...) {
    (void)format;
    fprintf(stderr, "%s: assertion failed: %s\n", tag ? tag : "", condition ? condition : "");
    abort();
}

void android_set_abort_message(const char *message) { fprintf(stderr, "abort: %s\n", message); }

/* assert() of bionic's headers. */
void __assert2(const char *file, int line, const char *function, const char *message) {
    fprintf(stderr, "%s:%d: %s: assertion failed: %s\n", file, line, function, message);
    abort();
}

/* errno is *__errno() there and *__errno_location() here. */
int *__errno(void) { return &errno; }

/* strerror_r of bionic's headers under _GNU_SOURCE; glibc's symbol strerror_r is this one. */
char *__gnu_strerror_r(int error, char *buffer, size_t size) { return strerror_r(error, buffer, size); }

/* Checked calls of _FORTIFY_SOURCE that glibc does not have; the last argument is the size of the buffer. */
char *__strchr_chk(const char *text, int character, size_t size) { (void)size; return strchr(text, character); }
char *__strrchr_chk(const char *text, int character, size_t size) { (void)size; return strrchr(text, character); }
size_t __strlen_chk(const char *text, size_t size) { (void)size; return strlen(text); }
ssize_t __write_chk(int file, const void *buffer, size_t count, size_t size) { (void)size; return write(file, buffer, count); }

/* Android's settings: none is set. */
int __system_property_get(const char *name, char *value) { (void)name; value[0] = 0; return 0; }

/* stdin, stdout and stderr of old bionic: three FILEs of 152 bytes in a row, whose addresses `file_of` recognizes. */
enum { BIONIC_FILE = 152 };
char __sF[3 * BIONIC_FILE];

/* ---- 2. the same name, another meaning --------------------------------------------------------------------------- */

static FILE *file_of(FILE *file) {
    char *place = (char *)file;
    if (place < __sF || place >= __sF + sizeof __sF) return file;
    FILE *standard[] = {stdin, stdout, stderr};
    return standard[(place - __sF) / BIONIC_FILE];
}

/* stdio: `stderr` may be compiled as &__sF[2], which is no FILE of glibc's. */
int host_fflush(FILE *file) { return fflush(file ? file_of(file) : NULL); }
int host_fputc(int character, FILE *file) { return fputc(character, file_of(file)); }
int host_fputs(const char *text, FILE *file) { return fputs(text, file_of(file)); }
size_t host_fwrite(const void *data, size_t size, size_t count, FILE *file) { return fwrite(data, size, count, file_of(file)); }
int host_vfprintf(FILE *file, const char *format, va_list arguments) { return vfprintf(file_of(file), format, arguments); }
int host_fprintf(FILE *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int written = host_vfprintf(file, format, arguments);
    va_end(arguments);
    return written;
}

/* sysconf: bionic numbers the questions differently. Only those that ExecuTorch, XNNPACK and cpuinfo ask are known. */
long host_sysconf(int question) {
    switch (question) {
        case 6: return sysconf(_SC_CLK_TCK);
        case 39: /* _SC_PAGESIZE */
        case 40: return sysconf(_SC_PAGESIZE); /* _SC_PAGE_SIZE */
        case 96: return sysconf(_SC_NPROCESSORS_CONF);
        case 97: return sysconf(_SC_NPROCESSORS_ONLN);
        case 98: return sysconf(_SC_PHYS_PAGES);
        default:
            fprintf(stderr, "libc.c: bionic's sysconf(%d) is not translated\n", question);
            errno = EINVAL;
            return -1;
    }
}

/* strerror_r: glibc exports GNU's form under this name (it returns the text), bionic POSIX's (it returns a number). */
int __xpg_strerror_r(int error, char *buffer, size_t size); /* glibc's name for POSIX's form */
int host_strerror_r(int error, char *buffer, size_t size) { return __xpg_strerror_r(error, buffer, size); }

/* Signal sets: 8 bytes in bionic, 128 in glibc, whose sigfillset would write beyond the caller's variable. */
typedef unsigned long bionic_sigset;

int host_sigfillset(bionic_sigset *set) { *set = ~0UL; return 0; }

int host_pthread_sigmask(int how, const bionic_sigset *set, bionic_sigset *old) {
    sigset_t given, before;
    sigemptyset(&given);
    if (set) memcpy(&given, set, sizeof *set);
    int error = pthread_sigmask(how, set ? &given : NULL, &before);
    if (old) memcpy(old, &before, sizeof *old);
    return error;
}
