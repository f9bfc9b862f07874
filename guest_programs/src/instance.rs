//! The instance of a guest: created in steps, ended in one.
//!
//! wasmi cannot suspend an instantiation. So the memory, which takes longest, is created before, in
//! steps that the guest pays for as for `memory.grow`. When the guest ends, its files are closed at
//! once, and a large memory goes to the disposer of its tree.

use alloc::boxed::Box;
use core::ops::{Deref, DerefMut};

use devnet_virtual_file_system::VirtualFileSystem;
use wasmi::{Memory, MemoryType, Store};

use crate::bulk::{Declared, MEMORY};
use crate::descriptor::Descriptors;
use crate::guest::Guest;
use crate::limits;
use crate::program::Program;

/// Bytes of a page of memory.
const PAGE_BYTES: u64 = 64 * 1024;

/// A guest's store.
pub(crate) struct Instance {
    /// `None` only while it is dropped.
    store: Option<Store<Guest>>,
    files: VirtualFileSystem,
}

impl Instance {
    /// Instantiates a program. Its start section runs here, with bounded fuel.
    ///
    /// # Errors
    /// As wasmi says.
    pub(crate) async fn new(
        program: &Program,
        guest: Guest,
        files: VirtualFileSystem,
    ) -> Result<(Self, wasmi::Instance), wasmi::Error> {
        let mut store = Store::new(program.engine(), guest);
        store.limiter(|guest| &mut guest.allocation);
        let mut this = Self { store: Some(store), files };
        let mut linker = program.linker().clone();
        if let Some(declared) = program.memory() {
            let memory = this.create_memory(declared).await?;
            linker.define(MEMORY.0, MEMORY.1, memory).map_err(wasmi::Error::from)?;
        }
        this.data_mut().allocation.begin_to_start();
        this.set_fuel(limits::START_FUEL)?;
        let instance = linker.instantiate_and_start(&mut *this, program.module())?;
        let left = this.get_fuel().unwrap_or(0);
        let memory = instance.get_memory(&*this, "memory");
        let guest = this.data_mut();
        guest.memory = memory;
        guest.allocation.begin_to_run();
        guest.burnt += limits::START_FUEL.saturating_sub(left);
        Ok((this, instance))
    }

    async fn create_memory(&mut self, declared: Declared) -> Result<Memory, wasmi::Error> {
        let mut rest = u64::from(declared.minimum);
        // One that does not fit is refused as a whole.
        let fits = self.data().allocation.has_room(rest.saturating_mul(PAGE_BYTES));
        let first = if fits { 0 } else { declared.minimum };
        let memory = Memory::new(&mut **self, MemoryType::new(first, declared.maximum))?;
        while rest > 0 {
            let pages = rest.min(limits::GROW_BYTES as u64 / PAGE_BYTES);
            memory.grow(&mut **self, pages)?;
            rest -= pages;
            self.pay().await;
        }
        Ok(memory)
    }

    /// Pays for new memory: other tasks run for as many turns as it took.
    async fn pay(&mut self) {
        let guest = self.data_mut();
        let price = guest.allocation.take_price();
        guest.burnt += price;
        for _ in 0..price.div_ceil(limits::TURN_FUEL) {
            let idle = (self.data().supplies.idle)();
            idle.await;
        }
    }
}

impl Deref for Instance {
    type Target = Store<Guest>;

    #[expect(clippy::unreachable, reason = "only drop takes the store")]
    fn deref(&self) -> &Self::Target {
        match &self.store {
            Some(store) => store,
            None => unreachable!(),
        }
    }
}

impl DerefMut for Instance {
    #[expect(clippy::unreachable, reason = "only drop takes the store")]
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.store {
            Some(store) => store,
            None => unreachable!(),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let Some(mut store) = self.store.take() else { return };
        let guest = store.data_mut();
        guest.pending = None;
        guest.descriptors = Descriptors::new(0);
        if guest.allocation.used() > limits::FREED_BYTES {
            self.files.dispose(Box::new(store));
        }
    }
}
