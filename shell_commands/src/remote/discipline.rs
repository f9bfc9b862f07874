//! The line discipline of a session: what the kernel does for a terminal of the host (termios(3)).
//!
//! While a line is edited every byte is readable at once. While a command runs, lines are
//! collected and echoed, Backspace, Ctrl-U and Ctrl-D edit them, and Ctrl-C and Ctrl-Z are keys of
//! the [`Keyboard`]. What is typed ahead stays readable when this changes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use devnet_virtual_file_system::{
    Error, File, Lock, OpenDevice, OpenFlags, Operation, Readiness, Result,
};
use futures_lite::future;

use crate::limits;
use crate::shell::keyboard::Keyboard;
use crate::terminal::Modes;

/// A session's line discipline. Clones share it.
#[derive(Clone)]
pub(super) struct Discipline {
    state: Arc<Lock<State>>,
    keyboard: Keyboard,
}

struct State {
    editing: bool,
    /// The line is shown as it is typed.
    echo: bool,
    /// What can be read.
    ready: VecDeque<u8>,
    /// The line that is being typed.
    line: Vec<u8>,
    /// Ctrl-D: one reader is told the end.
    end: bool,
    /// The peer is gone.
    gone: bool,
    after_return: bool,
    waiting: Vec<Waker>,
}

impl State {
    fn wait(&mut self, context: &Context<'_>) {
        if !self.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            self.waiting.push(context.waker().clone());
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.ready.is_empty() {
            let ends = self.gone || std::mem::take(&mut self.end);
            return ends.then_some(0);
        }
        let count = buffer.len().min(self.ready.len());
        for (place, byte) in buffer.iter_mut().zip(self.ready.drain(..count)) {
            *place = byte;
        }
        Some(count)
    }

    /// Takes a byte while a command runs; returns what is echoed.
    fn cook(&mut self, byte: u8, keyboard: &Keyboard) -> Vec<u8> {
        match byte {
            0x03 | 0x1a => {
                self.line.clear();
                self.ready.clear();
                if byte == 0x03 {
                    keyboard.interrupt();
                } else {
                    keyboard.suspend();
                }
                return vec![b'^', byte | 0x40];
            }
            0x04 if self.line.is_empty() => self.end = true,
            0x04 => self.ready.extend(self.line.drain(..)),
            0x08 | 0x7f => {
                // The last byte, and those before it up to the first one of its character.
                let mut most = 4;
                while let Some(byte) = self.line.pop() {
                    most -= 1;
                    if byte & 0xc0 != 0x80 || most == 0 {
                        return b"\x08 \x08".to_vec();
                    }
                }
                return Vec::new();
            }
            0x15 => {
                let count = String::from_utf8_lossy(&self.line).chars().count();
                self.line.clear();
                return b"\x08 \x08".repeat(count);
            }
            b'\n' => {
                self.line.push(b'\n');
                self.ready.extend(self.line.drain(..));
                return b"\n".to_vec();
            }
            byte => {
                self.line.push(byte);
                return match byte {
                    b'\t' | 0x20.. => vec![byte],
                    control => vec![b'^', control | 0x40],
                };
            }
        }
        Vec::new()
    }

    fn has_room(&self) -> bool {
        self.ready.len().saturating_add(self.line.len()) < limits::REMOTE_INPUT_BYTES
    }
}

impl Discipline {
    pub(super) fn new(keyboard: Keyboard) -> Self {
        let state = State {
            editing: false,
            echo: true,
            ready: VecDeque::new(),
            line: Vec::new(),
            end: false,
            gone: false,
            after_return: false,
            waiting: Vec::new(),
        };
        Self { state: Arc::new(Lock::new(state)), keyboard }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, waiting) = self.state.with(|state| {
            let result = change(state);
            (result, std::mem::take(&mut state.waiting))
        });
        waiting.into_iter().for_each(Waker::wake);
        result
    }

    /// Takes keys; returns what is to be shown.
    pub(super) fn take(&self, keys: &[u8]) -> Vec<u8> {
        self.change(|state| {
            let mut shown = Vec::new();
            for byte in keys {
                let follows = std::mem::replace(&mut state.after_return, *byte == b'\r');
                // The end of a line is CR, CR LF or CR NUL.
                if follows && matches!(*byte, b'\n' | 0) {
                    continue;
                }
                let byte = if *byte == b'\r' { b'\n' } else { *byte };
                if state.editing {
                    state.ready.push_back(byte);
                } else {
                    let echo = state.cook(byte, &self.keyboard);
                    if state.echo || echo == b"\n" {
                        shown.extend(echo);
                    }
                }
            }
            shown
        })
    }

    /// Waits until there is room for keys.
    pub(super) async fn room(&self) {
        future::poll_fn(|context| {
            self.state.with(|state| {
                if state.has_room() || state.gone {
                    return Poll::Ready(());
                }
                state.wait(context);
                Poll::Pending
            })
        })
        .await;
    }

    /// The peer is gone.
    pub(super) fn close(&self) {
        self.change(|state| state.gone = true);
    }

    /// Whether what is typed is shown: a password is not.
    pub(super) fn set_echo(&self, echo: bool) {
        self.change(|state| state.echo = echo);
    }

    /// What is typed, as a file.
    pub(super) fn input(&self) -> File {
        File::from_device(Arc::new(self.clone()), OpenFlags::READ)
    }

    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize>> {
        let (read, waiting) = self.state.with(|state| match state.read(buffer) {
            Some(count) => (Some(count), std::mem::take(&mut state.waiting)),
            None => {
                state.wait(context);
                (None, Vec::new())
            }
        });
        waiting.into_iter().for_each(Waker::wake);
        read.map_or(Poll::Pending, |count| Poll::Ready(Ok(count)))
    }
}

