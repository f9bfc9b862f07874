//! Entry, panics and memory of programs without the standard library.

use dlmalloc::GlobalDlmalloc;

#[global_allocator]
static MEMORY: GlobalDlmalloc = GlobalDlmalloc;

#[panic_handler]
fn panic(information: &core::panic::PanicInfo<'_>) -> ! {
    crate::complain!("{information}");
    crate::process::exit(101)
}

/// Names the function that the program begins with: `devnet_guest::main!(run)`. It answers nothing,
/// an exit status (`u8`), or a `Result` whose error is written to the standard error, for status 1.
#[macro_export]
macro_rules! main {
    ($function:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn _start() {
            $crate::process::exit($crate::Main::status($function()))
        }
    };
}
