//! 32 bits, for the memory that a program takes where a pointer has four bytes. The compiler's own
//! library has the memory functions.

use core::arch::{asm, global_asm};

use super::{STACK, UNUSED, entry};

pub(super) fn exit(status: i32) -> ! {
    // SAFETY: exit_group does not return and touches no memory.
    unsafe { asm!("int 0x80", in("eax") 252, in("ebx") status, options(noreturn, nostack)) }
}

pub(super) fn write(descriptor: i32, bytes: &[u8]) {
    // SAFETY: write reads the bytes and touches no other memory.
    unsafe {
        asm!(
            "int 0x80", inlateout("eax") 4usize => _, in("ebx") descriptor,
            in("ecx") bytes.as_ptr(), in("edx") bytes.len(), options(nostack, readonly)
        );
    }
}

global_asm!(
    ".globl _start", "_start:", "xor ebp, ebp", "and esp, -16",
    "mov ecx, {stack}", "lea edi, [esp - {stack}]", "mov al, {unused}", "rep stosb",
    "mov eax, esp", "sub esp, 12", "push eax", "call {entry}", "ud2",
    entry = sym entry, stack = const STACK, unused = const UNUSED,
);
