//! What a bare machine needs besides the program: an entry, an allocator, memory functions.
//!
//! The only unsafe code of the proof. The memory functions are assembly so that no compiler turns
//! them into calls of themselves.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

const HEAP: usize = 64 << 20;

/// Hands out memory and never takes it back: enough for one exchange, and it really allocates, so
/// that nothing is optimised away.
struct Bump {
    heap: UnsafeCell<[u8; HEAP]>,
    used: AtomicUsize,
}

// SAFETY: the heap is only handed out in disjoint pieces, by an atomic counter.
unsafe impl Sync for Bump {}

// SAFETY: every piece lies inside the heap, is aligned as asked, and overlaps no other.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = self.used.fetch_add(layout.size() + layout.align(), Ordering::Relaxed);
        let base = self.heap.get() as usize;
        let start = (base + taken).next_multiple_of(layout.align());
        if start + layout.size() > base + HEAP { core::ptr::null_mut() } else { start as *mut u8 }
    }

    unsafe fn dealloc(&self, _pointer: *mut u8, _layout: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump = Bump { heap: UnsafeCell::new([0; HEAP]), used: AtomicUsize::new(0) };

#[panic_handler]
fn panic(_information: &core::panic::PanicInfo<'_>) -> ! {
    exit(101)
}

fn exit(status: i32) -> ! {
    // SAFETY: exit_group does not return and touches no memory.
    unsafe { asm!("syscall", in("rax") 231, in("rdi") status, options(noreturn, nostack)) }
}

global_asm!(
    ".globl _start", "_start:", "xor ebp, ebp", "and rsp, -16", "call {entry}", "ud2",
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
    entry = sym entry,
);

extern "C" fn entry() -> ! {
    exit(i32::from(!crate::run()))
}

/// Never called: panics abort. The prebuilt `alloc` names it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    exit(102)
}
