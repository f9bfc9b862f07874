//! Signals of the host: Ctrl-C, Ctrl-Z, the size of the window, and the end.

use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};

use crate::shell;
use crate::shell::keyboard::Keyboard;
use crate::shell::signals::Signal;

/// Passes signals for the program on while it lives.
pub struct Forwarding(Handle);

impl Drop for Forwarding {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn listen(numbers: &[i32], mut take: impl FnMut(i32) + Send + 'static) -> Option<Forwarding> {
    let mut signals = Signals::new(numbers).ok()?;
    let handle = signals.handle();
    let pass = move || signals.forever().for_each(&mut take);
    thread::Builder::new().name(String::from("signals")).spawn(pass).ok()?;
    Some(Forwarding(handle))
}

/// The signal of a number; INT and what is unknown end the program.
const fn signal(number: i32) -> Signal {
    match number {
        SIGHUP => Signal::HANG_UP,
        SIGINT => Signal::INTERRUPT,
        _ => Signal::TERMINATE,
    }
}

/// Passes signals on to a shell. `None` if that cannot be: they then end the program, as ever.
pub(crate) fn forward(to: shell::signals::Signals) -> Option<Forwarding> {
    listen(&[SIGHUP, SIGINT, SIGTERM], move |number| to.send(signal(number)))
}

/// Passes signals on to the keys of a terminal, and calls `resized` when its window has another
/// size. `None` if that cannot be.
pub fn press(keyboard: Keyboard, resized: impl Fn() + Send + 'static) -> Option<Forwarding> {
    listen(&[SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH], move |number| match number {
        SIGINT => keyboard.interrupt(),
        SIGTSTP => keyboard.suspend(),
        SIGWINCH => resized(),
        number => keyboard.end(signal(number)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future;

    #[test]
    fn signals_are_keys() {
        let keyboard = Keyboard::default();
        let _forwarding = press(keyboard.clone(), || {}).unwrap();
        signal_hook::low_level::raise(SIGINT).unwrap();
        future::block_on(keyboard.interrupted());
        signal_hook::low_level::raise(SIGTSTP).unwrap();
        future::block_on(keyboard.suspended());
    }
}
