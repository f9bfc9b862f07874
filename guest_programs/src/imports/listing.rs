//! `vfs.list`, and what `fd_readdir` shares with it: a directory is listed in pieces; each entry is
//! paid for, and other tasks run in between.
//!
//! The cursor is the name of the last entry, so it stays valid whatever happens to the directory
//! meanwhile.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use devnet_virtual_file_system::{DirectoryEntry, Error, Path, Result};
use futures_lite::future;

use super::call::{Outcome, finish};
use super::vfs::kind_number;
use crate::account::Account;
use crate::guest::Guest;
use crate::limits;
use crate::memory;
use crate::namespace::Namespace;

/// A list of the entries that a guest sees in a directory.
pub(super) struct Listing {
    namespace: Arc<Namespace>,
    account: Arc<Account>,
    path: Path,
    /// The name of the last entry looked at.
    after: Option<String>,
    piece: vec::IntoIter<DirectoryEntry>,
    is_first: bool,
}

impl Listing {
    /// Begins with the entry after a name, or with the first one.
    pub(super) fn new(guest: &Guest, path: Path, after: Option<String>) -> Self {
        Self {
            namespace: Arc::clone(&guest.namespace),
            account: Arc::clone(&guest.account),
            path,
            after,
            piece: Vec::new().into_iter(),
            is_first: true,
        }
    }

    /// Returns the next entry.
    pub(super) async fn next(&mut self) -> Result<Option<DirectoryEntry>> {
        loop {
            for entry in self.piece.by_ref() {
                if self.namespace.sees(&self.path, &entry.name)? {
                    return Ok(Some(entry));
                }
            }
            if !core::mem::take(&mut self.is_first) {
                future::yield_now().await;
            }
            let most = limits::LIST_ENTRIES;
            let piece = self.namespace.list_after(&self.path, self.after.as_deref(), most)?;
            self.account.work(limits::ENTRY_FUEL * (piece.len() + 1) as u64);
            let Some(last) = piece.last() else { return Ok(None) };
            self.after = Some(last.name.clone());
            self.piece = piece.into_iter();
        }
    }
}

pub(super) fn list(
    guest: &mut Guest,
    bytes: &mut [u8],
    path: u32,
    length: u32,
    buffer: u32,
    capacity: u32,
) -> Result<Outcome> {
    memory::check(bytes, buffer, capacity)?;
    let path = guest.path(bytes, path, length)?;
    let listing = Listing::new(guest, path, None);
    Ok(Outcome::wait(async move {
        let outcome = whole_list(listing, capacity as usize).await;
        finish(move |guest, bytes| {
            let (text, length) = outcome?;
            guest.moved(text.len());
            memory::write(bytes, buffer, &text)?;
            i32::try_from(length).map_err(|_| Error::MessageTooLong)
        })
    }))
}

/// Returns as much of a directory's list as fits, and the length of the whole.
async fn whole_list(mut listing: Listing, capacity: usize) -> Result<(Vec<u8>, usize)> {
    let (mut text, mut length) = (Vec::new(), 0);
    while let Some(entry) = listing.next().await? {
        let name = entry.name.as_bytes();
        let head =
            [kind_number(entry.kind), u8::try_from(name.len()).map_err(|_| Error::NameTooLong)?];
        length += head.len() + name.len();
        text.extend(head.iter().chain(name).take(capacity - text.len()));
    }
    Ok((text, length))
}