impl Modes for Discipline {
    fn edit(&self, is_editing: bool) -> std::result::Result<(), String> {
        self.change(|state| {
            if is_editing {
                // What was typed of a line is there to be edited.
                let line = std::mem::take(&mut state.line);
                state.ready.extend(line);
            }
            state.end = false;
            state.editing = is_editing;
        });
        Ok(())
    }
}

impl OpenDevice for Discipline {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(future::poll_fn(move |context| self.poll_read(context, buffer)))
    }

    fn write<'a>(&'a self, _: &'a [u8]) -> Operation<'a, usize> {
        Operation::done(Err(Error::BadFileDescriptor))
    }

    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        self.state.with(|state| {
            if state.ready.is_empty() && !state.end && !state.gone {
                state.wait(context);
                return Poll::Pending;
            }
            Poll::Ready(interest & Readiness::READABLE)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(discipline: &Discipline) -> Option<String> {
        let mut buffer = [0; 100];
        let count = discipline.input().try_read(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..count]).into_owned())
    }

    #[test]
    fn lines_are_edited_for_commands() {
        let keyboard = Keyboard::default();
        let discipline = Discipline::new(keyboard.clone());
        assert_eq!(discipline.take("aä\x7fb".as_bytes()), "aä\x08 \x08b".as_bytes());
        assert_eq!(read(&discipline), None);
        assert_eq!(discipline.take(b"\r\nx\x15y\r\0"), b"\nx\x08 \x08y\n");
        assert_eq!(read(&discipline).unwrap(), "ab\ny\n");
        assert_eq!(discipline.take(b"\x04"), b"");
        assert_eq!((read(&discipline).unwrap(), read(&discipline)), (String::new(), None));
        assert_eq!(discipline.take(b"half\x03"), b"half^C");
        future::block_on(keyboard.interrupted());
        discipline.set_echo(false);
        assert_eq!(discipline.take(b"secret\r"), b"\n");
        discipline.close();
        assert_eq!(read(&discipline).unwrap(), "secret\n");
        assert_eq!(read(&discipline).unwrap(), "");
    }

    /// A line that is long and then erased costs no more than its bytes: nobody has logged in yet.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "it measures the work, and no platform's time")]
    fn erasing_a_long_line_takes_no_long_turn() {
        let discipline = Discipline::new(Keyboard::default());
        let erase = vec![0x7f; limits::TELNET_BYTES];
        let times = (0..5).map(|_| {
            discipline.take(&vec![b'x'; limits::REMOTE_INPUT_BYTES]);
            let begun = std::time::Instant::now();
            for _ in 0..limits::REMOTE_INPUT_BYTES / limits::TELNET_BYTES {
                assert_eq!(discipline.take(&erase).len(), 3 * limits::TELNET_BYTES);
            }
            begun.elapsed()
        });
        // It was half a second when each erasure read the line; now it is a few milliseconds, of
        // which a busy machine may make more.
        let fastest = times.min().unwrap();
        assert!(fastest.as_millis() < 200, "{fastest:?}");
        assert_eq!(discipline.take(&erase), b"");
        // Bytes that are no character go too, four at most at once.
        discipline.take(&[b'a', 0x80, 0x80, 0x80, 0x80, 0x80]);
        discipline.take(&[0x7f, 0x7f, b'\r']);
        assert_eq!(read(&discipline).unwrap(), "\n");
    }

    #[test]
    fn what_is_typed_ahead_stays_when_the_mode_changes() {
        let discipline = Discipline::new(Keyboard::default());
        discipline.take(b"one\rtw");
        discipline.edit(true).unwrap();
        assert_eq!(discipline.take(b"o\x03"), b"");
        assert_eq!(read(&discipline).unwrap(), "one\ntwo\x03");
        discipline.take(&vec![b'x'; limits::REMOTE_INPUT_BYTES]);
        assert_eq!(future::block_on(future::poll_once(discipline.room())), None);
        read(&discipline);
        assert_eq!(future::block_on(future::poll_once(discipline.room())), Some(()));
    }
}
