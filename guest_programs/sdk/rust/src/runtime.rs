//! Entry, panic handler and allocator of programs without the standard library.

use dlmalloc::GlobalDlmalloc;

#[global_allocator]
static MEMORY: GlobalDlmalloc = GlobalDlmalloc;

#[panic_handler]
fn panic(information: &core::panic::PanicInfo<'_>) -> ! {
    crate::complain!("{information}");
    crate::process::exit(101)
}

/// Defines the program's main function: `devnet_guest::main!(run)`. It returns nothing, an exit
/// status (`u8`), or a `Result`; an error is written to the standard error and gives status 1.
#[macro_export]
macro_rules! main {
    ($function:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn _start() {
            $crate::process::exit($crate::Main::status($function()))
        }
    };
}
