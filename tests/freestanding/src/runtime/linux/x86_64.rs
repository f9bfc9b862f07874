//! 64 bits. The memory functions are assembly so that no compiler turns them into calls of
//! themselves.

use core::arch::{asm, global_asm};

use super::{STACK, UNUSED, entry};

pub(super) fn exit(status: i32) -> ! {
    // SAFETY: exit_group does not return and touches no memory.
    unsafe { asm!("syscall", in("rax") 231, in("rdi") status, options(noreturn, nostack)) }
}

pub(super) fn write(descriptor: i32, bytes: &[u8]) {
    // SAFETY: write reads the bytes and touches no other memory; syscall overwrites rcx and r11.
    unsafe {
        asm!(
            "syscall", inlateout("rax") 1usize => _, in("rdi") descriptor, in("rsi") bytes.as_ptr(),
            in("rdx") bytes.len(), out("rcx") _, out("r11") _, options(nostack, readonly)
        );
    }
}

global_asm!(
    ".globl _start", "_start:", "xor ebp, ebp", "and rsp, -16",
    "mov rcx, {stack}", "lea rdi, [rsp - {stack}]", "mov al, {unused}", "rep stosb",
    "mov rdi, rsp", "call {entry}", "ud2",
    ".globl memcpy", "memcpy:", "mov rax, rdi", "mov rcx, rdx", "rep movsb", "ret",
    ".globl memset", "memset:", "mov r8, rdi", "mov eax, esi", "mov rcx, rdx", "rep stosb",
    "mov rax, r8", "ret",
    ".globl memmove", "memmove:", "mov rax, rdi", "mov rcx, rdx", "mov r8, rdi", "sub r8, rsi",
    "cmp r8, rdx", "jb 2f",
    "rep movsb", "ret", "2:", "lea rdi, [rdi + rdx - 1]", "lea rsi, [rsi + rdx - 1]", "std",
    "rep movsb", "cld", "ret",
    ".globl bcmp", "bcmp:", ".globl memcmp", "memcmp:", "xor eax, eax", "test rdx, rdx", "je 4f",
    "3:",
    "movzx eax, byte ptr [rdi]", "movzx ecx, byte ptr [rsi]", "sub eax, ecx", "jne 4f", "inc rdi",
    "inc rsi", "dec rdx", "jne 3b",
    "4:", "ret",
    entry = sym entry, stack = const STACK, unused = const UNUSED,
);
