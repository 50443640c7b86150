/* SPDX-License-Identifier: MIT */
/*
 * The switch for AArch64 (AAPCS64, section 6.1): x19 to x29, the link register,
 * the low halves of v8 to v15, and the control register of the floating-point
 * unit, which is written only when it differs.
 *
 * Calls and returns are kept in pairs for the processor's predictor, as
 * context_x86_64.S explains. A context that has not begun has bit 0 of its
 * stack pointer set, and holds the entry at 0 and the control register at 8.
 */
    .text
    .globl  sill_core_switch
    .hidden sill_core_switch
    .type   sill_core_switch, %function
    .p2align 4
sill_core_switch:
    .cfi_startproc
    sub     sp, sp, #176
    stp     x19, x20, [sp, #0]
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    stp     d8, d9, [sp, #96]
    stp     d10, d11, [sp, #112]
    stp     d12, d13, [sp, #128]
    stp     d14, d15, [sp, #144]
    mrs     x2, fpcr
    str     x2, [sp, #160]
    mov     x3, sp
    str     x3, [x0]
.Lload:
    tbnz    x1, #0, .Lbegin
    mov     sp, x1
    ldr     x4, [sp, #160]
    cmp     x2, x4
    b.ne    .Lfpcr
.Lregisters:
    ldp     x19, x20, [sp, #0]
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    ldp     d8, d9, [sp, #96]
    ldp     d10, d11, [sp, #112]
    ldp     d12, d13, [sp, #128]
    ldp     d14, d15, [sp, #144]
    add     sp, sp, #176
    ret
.Lfpcr:
    msr     fpcr, x4
    b       .Lregisters
    .cfi_endproc

    .cfi_startproc
    .cfi_undefined x30
.Lbegin:
    sub     x1, x1, #1
    mov     sp, x1
    ldp     x3, x4, [sp]
    msr     fpcr, x4
    mov     x29, #0
    blr     x3
    mov     x1, x0
    mrs     x2, fpcr
    b       .Lload
    .cfi_endproc
    .size   sill_core_switch, . - sill_core_switch

/* x0: the top of a stack; x1: the entry. The new task inherits the control
 * register of the one that spawns it, as a thread does. */
    .globl  sill_core_prepare
    .hidden sill_core_prepare
    .type   sill_core_prepare, %function
    .p2align 4
sill_core_prepare:
    .cfi_startproc
    sub     x0, x0, #16
    mrs     x2, fpcr
    stp     x1, x2, [x0]
    orr     x0, x0, #1
    ret
    .cfi_endproc
    .size   sill_core_prepare, . - sill_core_prepare

    .section .note.GNU-stack, "", %progbits
