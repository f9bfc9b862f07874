//! The calling convention of imports: how a call enters the host, returns at once or after
//! suspending the guest, and passes its result back.
//!
//! A body inspects the guest and its memory, and returns either a value or a future of one. The
//! future is polled once at once. If it is pending, the call leaves wasmi with [`Suspend`], the
//! [driver](crate::process) awaits the future while other tasks run, and then resumes the guest
//! with the value. Every call costs fuel, and transferred bytes cost more, so a guest cannot use
//! imports to take unaccounted time. A call that costs more than is left of the turn suspends the
//! guest, too, until it has paid.

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::task::{Context, Poll, Waker};

use devnet_network::platform::BoxFuture;
use devnet_virtual_file_system::Result;
use wasmi::errors::HostError;
use wasmi::{Caller, Extern, TrapCode};

use super::errno;
use crate::guest::{Completion, Guest};

/// Completes a call after a wait: writes results into memory and returns the value.
pub(crate) type Finish = Box<dyn FnOnce(&mut Guest, &mut [u8]) -> Result<i32> + Send>;

/// The outcome of an import's body.
pub(crate) enum Outcome {
    /// The value.
    Value(i32),
    /// The call may block.
    Wait(BoxFuture<'static, Finish>),
}

/// The call succeeded, and there is nothing more to say.
pub(crate) const DONE: Outcome = Outcome::Value(0);

impl Outcome {
    /// Waits for a future, then completes the call.
    pub(crate) fn wait(future: impl Future<Output = Finish> + Send + 'static) -> Self {
        Self::Wait(Box::pin(future))
    }
}

/// Boxes the completion of a call.
pub(crate) fn finish(
    action: impl FnOnce(&mut Guest, &mut [u8]) -> Result<i32> + Send + 'static,
) -> Finish {
    Box::new(action)
}

/// How an import returns an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Convention {
    /// As Linux' negative errno; module `vfs`.
    Negative,
    /// As WASI's errno; 0 is success.
    Wasi,
}

impl Convention {
    fn value(self, outcome: Result<i32>) -> i32 {
        match (self, outcome) {
            (_, Ok(value)) => value,
            (Self::Negative, Err(error)) => -i32::from(error.errno()),
            (Self::Wasi, Err(error)) => i32::from(errno::wasi(error)),
        }
    }
}

/// The guest is suspended in a call.
#[derive(Debug)]
pub(crate) struct Suspend;

impl fmt::Display for Suspend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a call that waits, where none may")
    }
}

impl core::error::Error for Suspend {}
impl HostError for Suspend {}

/// Runs the body of an import.
pub(crate) fn enter(
    caller: &mut Caller<'_, Guest>,
    convention: Convention,
    body: impl FnOnce(&mut Guest, &mut [u8]) -> Result<Outcome>,
) -> core::result::Result<i32, wasmi::Error> {
    let memory = match caller.data().memory {
        Some(memory) => Some(memory),
        // The start section runs before the driver knows the memory.
        None => caller.get_export("memory").and_then(Extern::into_memory),
    };
    let outcome = match memory {
        Some(memory) => {
            let (bytes, guest) = memory.data_and_store_mut(&mut *caller);
            run(guest, bytes, convention, body)
        }
        None => run(caller.data_mut(), &mut [], convention, body),
    };
    let price = caller.data_mut().take_price();
    let fuel = caller.get_fuel()?;
    caller.set_fuel(fuel.saturating_sub(price))?;
    let debt = price.saturating_sub(fuel);
    let guest = caller.data_mut();
    guest.debt = guest.debt.saturating_add(debt);
    match outcome {
        Some(value) if debt == 0 => Ok(value),
        // The start section cannot be suspended.
        Some(_) if guest.memory.is_none() => Err(TrapCode::OutOfFuel.into()),
        Some(value) => {
            let completion: Completion = Box::new(move |_, _| value);
            guest.pending = Some(Box::pin(core::future::ready(completion)));
            Err(wasmi::Error::host(Suspend))
        }
        None => Err(wasmi::Error::host(Suspend)),
    }
}

/// Returns the value, or `None` if the guest must be suspended.
fn run(
    guest: &mut Guest,
    memory: &mut [u8],
    convention: Convention,
    body: impl FnOnce(&mut Guest, &mut [u8]) -> Result<Outcome>,
) -> Option<i32> {
    match body(guest, memory) {
        Err(error) => Some(convention.value(Err(error))),
        Ok(Outcome::Value(value)) => Some(value),
        Ok(Outcome::Wait(mut waiting)) => {
            match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(finish) => Some(convention.value(finish(guest, memory))),
                Poll::Pending => {
                    guest.pending = Some(Box::pin(async move {
                        let finish = waiting.await;
                        let completion: Completion =
                            Box::new(move |guest, memory| convention.value(finish(guest, memory)));
                        completion
                    }));
                    None
                }
            }
        }
    }
}
