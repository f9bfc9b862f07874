//! What is pressed while a command of an interactive shell runs: Ctrl-C and Ctrl-Z; and that the
//! terminal is gone.
//!
//! Set by who knows the terminal, from any thread; awaited by the terminal's loop, and by the shell
//! for the command in the foreground.

use std::sync::Arc;
use std::task::{Poll, Waker};

use devnet_virtual_file_system::Lock;
use futures_lite::future;

use super::signals::Signal;

/// The keys of a terminal. Clones share it.
#[derive(Clone, Default)]
pub struct Keyboard(Arc<Lock<State>>);

#[derive(Default)]
struct State {
    interrupt: bool,
    suspend: bool,
    ended: Option<Signal>,
    waiting: Vec<Waker>,
}

impl Keyboard {
    fn change(&self, change: impl FnOnce(&mut State)) {
        let waiting = self.0.with(|state| {
            change(state);
            std::mem::take(&mut state.waiting)
        });
        waiting.into_iter().for_each(Waker::wake);
    }

    async fn until<T>(&self, mut take: impl FnMut(&mut State) -> Option<T>) -> T {
        future::poll_fn(|context| {
            self.0.with(|state| {
                if let Some(taken) = take(state) {
                    return Poll::Ready(taken);
                }
                if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.waiting.push(context.waker().clone());
                }
                Poll::Pending
            })
        })
        .await
    }

    /// Ctrl-C is pressed.
    pub fn interrupt(&self) {
        self.change(|state| state.interrupt = true);
    }

    /// Ctrl-Z is pressed.
    pub fn suspend(&self) {
        self.change(|state| state.suspend = true);
    }

    /// The terminal is gone, or somebody wants an end.
    pub fn end(&self, signal: Signal) {
        self.change(|state| state.ended = Some(signal));
    }

    /// Forgets what was pressed while no command ran.
    pub fn forget(&self) {
        self.0.with(|state| (state.interrupt, state.suspend) = (false, false));
    }

    /// Waits for Ctrl-C.
    pub async fn interrupted(&self) {
        self.until(|state| std::mem::take(&mut state.interrupt).then_some(())).await;
    }

    /// Waits for Ctrl-Z.
    pub async fn suspended(&self) {
        self.until(|state| std::mem::take(&mut state.suspend).then_some(())).await;
    }

    /// Waits for the end; it stays.
    pub async fn ended(&self) -> Signal {
        self.until(|state| state.ended).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_press_counts_once_and_the_end_stays() {
        let keys = Keyboard::default();
        keys.interrupt();
        future::block_on(keys.interrupted());
        assert_eq!(future::block_on(future::poll_once(keys.interrupted())), None);
        keys.suspend();
        keys.forget();
        assert_eq!(future::block_on(future::poll_once(keys.suspended())), None);
        keys.end(Signal::HANG_UP);
        assert_eq!(future::block_on(keys.ended()), Signal::HANG_UP);
        assert_eq!(future::block_on(keys.ended()), Signal::HANG_UP);
    }
}
