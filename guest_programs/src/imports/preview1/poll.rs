//! `poll_oneoff`: waits for files and clocks at once. libc's `poll`, `select` and `sleep` and
//! Rust's `thread::sleep` use it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use devnet_network::command::GetSocket;
use devnet_network::platform::Instant;
use devnet_virtual_file_system::{Error, Readiness, Result};

use super::super::call::{Outcome, finish};
use super::super::errno;
use super::super::waiting::{self, Watched};
use super::environment;
use crate::guest::Guest;
use crate::limits;
use crate::memory;

const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;
/// The event flag for a hang-up of the peer.
const HANG_UP: u16 = 1;

/// The type of a subscription.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Clock,
    Read,
    Write,
}

struct Subscription {
    user: u64,
    tag: Tag,
    /// The index of its file in the list of watched files.
    file: Option<usize>,
    deadline: Instant,
    /// The error of the subscription.
    error: u16,
}

fn deadline(guest: &Guest, bytes: &[u8], entry: u32) -> Result<Instant> {
    let clock = memory::read_u32(bytes, memory::at(entry, 16)?)?;
    let timeout = memory::read_u64(bytes, memory::at(entry, 24)?)?;
    let is_absolute = memory::read_u16(bytes, memory::at(entry, 40)?)? & 1 != 0;
    let now = environment::now(guest, clock)?;
    let left = if is_absolute { timeout.saturating_sub(now) } else { timeout };
    // Round up, so that no sleep ends early.
    Ok(guest.supplies.clock.now().after(Duration::from_micros(left.div_ceil(1000))))
}

fn read_subscriptions(
    guest: &Guest,
    bytes: &[u8],
    first: u32,
    count: u32,
) -> Result<(Vec<Subscription>, Vec<Watched>)> {
    let (mut subscriptions, mut watched) = (Vec::new(), Vec::new());
    for index in 0..count {
        let entry = memory::at(first, index * SUBSCRIPTION_BYTES)?;
        let user = memory::read_u64(bytes, entry)?;
        let mut one =
            Subscription { user, tag: Tag::Clock, file: None, deadline: Instant::NEVER, error: 0 };
        match memory::read_u8(bytes, memory::at(entry, 8)?)? {
            0 => match deadline(guest, bytes, entry) {
                Ok(deadline) => one.deadline = deadline,
                Err(error) => one.error = errno::wasi(error),
            },
            tag @ (1 | 2) => {
                let interest = if tag == 1 { Readiness::READABLE } else { Readiness::WRITABLE };
                one.tag = if tag == 1 { Tag::Read } else { Tag::Write };
                let number = memory::read_u32(bytes, memory::at(entry, 16)?)?;
                match guest.descriptors.get(number) {
                    Ok(descriptor) => {
                        one.file = Some(watched.len());
                        watched.push(Watched::Open(descriptor.clone(), interest));
                    }
                    Err(error) => one.error = errno::wasi(error),
                }
            }
            _ => return Err(Error::InvalidInput),
        }
        subscriptions.push(one);
    }
    Ok((subscriptions, watched))
}

/// Returns the bytes available to read: a socket knows them; for other files the answer is one.
fn readable_bytes(watched: &Watched) -> u64 {
    let Watched::Open(descriptor, _) = watched else { return 0 };
    let socket =
        descriptor.guard.as_ref().and_then(|_| descriptor.file.try_control::<GetSocket>(&()).ok());
    socket.map_or(1, |socket| u64::from(socket.receive_queue))
}

struct Event {
    user: u64,
    error: u16,
    tag: Tag,
    bytes: u64,
    flags: u16,
}

fn write_event(bytes: &mut [u8], place: u32, event: &Event) -> Result<()> {
    memory::slice_mut(bytes, place, EVENT_BYTES)?.fill(0);
    memory::write_u64(bytes, place, event.user)?;
    memory::write_u16(bytes, memory::at(place, 8)?, event.error)?;
    memory::write(bytes, memory::at(place, 10)?, &[event.tag as u8])?;
    memory::write_u64(bytes, memory::at(place, 16)?, event.bytes)?;
    memory::write_u16(bytes, memory::at(place, 24)?, event.flags)
}

pub(super) fn poll(
    guest: &mut Guest,
    bytes: &mut [u8],
    first: u32,
    events: u32,
    count: u32,
    result: u32,
) -> Result<Outcome> {
    // Each open file for reading and for writing.
    let most = (2 * guest.descriptors.limit()).max(limits::POLL_ENTRIES);
    if count == 0 || count as usize > most {
        return Err(Error::InvalidInput);
    }
    memory::check(bytes, events, count * EVENT_BYTES)?;
    memory::check(bytes, result, 4)?;
    let (subscriptions, watched) = read_subscriptions(guest, bytes, first, count)?;
    guest.account.work(u64::from(count) * limits::POLL_FUEL);
    let clock = Arc::clone(&guest.supplies.clock);
    // Errors are reported at once.
    let is_wrong = subscriptions.iter().any(|one| one.error != 0);
    let deadline = subscriptions.iter().map(|one| one.deadline).min().unwrap_or(Instant::NEVER);
    let deadline = if is_wrong { clock.now() } else { deadline };
    let copies = watched.clone();
    Ok(Outcome::wait(async move {
        let found = waiting::wait(copies, deadline, Arc::clone(&clock)).await;
        let now = clock.now();
        finish(move |_, bytes| {
            let mut place = events;
            let mut count = 0;
            for one in &subscriptions {
                let ready = one
                    .file
                    .and_then(|file| found.get(file).copied())
                    .map(|ready| ready.unwrap_or(Readiness::empty()));
                let is_due = match ready {
                    None => one.error != 0 || one.deadline <= now,
                    Some(ready) => !ready.is_empty(),
                };
                if !is_due {
                    continue;
                }
                let is_read = one.tag == Tag::Read;
                let file = one.file.filter(|_| is_read).and_then(|file| watched.get(file));
                let is_over = ready.is_some_and(|ready| ready.contains(Readiness::HANG_UP));
                let event = Event {
                    user: one.user,
                    error: one.error,
                    tag: one.tag,
                    bytes: file.map_or(u64::from(ready.is_some()), readable_bytes),
                    flags: if is_over { HANG_UP } else { 0 },
                };
                write_event(bytes, place, &event)?;
                place = memory::at(place, EVENT_BYTES)?;
                count += 1;
            }
            memory::write_u32(bytes, result, count)?;
            Ok(0)
        })
    }))
}
