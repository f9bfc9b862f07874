//! Imports that need no file: arguments, environment, clocks and random bytes.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;

use devnet_network::platform::Entropy;
use devnet_virtual_file_system::{Error, Result};
use futures_lite::future;

use super::super::call::{DONE, Outcome, finish};
use crate::guest::Guest;
use crate::limits;
use crate::memory;

/// Writes strings one after another, each with a terminating zero, and a pointer to each.
fn write_strings(
    bytes: &mut [u8],
    words: &[String],
    mut pointers: u32,
    mut buffer: u32,
) -> Result<Outcome> {
    for word in words {
        memory::write_u32(bytes, pointers, buffer)?;
        memory::write(bytes, buffer, word.as_bytes())?;
        buffer = memory::at(buffer, word.len() as u32)?;
        memory::write(bytes, buffer, &[0])?;
        buffer = memory::at(buffer, 1)?;
        pointers = memory::at(pointers, 4)?;
    }
    Ok(DONE)
}

/// Charges writing or counting strings.
fn pay_strings(guest: &Guest, words: &[String]) {
    let bytes: usize = words.iter().map(|word| word.len() + limits::BYTES_PER_FUEL).sum();
    guest.account.work((bytes / limits::BYTES_PER_FUEL) as u64);
}

fn write_sizes(bytes: &mut [u8], words: &[String], count: u32, size: u32) -> Result<Outcome> {
    memory::write_u32(bytes, count, words.len() as u32)?;
    memory::write_u32(bytes, size, words.iter().map(|word| word.len() as u32 + 1).sum())?;
    Ok(DONE)
}

pub(super) fn arguments(
    guest: &mut Guest,
    bytes: &mut [u8],
    pointers: u32,
    buffer: u32,
) -> Result<Outcome> {
    pay_strings(guest, &guest.arguments);
    write_strings(bytes, &guest.arguments, pointers, buffer)
}

pub(super) fn argument_sizes(
    guest: &mut Guest,
    bytes: &mut [u8],
    count: u32,
    size: u32,
) -> Result<Outcome> {
    pay_strings(guest, &guest.arguments);
    write_sizes(bytes, &guest.arguments, count, size)
}

pub(super) fn environment(
    guest: &mut Guest,
    bytes: &mut [u8],
    pointers: u32,
    buffer: u32,
) -> Result<Outcome> {
    pay_strings(guest, &guest.environment);
    write_strings(bytes, &guest.environment, pointers, buffer)
}

pub(super) fn environment_sizes(
    guest: &mut Guest,
    bytes: &mut [u8],
    count: u32,
    size: u32,
) -> Result<Outcome> {
    pay_strings(guest, &guest.environment);
    write_sizes(bytes, &guest.environment, count, size)
}

/// Returns the nanoseconds of a clock: 0 since 1970, 1 since the system's start. CPU-time clocks
/// are not available.
pub(super) fn now(guest: &Guest, clock: u32) -> Result<u64> {
    let monotonic = u128::from(guest.supplies.clock.now().as_micros()) * 1000;
    let nanoseconds = match clock {
        0 => monotonic + guest.supplies.started.as_nanos(),
        1 => monotonic,
        _ => return Err(Error::InvalidInput),
    };
    u64::try_from(nanoseconds).map_err(|_| Error::InvalidInput)
}

pub(super) fn clock_time(
    guest: &mut Guest,
    bytes: &mut [u8],
    clock: u32,
    _: u64,
    result: u32,
) -> Result<Outcome> {
    memory::write_u64(bytes, result, now(guest, clock)?)?;
    Ok(DONE)
}

pub(super) fn clock_resolution(
    guest: &mut Guest,
    bytes: &mut [u8],
    clock: u32,
    result: u32,
) -> Result<Outcome> {
    now(guest, clock)?;
    memory::write_u64(bytes, result, 1000)?;
    Ok(DONE)
}

pub(super) fn random(
    guest: &mut Guest,
    bytes: &mut [u8],
    buffer: u32,
    length: u32,
) -> Result<Outcome> {
    memory::check(bytes, buffer, length)?;
    if length as usize > limits::RANDOM_BYTES {
        return Err(Error::InvalidInput);
    }
    guest.account.work(limits::RANDOM_BYTE_FUEL * u64::from(length));
    let mut data = vec![0; length as usize];
    let entropy = Arc::clone(&guest.supplies.entropy);
    Ok(Outcome::wait(async move {
        let outcome = fill(&*entropy, &mut data).await;
        finish(move |_, bytes| {
            outcome?;
            memory::write(bytes, buffer, &data)?;
            Ok(0)
        })
    }))
}

/// Fills a buffer in pieces, between which other tasks run.
async fn fill(entropy: &dyn Entropy, data: &mut [u8]) -> Result<()> {
    for (index, piece) in data.chunks_mut(limits::RANDOM_STEP_BYTES).enumerate() {
        if index > 0 {
            future::yield_now().await;
        }
        entropy.fill(piece).map_err(|_| Error::InputOutput)?;
    }
    Ok(())
}

pub(super) fn give_way(guest: &mut Guest, _: &mut [u8]) -> Result<Outcome> {
    let idle = (guest.supplies.idle)();
    Ok(Outcome::wait(async {
        // A call is polled once at once, which would count as the yield.
        future::yield_now().await;
        idle.await;
        finish(|_, _| Ok(0))
    }))
}
