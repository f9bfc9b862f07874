//! `df`: what the file tree stores, and how much it may.
//!
//! The tree is one file system, whose bytes and nodes one account counts; devices and files of
//! every directory are in it.

use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::storage::{self, Unit};
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut unit, mut nodes, mut portable, mut paths) = (Unit::KIBIBYTES, false, false, vec![]);
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('h') | Long("human-readable") => unit = Unit::ForPeople,
            Short('k') => unit = Unit::KIBIBYTES,
            Short('m') => unit = Unit::MEBIBYTES,
            Short('i') | Long("inodes") => nodes = true,
            Short('P') | Long("portability") => portable = true,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut status = Status::SUCCESS;
    let mut found = paths.is_empty();
    for path in &paths {
        match context.files.stat(path) {
            Ok(_) => found = true,
            Err(why) => {
                context.complain(&Failure::of(path, why).message).await;
                status = Status::FAILURE;
            }
        }
    }
    if found {
        let (tree, _) = context.files.parts();
        let (limit, used) = (tree.limit(), tree.stored());
        let table = if nodes {
            storage::nodes(limit.nodes, used.nodes, unit)
        } else {
            storage::bytes(limit.bytes, used.bytes, unit, portable)
        };
        context.print(&table).await?;
    }
    Ok(status)
}
