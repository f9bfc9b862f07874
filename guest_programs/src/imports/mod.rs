//! The functions that a guest can import: module [`vfs`], a subset of WASI preview 1, and
//! WasmEdge's socket functions. All share one descriptor table.
//!
//! Every import is a row in one of the tables here: its name, its function, its parameters. The
//! shared parts (fuel, suspension, memory, errors) are in [`call`], [`waiting`],
//! [`memory`](crate::memory) and [`errno`].

#![expect(
    clippy::too_many_arguments,
    reason = "the parameters of a function are those of the import"
)]

pub(crate) mod call;
mod errno;
mod listing;
mod preview1;
mod usage;
mod vfs;
mod waiting;

use wasmi::{Caller, ExternType, Linker, Module};

use self::call::{Convention, enter};
use crate::guest::Guest;

/// Defines imports: `"name" => function(parameter: type, …)`; a constant after a semicolon is one
/// more argument of the function.
macro_rules! imports {
    (
        $linker:expr, $module:literal, $convention:ident:
        $($name:literal => $($function:ident)::+
            ( $($parameter:ident : $type:ty),* $(; $constant:expr)? );)+
    ) => {
        $($linker.func_wrap(
            $module,
            $name,
            |mut caller: Caller<'_, Guest>, $($parameter: $type),*| {
                enter(&mut caller, Convention::$convention, |guest, memory| {
                    $($function)::+(guest, memory $(, $parameter)* $(, $constant)?)
                })
            },
        )?;)+
    };
}
pub(crate) use imports;

/// Defines every function that a module may import.
pub(crate) fn define(linker: &mut Linker<Guest>, module: &Module) -> Result<(), wasmi::Error> {
    imports!(linker, "vfs", Negative:
        "open" => vfs::open(path: u32, length: u32, flags: u32);
        "close" => vfs::close(number: u32);
        "read" => vfs::read(number: u32, buffer: u32, length: u32);
        "write" => vfs::write(number: u32, data: u32, length: u32);
        "poll" => waiting::poll(entries: u32, count: u32, milliseconds: u32);
        "seek" => vfs::seek(number: u32, offset: u64, whence: u32, result: u32);
        "stat" => vfs::stat(path: u32, length: u32, result: u32);
        "stat_open" => vfs::stat_open(number: u32, result: u32);
        "list" => listing::list(path: u32, length: u32, buffer: u32, capacity: u32);
        "set_non_blocking" => vfs::set_non_blocking(number: u32, is_on: u32);
        "duplicate" => vfs::duplicate(number: u32);
        "create_directory" => vfs::create_directory(path: u32, length: u32);
        "remove" => vfs::remove(path: u32, length: u32);
        "rename" => vfs::rename(from: u32, from_length: u32, to: u32, to_length: u32);
        "usage" => usage::usage(buffer: u32, capacity: u32);
        "control" => vfs::control(
            number: u32, identifier: u32, request: u32, length: u32, response: u32, capacity: u32
        );
    );
    preview1::define(linker, parameters(module, "sock_accept") == Some(2))
}

/// Returns the number of parameters in a module's import of a function: WasmEdge and WASI both have
/// a `sock_accept`.
fn parameters(module: &Module, name: &str) -> Option<usize> {
    module.imports().find(|import| import.name() == name).and_then(|import| match import.ty() {
        ExternType::Func(function) => Some(function.params().len()),
        _ => None,
    })
}
