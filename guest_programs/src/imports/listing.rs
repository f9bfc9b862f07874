//! Lists a directory in pieces: each entry is paid for, and other tasks run in between.
//!
//! The cursor is the name of the last entry, so it stays valid whatever happens to the directory
//! meanwhile.

use alloc::string::String;
use alloc::sync::Arc;

use futures_lite::future;
use virtual_file_system::{DirectoryEntry, Path, Result};

use crate::account::Account;
use crate::guest::Guest;
use crate::limits;
use crate::namespace::Namespace;

/// A list of the entries that a guest sees in a directory.
pub(super) struct Listing {
    namespace: Arc<Namespace>,
    account: Arc<Account>,
    path: Path,
    /// The name of the last entry looked at.
    after: Option<String>,
    piece: alloc::vec::IntoIter<DirectoryEntry>,
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
            piece: alloc::vec::Vec::new().into_iter(),
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
