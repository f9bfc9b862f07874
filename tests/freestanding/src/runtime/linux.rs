//! Entry, end and output on Linux, by its system calls alone. The memory functions are assembly so
//! that no compiler turns them into calls of themselves.

use core::arch::{asm, global_asm};

/// Bytes of the stack that are looked at.
const STACK: usize = 128 << 10;
/// What lies there before the program runs.
const UNUSED: u8 = 0xa5;

pub(crate) fn exit(status: i32) -> ! {
    // SAFETY: exit_group does not return and touches no memory.
    unsafe { asm!("syscall", in("rax") 231, in("rdi") status, options(noreturn, nostack)) }
}

/// Writes to standard output.
pub(crate) fn print(text: &str) {
    // SAFETY: write reads the bytes and touches no other memory; syscall overwrites rcx and r11.
    unsafe {
        asm!(
            "syscall", inlateout("rax") 1usize => _, in("rdi") 1, in("rsi") text.as_ptr(),
            in("rdx") text.len(), out("rcx") _, out("r11") _, options(nostack, readonly)
        );
    }
}

global_asm!(
    ".globl _start", "_start:", "xor ebp, ebp", "and rsp, -16",
    // Paints the stack below, and remembers where it was.
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

static TOP: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);

extern "C" fn entry(top: usize) -> ! {
    TOP.store(top, core::sync::atomic::Ordering::Relaxed);
    exit(i32::from(!crate::run()))
}

/// The most bytes of stack that the program used.
pub(crate) fn stack_bytes() -> usize {
    let top = TOP.load(core::sync::atomic::Ordering::Relaxed);
    // SAFETY: the entry wrote these bytes, and they lie in the stack of the only thread.
    let is_unused = |place: &usize| unsafe { (*place as *const u8).read_volatile() } == UNUSED;
    STACK - (top - STACK..top).take_while(is_unused).count()
}

/// Never called: panics abort. The prebuilt `alloc` names it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    exit(102)
}
