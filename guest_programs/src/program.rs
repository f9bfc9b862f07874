//! A module that is ready to run: validated, translated and linked. All guests that run it share
//! it. Before, `bulk` cuts its instructions that would take longer than a turn.
//!
//! Translation is eager: with wasmi's lazy translation, a guest that runs out of fuel while a
//! function is translated would end. Translation takes time in proportion to the module's size. Do
//! it on another thread if latency matters; a [`Program`] is `Send`.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;

use wasmi::{CompilationMode, Config, Engine, Linker, Module, OperatorCost};

use crate::bulk::{Cut, Declared};
use crate::guest::Guest;
use crate::{bulk, imports, limits};

/// Why a module cannot be run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProgramError(String);

impl ProgramError {
    pub(crate) fn new(why: impl ToString) -> Self {
        Self(why.to_string())
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl core::error::Error for ProgramError {}

/// Translates modules. Each program gets its own engine, so that a module on which wasmi fails does
/// not affect others.
#[derive(Clone)]
pub struct Translator(Config);

/// Runs wasmi's translator; `None` if it panics. Version 2.0.0 panics on valid modules that store a
/// float at an offset of 64 KiB or more through registers. Only the feature `std` can catch a
/// panic: enable it if modules are untrusted.
#[cfg(feature = "std")]
fn survived<T>(work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok()
}

#[cfg(not(feature = "std"))]
fn survived<T>(work: impl FnOnce() -> T) -> Option<T> {
    Some(work())
}

impl Default for Translator {
    fn default() -> Self {
        Self::new()
    }
}

impl Translator {
    /// Creates a translator.
    #[must_use]
    pub fn new() -> Self {
        let mut config = Config::default();
        config
            .consume_fuel(true)
            .operator_cost(OperatorCost {
                memory_grow: limits::GROW_FUEL,
                table_grow: limits::GROW_FUEL,
                ..OperatorCost::default()
            })
            .compilation_mode(CompilationMode::Eager)
            .wasm_multi_memory(false)
            .wasm_custom_page_sizes(false)
            .ignore_custom_sections(true)
            .set_max_recursion_depth(limits::RECURSION)
            .set_max_stack_height(limits::STACK_BYTES);
        Self(config)
    }

    /// Translates a module in the binary format.
    ///
    /// # Errors
    /// The module is invalid, too large, or has an unknown import.
    pub fn translate(&self, module: &[u8]) -> Result<Program, ProgramError> {
        if module.len() > limits::MODULE_BYTES {
            return Err(ProgramError::new("the module is too large"));
        }
        let engine = Engine::new(&self.0);
        let cut = bulk::cut(module);
        let translated = survived(|| Module::new(&engine, &*cut.module));
        let module = translated
            .ok_or_else(|| {
                ProgramError::new(
                    "the translator failed on it; that is its fault, not the module's",
                )
            })?
            .map_err(ProgramError::new)?;
        let mut linker = Linker::new(&engine);
        imports::define(&mut linker, &module).map_err(ProgramError::new)?;
        let Cut { instance_bytes, memory, .. } = cut;
        Ok(Program(Arc::new(Parts { engine, module, linker, instance_bytes, memory })))
    }
}

/// A module that is ready to run; clones share it.
#[derive(Clone)]
pub struct Program(Arc<Parts>);

struct Parts {
    engine: Engine,
    module: Module,
    linker: Linker<Guest>,
    instance_bytes: usize,
    memory: Option<Declared>,
}

impl fmt::Debug for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Program").finish_non_exhaustive()
    }
}

impl Program {
    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Returns the bytes that the module makes a system hold beside memory and tables.
    pub(crate) fn instance_bytes(&self) -> usize {
        self.0.instance_bytes
    }

    /// Returns the memory to create before it is instantiated.
    pub(crate) fn memory(&self) -> Option<Declared> {
        self.0.memory
    }

    pub(crate) fn module(&self) -> &Module {
        &self.0.module
    }

    pub(crate) fn linker(&self) -> &Linker<Guest> {
        &self.0.linker
    }
}
