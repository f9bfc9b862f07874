//! `free`: the memory that is counted here: files, connections and guest programs.
//!
//! How much memory the program has as a whole is the host's to say, so there is no line for it.

use devnet_network::command::ListUsage;
use lexopt::prelude::*;

use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::memory::{self, Account, Unit};

pub(super) async fn run(context: &Context) -> Outcome {
    let mut unit = Unit::Kibibytes;
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('b') | Long("bytes") => unit = Unit::Bytes,
            Short('k') | Long("kibi") => unit = Unit::Kibibytes,
            Short('m') | Long("mebi") => unit = Unit::Mebibytes,
            Short('h') | Long("human") => unit = Unit::ForPeople,
            other => return Err(other.unexpected().into()),
        }
    }
    let (tree, _) = context.files.parts();
    let files = Account {
        name: "Files",
        limit: Some(tree.limit().bytes as u64),
        used: tree.stored().bytes as u64,
    };
    let sockets = devices::sockets(context, Use::Show)?;
    let usage = sockets.control::<ListUsage>(&()).await;
    let usage = usage.map_err(|why| Failure::of(devices::SOCKETS, why))?;
    // Every interface tells the same of the whole system.
    let tcp = usage.iter().max_by_key(|usage| usage.tcp_memory_of_system).map(|usage| Account {
        name: "TCP",
        limit: Some(usage.tcp_memory_limit),
        used: usage.tcp_memory_of_system,
    });
    // Each guest has a limit of its own, and all together have none.
    let programs = context.platform.programs.list();
    let bytes = programs.iter().map(|one| one.memory_bytes as u64).fold(0, u64::saturating_add);
    let guests = Account { name: "Guests", limit: None, used: bytes };
    let accounts: Vec<_> = [Some(files), tcp, Some(guests)].into_iter().flatten().collect();
    context.answer(&memory::table(&accounts, unit)).await
}
