/* SPDX-License-Identifier: MIT */
/*
 * ck.h: assertions, by the names that Check gives them, which is what the
 * tests of protocols use. The suite brings its own, so that a backend's author
 * needs nothing but sill to run it.
 *
 * The first one that fails is recorded and ends the process of the case; so
 * does one in a process that the case forked. The last one that passed is
 * remembered, to say where a case crashed.
 */
#ifndef CK_H
#define CK_H

#include <sill/attributes.h>

#include <stdint.h>
#include <string.h>

/* Remembers that the case has come here. */
void ck_mark(const char *file, int line);

/* Fails the case, here. */
#define ck_abort_msg(...) ck_fail(__FILE__, __LINE__, __VA_ARGS__)
void ck_fail(const char *file, int line, const char *format, ...)
    SILL_PRINTF(3, 4) __attribute__((noreturn));

#define ck_assert_msg(holds, ...)                                              \
    do {                                                                       \
        ck_mark(__FILE__, __LINE__);                                           \
        if (!(holds))                                                          \
            ck_abort_msg(__VA_ARGS__);                                         \
    } while (0)

#define ck_assert(holds) ck_assert_msg(holds, "'%s' does not hold", #holds)

#define CK_COMPARE(type, form, x, op, y)                                       \
    do {                                                                       \
        type ck_x = (type)(x);                                                 \
        type ck_y = (type)(y);                                                 \
        ck_assert_msg(ck_x op ck_y,                                            \
                      "'%s' does not hold: left " form ", right " form,        \
                      #x " " #op " " #y, ck_x, ck_y);                          \
    } while (0)

#define CK_INT(x, op, y)  CK_COMPARE(intmax_t, "%jd", x, op, y)
#define CK_UINT(x, op, y) CK_COMPARE(uintmax_t, "%ju", x, op, y)
#define CK_PTR(x, op, y)  CK_COMPARE(const void *, "%p", x, op, y)

#define ck_assert_int_eq(x, y) CK_INT(x, ==, y)
#define ck_assert_int_ne(x, y) CK_INT(x, !=, y)
#define ck_assert_int_lt(x, y) CK_INT(x, <, y)
#define ck_assert_int_le(x, y) CK_INT(x, <=, y)
#define ck_assert_int_gt(x, y) CK_INT(x, >, y)
#define ck_assert_int_ge(x, y) CK_INT(x, >=, y)

#define ck_assert_uint_eq(x, y) CK_UINT(x, ==, y)
#define ck_assert_uint_ne(x, y) CK_UINT(x, !=, y)
#define ck_assert_uint_lt(x, y) CK_UINT(x, <, y)
#define ck_assert_uint_le(x, y) CK_UINT(x, <=, y)
#define ck_assert_uint_gt(x, y) CK_UINT(x, >, y)
#define ck_assert_uint_ge(x, y) CK_UINT(x, >=, y)

#define ck_assert_ptr_eq(x, y)   CK_PTR(x, ==, y)
#define ck_assert_ptr_ne(x, y)   CK_PTR(x, !=, y)
#define ck_assert_ptr_null(x)    CK_PTR(x, ==, NULL)
#define ck_assert_ptr_nonnull(x) CK_PTR(x, !=, NULL)

#define CK_STR(x, op, y)                                                       \
    do {                                                                       \
        const char *ck_x = (x), *ck_y = (y);                                   \
        ck_assert_msg(ck_x &&ck_y &&strcmp(ck_x, ck_y) op 0,                   \
                      "'%s' does not hold: left \"%s\", right \"%s\"",         \
                      #x " " #op " " #y, ck_x ? ck_x : "(null)",               \
                      ck_y ? ck_y : "(null)");                                 \
    } while (0)

#define ck_assert_str_eq(x, y) CK_STR(x, ==, y)
#define ck_assert_str_ne(x, y) CK_STR(x, !=, y)

#define ck_assert_mem_eq(x, y, size)                                           \
    ck_assert_msg(memcmp(x, y, size) == 0, "'%s' and '%s' differ", #x, #y)

#endif
