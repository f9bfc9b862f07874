//! The program itself: arguments, time, random bytes, output, exit.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::mem::ManuallyDrop;
use core::time::Duration;

use crate::{Error, File, Result, call};

/// Returns the arguments; the first is the program's name.
#[must_use]
pub fn arguments() -> Vec<String> {
    let (count, size) = call::argument_sizes();
    let mut bytes = vec![0; size];
    if !call::arguments(&mut bytes) {
        return Vec::new();
    }
    bytes
        .split(|byte| *byte == 0)
        .take(count)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// Returns the time since an arbitrary start; it is monotonic.
#[must_use]
pub fn now() -> Duration {
    Duration::from_nanos(call::clock(1))
}

/// Returns the time since 1970.
#[must_use]
pub fn date() -> Duration {
    Duration::from_nanos(call::clock(0))
}

/// Sleeps.
pub fn sleep(time: Duration) {
    // No file is watched, so the call ends by timeout only.
    let _ = crate::poll(&mut [], Some(time));
}

/// Fills a buffer with random bytes.
///
/// # Errors
/// `InputOutput` if none are available.
pub fn random(buffer: &mut [u8]) -> Result<()> {
    if call::random(buffer) { Ok(()) } else { Err(Error::InputOutput) }
}

/// Ends the program.
pub fn exit(status: u8) -> ! {
    call::exit(status)
}

/// A standard stream, which stays open.
fn stream(descriptor: i32) -> ManuallyDrop<File> {
    ManuallyDrop::new(File::from_descriptor(descriptor))
}

/// Returns the standard input.
#[must_use]
pub fn input() -> ManuallyDrop<File> {
    stream(0)
}

/// Returns the standard output.
#[must_use]
pub fn output() -> ManuallyDrop<File> {
    stream(1)
}

/// Writes a line to the standard output or the standard error; ignores errors.
#[doc(hidden)]
pub fn write_line(is_error: bool, text: &str) {
    let mut line = String::from(text);
    line.push('\n');
    let _ = stream(if is_error { 2 } else { 1 }).write_all(line.as_bytes());
}

/// Writes a line to the standard output, as `println!` does.
#[macro_export]
macro_rules! say {
    ($($word:tt)*) => { $crate::process::write_line(false, &$crate::format_text!($($word)*)) };
}

/// Writes a line to the standard error, as `eprintln!` does.
#[macro_export]
macro_rules! complain {
    ($($word:tt)*) => { $crate::process::write_line(true, &$crate::format_text!($($word)*)) };
}

/// Return types of a program's main function; see [`main!`](crate::main).
pub trait Main {
    /// Returns the exit status; prints an error first.
    fn status(self) -> u8;
}

impl Main for () {
    fn status(self) -> u8 {
        0
    }
}

impl Main for u8 {
    fn status(self) -> u8 {
        self
    }
}

impl<E: fmt::Display> Main for core::result::Result<(), E> {
    fn status(self) -> u8 {
        let Err(why) = self else { return 0 };
        let name = arguments().into_iter().next().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        complain!("{}: {why}", name.strip_suffix(".wasm").unwrap_or(name));
        1
    }
}
