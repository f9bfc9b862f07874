//! WASI preview 1 (`wasi_snapshot_preview1`): the functions that the standard libraries of C and
//! Rust call.
//!
//! Signatures and layouts follow the WebAssembly/WASI repository's `preview1` documents.
//! Descriptors are those of module `vfs`. Descriptor 3 is the root directory, preopened, so that
//! libc resolves every granted absolute path. Functions for features that our file system lacks,
//! such as links, exist and return `ENOTSUP`.

mod environment;
mod files;
mod lookup;
mod options;
mod paths;
mod poll;
mod receiving;
mod sockets;

use wasmi::{Caller, Linker};

use super::call::{Convention, enter};
use super::imports;
use crate::guest::Guest;

/// Defines the functions; `is_wasmedge` selects one of the two functions named `sock_accept`.
pub(super) fn define(linker: &mut Linker<Guest>, is_wasmedge: bool) -> Result<(), wasmi::Error> {
    define_words(linker)?;
    define_files(linker)?;
    define_paths(linker)?;
    define_sockets(linker)?;
    if is_wasmedge {
        imports!(linker, "wasi_snapshot_preview1", Wasi:
            "sock_accept" => sockets::accept(number: u32, result: u32);
        );
    } else {
        imports!(linker, "wasi_snapshot_preview1", Wasi:
            "sock_accept" => sockets::accept_with_flags(number: u32, flags: u32, result: u32);
        );
    }
    Ok(())
}

fn define_words(linker: &mut Linker<Guest>) -> Result<(), wasmi::Error> {
    imports!(linker, "wasi_snapshot_preview1", Wasi:
        "args_get" => environment::arguments(pointers: u32, buffer: u32);
        "args_sizes_get" => environment::argument_sizes(count: u32, size: u32);
        "environ_get" => environment::environment(pointers: u32, buffer: u32);
        "environ_sizes_get" => environment::environment_sizes(count: u32, size: u32);
        "clock_res_get" => environment::clock_resolution(clock: u32, result: u32);
        "clock_time_get" => environment::clock_time(clock: u32, precision: u64, result: u32);
        "random_get" => environment::random(buffer: u32, length: u32);
        "sched_yield" => environment::give_way();
        "poll_oneoff" => poll::poll(subscriptions: u32, events: u32, count: u32, result: u32);
    );
    linker.func_wrap(
        "wasi_snapshot_preview1",
        "proc_exit",
        |status: u32| -> Result<(), wasmi::Error> { Err(wasmi::Error::i32_exit(status as i32)) },
    )?;
    linker.func_wrap(
        "wasi_snapshot_preview1",
        "proc_raise",
        |signal: u32| -> Result<u32, wasmi::Error> {
            // The exit status that a shell reports for a signal.
            Err(wasmi::Error::i32_exit((128_u32).saturating_add(signal & 0x7f) as i32))
        },
    )?;
    Ok(())
}

fn define_files(linker: &mut Linker<Guest>) -> Result<(), wasmi::Error> {
    imports!(linker, "wasi_snapshot_preview1", Wasi:
        "fd_advise" => files::advise(number: u32, offset: u64, length: u64, advice: u32);
        "fd_allocate" => files::allocate(number: u32, offset: u64, length: u64);
        "fd_close" => super::vfs::close(number: u32);
        "fd_datasync" => files::sync(number: u32);
        "fd_sync" => files::sync(number: u32);
        "fd_fdstat_get" => files::status(number: u32, result: u32);
        "fd_fdstat_set_flags" => files::set_flags(number: u32, flags: u32);
        "fd_fdstat_set_rights" => files::set_rights(number: u32, base: u64, inheriting: u64);
        "fd_filestat_get" => files::attributes(number: u32, result: u32);
        "fd_filestat_set_size" => files::set_size(number: u32, size: u64);
        "fd_filestat_set_times" => files::set_times(
            number: u32, access: u64, modification: u64, flags: u32
        );
        "fd_pread" => files::read_at(
            number: u32, vectors: u32, count: u32, offset: u64, result: u32
        );
        "fd_pwrite" => files::write_at(
            number: u32, vectors: u32, count: u32, offset: u64, result: u32
        );
        "fd_prestat_get" => files::preopened(number: u32, result: u32);
        "fd_prestat_dir_name" => files::preopened_name(number: u32, buffer: u32, length: u32);
        "fd_read" => files::read(number: u32, vectors: u32, count: u32, result: u32);
        "fd_readdir" => files::list(
            number: u32, buffer: u32, length: u32, cookie: u64, result: u32
        );
        "fd_renumber" => files::renumber(from: u32, to: u32);
        "fd_seek" => super::vfs::seek(number: u32, offset: u64, whence: u32, result: u32);
        "fd_tell" => files::tell(number: u32, result: u32);
        "fd_write" => files::write(number: u32, vectors: u32, count: u32, result: u32);
    );
    Ok(())
}

