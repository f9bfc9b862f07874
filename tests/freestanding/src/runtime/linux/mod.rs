//! Entry, end and output on Linux, by its system calls alone.

#[cfg(target_arch = "x86")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use core::sync::atomic::{AtomicUsize, Ordering};

#[cfg(target_arch = "x86")]
use self::x86 as machine;
#[cfg(target_arch = "x86_64")]
use self::x86_64 as machine;

/// Bytes of the stack that are looked at.
const STACK: usize = 128 << 10;
/// What lies there before the program runs.
const UNUSED: u8 = 0xa5;

/// The end of the stack when the program began.
static TOP: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn exit(status: i32) -> ! {
    machine::exit(status)
}

/// Writes to standard output.
pub(crate) fn print(text: &str) {
    machine::write(1, text.as_bytes());
}

/// Called with a stack below `top` that was painted.
extern "C" fn entry(top: usize) -> ! {
    TOP.store(top, Ordering::Relaxed);
    exit(i32::from(!crate::run()))
}

/// The most bytes of stack that the program used.
pub(crate) fn stack_bytes() -> usize {
    let top = TOP.load(Ordering::Relaxed);
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
