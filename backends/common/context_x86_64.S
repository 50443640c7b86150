/* SPDX-License-Identifier: MIT */
/*
 * The switch for x86-64 (System V ABI, section 3.2.1): rbx, rbp, r12 to r15,
 * the control bits of mxcsr and the x87 control word are the callee's to keep.
 *
 * The x87 control word is loaded only when it differs. To compare mxcsr as well
 * costs more than to load it: its store takes 16 cycles, in which the processor
 * goes on as long as nobody asks for the result (a bare switch: 8.6 ns with the
 * comparison, 6.9 ns without, 3.6 ns without mxcsr; Zen 3).
 *
 * A processor predicts a return by the call before it, and a wrong guess costs
 * 8 ns. So every task leaves through the one call of sill_core_switch in
 * loop.c and arrives through its ret; a task begins by a call from here, and
 * when it ends its entry returns to here: no call is left without its return.
 *
 * A context that has not begun has bit 0 of its stack pointer set:
 *
 *     begun      control words, r15, r14, r13, r12, rbx, rbp, return address
 *     not begun  control words, entry
 */
    .text
    .globl  sill_core_switch
    .hidden sill_core_switch
    .type   sill_core_switch, @function
    .p2align 4
sill_core_switch:
    .cfi_startproc
    pushq   %rbp
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    subq    $8, %rsp
    stmxcsr (%rsp)
    fnstcw  4(%rsp)
    movzwl  4(%rsp), %ecx
    movq    %rsp, (%rdi)
.Lload:
    testb   $1, %sil
    jnz     .Lbegin
    movq    %rsi, %rsp
    ldmxcsr (%rsp)
    cmpw    4(%rsp), %cx
    jne     .Lfpcw
.Lregisters:
    addq    $8, %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbx
    popq    %rbp
    ret
.Lfpcw:
    fldcw   4(%rsp)
    jmp     .Lregisters
    .cfi_endproc

    .cfi_startproc
    .cfi_undefined rip
.Lbegin:
    leaq    -1(%rsi), %rsp
    ldmxcsr (%rsp)
    cmpw    4(%rsp), %cx
    je      .Lbegin_call
    fldcw   4(%rsp)
.Lbegin_call:
    xorl    %ebp, %ebp
    call    *8(%rsp)
    fnstcw  4(%rsp)
    movq    %rax, %rsi
    movzwl  4(%rsp), %ecx
    jmp     .Lload
    .cfi_endproc
    .size   sill_core_switch, . - sill_core_switch

/* rdi: the top of a stack; rsi: the entry. The new task inherits the control
 * words of the one that spawns it, as a thread does. */
    .globl  sill_core_prepare
    .hidden sill_core_prepare
    .type   sill_core_prepare, @function
    .p2align 4
sill_core_prepare:
    .cfi_startproc
    leaq    -16(%rdi), %rax
    stmxcsr (%rax)
    fnstcw  4(%rax)
    movq    %rsi, 8(%rax)
    orq     $1, %rax
    ret
    .cfi_endproc
    .size   sill_core_prepare, . - sill_core_prepare

    .section .note.GNU-stack, "", @progbits
