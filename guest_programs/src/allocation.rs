//! What a guest's instance takes of its memory limit: its memory, its tables, and what its module
//! makes it hold beside them.
//!
//! wasmi asks here before it creates or grows a memory or a table.

use wasmi::ResourceLimiter;
use wasmi::errors::{MemoryError, TableError};
use wasmi_core::LimiterError;

use crate::limits;

/// What one guest's instance holds, and may hold.
#[derive(Debug)]
pub(crate) struct Allocation {
    limit: usize,
    /// What its module takes.
    fixed: usize,
    memory: Growing,
    tables: Growing,
    /// Memories and tables were created; from now on they grow.
    is_running: bool,
    /// The start section runs. It cannot be suspended, so its memory does not grow.
    is_starting: bool,
    /// Bytes by which the memory grew and which are not paid yet.
    unpaid: usize,
    /// The growth of a memory that [`bulk`](crate::bulk) asked for was refused: so is its first
    /// step.
    is_refused: bool,
}

/// Bytes, and how many there were before the last growth, which may fail.
#[derive(Debug, Default)]
struct Growing {
    bytes: usize,
    before: usize,
}

impl Growing {
    fn set(&mut self, bytes: usize) {
        self.before = core::mem::replace(&mut self.bytes, bytes);
    }
}

impl Allocation {
    /// Starts with what a module takes; a small module takes nothing.
    pub(crate) fn new(limit: usize, module_bytes: usize) -> Self {
        Self {
            limit,
            fixed: module_bytes.saturating_sub(limits::FREE_INSTANCE_BYTES),
            memory: Growing::default(),
            tables: Growing::default(),
            is_running: false,
            is_starting: false,
            unpaid: 0,
            is_refused: false,
        }
    }

    pub(crate) fn begin_to_start(&mut self) {
        self.is_starting = true;
    }

    pub(crate) fn begin_to_run(&mut self) {
        (self.is_starting, self.is_running) = (false, true);
    }

    /// Returns the price in fuel of the memory that was new since the last call.
    pub(crate) fn take_price(&mut self) -> u64 {
        (core::mem::take(&mut self.unpaid) / limits::NEW_BYTES_PER_FUEL) as u64
    }

    /// Returns the bytes of its memory and its tables.
    pub(crate) fn used(&self) -> usize {
        self.memory.bytes.saturating_add(self.tables.bytes)
    }

    /// Returns whether a memory of so many bytes fits.
    pub(crate) fn has_room(&self, memory: u64) -> bool {
        usize::try_from(memory).is_ok_and(|memory| self.fits(memory, self.tables.bytes))
    }

    fn fits(&self, memory: usize, tables: usize) -> bool {
        memory.saturating_add(tables).saturating_add(self.fixed) <= self.limit
    }
}

impl ResourceLimiter for Allocation {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        let fits = self.fits(desired, self.tables.bytes);
        let is_step = desired.saturating_sub(current) <= limits::GROW_BYTES;
        if self.is_running && !is_step {
            // It was asked whether it may grow so far; it does so in steps.
            self.is_refused = !fits;
            return Ok(false);
        }
        if core::mem::take(&mut self.is_refused) || !fits || self.is_starting && desired > 0 {
            return Ok(false);
        }
        self.unpaid = self.unpaid.saturating_add(desired.saturating_sub(current));
        self.memory.set(desired);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        let more = desired.saturating_sub(current);
        let bytes = self.tables.bytes.saturating_add(more.saturating_mul(limits::ELEMENT_BYTES));
        let is_step = !self.is_running || more <= limits::TABLE_STEP;
        if desired > limits::TABLE_ELEMENTS || !is_step || !self.fits(self.memory.bytes, bytes) {
            return Ok(false);
        }
        self.tables.set(bytes);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: &MemoryError) -> Result<(), LimiterError> {
        let failed = self.memory.bytes.saturating_sub(self.memory.before);
        self.unpaid = self.unpaid.saturating_sub(failed);
        self.memory.bytes = self.memory.before;
        Ok(())
    }

    fn table_grow_failed(&mut self, _: &TableError) -> Result<(), LimiterError> {
        self.tables.bytes = self.tables.before;
        Ok(())
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        limits::TABLES
    }

    /// wasmi counts a memory that is imported twice; more than one is no valid module.
    fn memories(&self) -> usize {
        2
    }
}
