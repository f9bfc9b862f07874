//! Who pays for what is stored in a tree.
//!
//! A `Quota` is an account of nodes and bytes with a limit. Whoever creates a node or makes a
//! file grow holds a `Charge` of an account as long as the node or the bytes exist, wherever
//! their names go and whoever has them open. An account lies within another one: what a guest
//! stores counts for the guest, for all guests together, and for the tree.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use crate::error::{Error, Result};
use crate::lock::Lock;

/// Drops what takes longer to free than a turn, preferably on another thread. It must drop it, and
/// may do so at once.
pub type Disposer = Arc<dyn Fn(Box<dyn Send>) + Send + Sync>;

/// Returns a disposer that drops everything at once.
#[must_use]
pub fn drop_at_once() -> Disposer {
    Arc::new(drop)
}

/// Nodes, and bytes with their overhead.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stored {
    /// Files, directories and mounted devices.
    pub nodes: usize,
    /// Bytes that they hold in memory: allocated, not only written ones, and the overhead.
    pub bytes: usize,
}

impl Stored {
    pub(crate) const fn bytes(bytes: usize) -> Self {
        Self { nodes: 0, bytes }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_sub(other.nodes),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// An account of what is stored, with its limit.
pub(crate) struct Quota {
    limit: Stored,
    used: Lock<Stored>,
    parent: Option<Arc<Self>>,
    disposer: Disposer,
}

impl fmt::Debug for Quota {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Quota")
            .field("limit", &self.limit)
            .field("used", &self.used())
            .finish_non_exhaustive()
    }
}

impl Quota {
    /// Creates the account of a tree.
    pub(crate) fn new(limit: Stored, disposer: Disposer) -> Self {
        Self { limit, used: Lock::default(), parent: None, disposer }
    }

    /// Creates an account within this one.
    pub(crate) fn part(self: &Arc<Self>, limit: Stored) -> Self {
        let (parent, disposer) = (Some(Arc::clone(self)), Arc::clone(&self.disposer));
        Self { limit, used: Lock::default(), parent, disposer }
    }

    /// Returns what drops large things.
    pub(crate) fn disposer(&self) -> &Disposer {
        &self.disposer
    }

    pub(crate) const fn limit(&self) -> Stored {
        self.limit
    }

    pub(crate) fn used(&self) -> Stored {
        self.used.with(|used| *used)
    }

    /// Charges an amount, or fails with `NoSpace`.
    pub(crate) fn charge(self: &Arc<Self>, amount: Stored) -> Result<Charge> {
        self.take(amount)?;
        Ok(Charge { payer: Arc::clone(self), amount })
    }

    fn take(&self, amount: Stored) -> Result<()> {
        self.used.with(|used| {
            let sum = used.plus(amount);
            // An account that is full may still give and take bytes of its nodes.
            let is_beyond = (amount.nodes > 0 && sum.nodes > self.limit.nodes)
                || (amount.bytes > 0 && sum.bytes > self.limit.bytes);
            if is_beyond {
                return Err(Error::NoSpace);
            }
            *used = sum;
            Ok(())
        })?;
        let Some(parent) = &self.parent else { return Ok(()) };
        parent.take(amount).inspect_err(|_| self.used.with(|used| *used = used.minus(amount)))
    }

    fn give_back(&self, amount: Stored) {
        self.used.with(|used| *used = used.minus(amount));
        if let Some(parent) = &self.parent {
            parent.give_back(amount);
        }
    }
}

/// An amount that an account pays; dropping it gives the amount back.
#[derive(Debug)]
pub(crate) struct Charge {
    payer: Arc<Quota>,
    amount: Stored,
}

impl Charge {
    pub(crate) fn payer(&self) -> &Arc<Quota> {
        &self.payer
    }

    /// Makes this charge one of so many bytes of this account.
    ///
    /// # Errors
    /// `NoSpace`; the charge is unchanged.
    pub(crate) fn become_bytes(&mut self, payer: &Arc<Quota>, bytes: usize) -> Result<()> {
        if !Arc::ptr_eq(&self.payer, payer) {
            *self = payer.charge(Stored { bytes, ..self.amount })?;
            return Ok(());
        }
        match bytes.checked_sub(self.amount.bytes) {
            Some(more) => self.payer.take(Stored::bytes(more))?,
            None => self.payer.give_back(Stored::bytes(self.amount.bytes - bytes)),
        }
        self.amount.bytes = bytes;
        Ok(())
    }

    /// Gives back what is more than so many bytes.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let less = self.amount.bytes.saturating_sub(bytes);
        self.payer.give_back(Stored::bytes(less));
        self.amount.bytes -= less;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.payer.give_back(self.amount);
    }
}