fn define_paths(linker: &mut Linker<Guest>) -> Result<(), wasmi::Error> {
    imports!(linker, "wasi_snapshot_preview1", Wasi:
        "path_create_directory" => paths::create_directory(number: u32, path: u32, length: u32);
        "path_filestat_get" => paths::attributes(
            number: u32, flags: u32, path: u32, length: u32, result: u32
        );
        "path_filestat_set_times" => paths::set_times(
            number: u32, flags: u32, path: u32, length: u32, access: u64, modification: u64,
            what: u32
        );
        "path_link" => paths::link(
            from: u32, flags: u32, path: u32, length: u32, to: u32, new: u32, new_length: u32
        );
        "path_open" => paths::open(
            number: u32, follow: u32, path: u32, length: u32, how: u32, rights: u64,
            inheriting: u64, flags: u32, result: u32
        );
        "path_readlink" => paths::read_link(
            number: u32, path: u32, length: u32, buffer: u32, capacity: u32, result: u32
        );
        "path_remove_directory" => paths::remove(number: u32, path: u32, length: u32; true);
        "path_rename" => paths::rename(
            from: u32, path: u32, length: u32, to: u32, new: u32, new_length: u32
        );
        "path_symlink" => paths::symbolic_link(
            path: u32, length: u32, number: u32, new: u32, new_length: u32
        );
        "path_unlink_file" => paths::remove(number: u32, path: u32, length: u32; false);
    );
    Ok(())
}

fn define_sockets(linker: &mut Linker<Guest>) -> Result<(), wasmi::Error> {
    imports!(linker, "wasi_snapshot_preview1", Wasi:
        "sock_open" => sockets::open(family: u32, kind: u32, result: u32);
        "sock_bind" => sockets::bind(number: u32, address: u32, port: u32);
        "sock_listen" => sockets::listen(number: u32, backlog: u32);
        "sock_connect" => sockets::connect(number: u32, address: u32, port: u32);
        "sock_recv" => receiving::receive(
            number: u32, vectors: u32, count: u32, flags: u32, length: u32, found: u32
        );
        "sock_recv_from" => receiving::receive_from(
            number: u32, vectors: u32, count: u32, address: u32, flags: u32, port: u32, length: u32,
            found: u32
        );
        "sock_send" => sockets::send(
            number: u32, vectors: u32, count: u32, flags: u32, length: u32
        );
        "sock_send_to" => sockets::send_to(
            number: u32, vectors: u32, count: u32, address: u32, port: u32, flags: u32, length: u32
        );
        "sock_shutdown" => sockets::shutdown(number: u32, how: u32);
        "sock_getlocaladdr" => sockets::local_address(
            number: u32, address: u32, kind: u32, port: u32
        );
        "sock_getpeeraddr" => sockets::peer_address(
            number: u32, address: u32, kind: u32, port: u32
        );
        "sock_getsockopt" => options::get(
            number: u32, level: u32, name: u32, value: u32, size: u32
        );
        "sock_setsockopt" => options::set(
            number: u32, level: u32, name: u32, value: u32, size: u32
        );
        "sock_getaddrinfo" => lookup::look_up(
            node: u32, node_length: u32, service: u32, service_length: u32, hints: u32,
            results: u32, capacity: u32, count: u32
        );
    );
    Ok(())
}
