//! `ls`: lists directories.

use std::cmp::Reverse;

use devnet_virtual_file_system::{Attributes, NodeKind};
use lexopt::prelude::*;

use super::tree;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::file::{self, Layout};
use crate::status::Status;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Name,
    Size,
    Time,
}

struct Options {
    layout: Layout,
    all: bool,
    /// Directories themselves.
    itself: bool,
    recursive: bool,
    order: Order,
    reverse: bool,
}

type Entries = Vec<(String, Attributes)>;

fn parse(context: &Context) -> Result<(Options, Vec<String>), Failure> {
    let mut chosen = Options {
        layout: Layout { now: context.platform.now(), ..Layout::default() },
        all: false,
        itself: false,
        recursive: false,
        order: Order::Name,
        reverse: false,
    };
    let mut paths = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            // Owners have numbers only.
            Short('l' | 'n') => chosen.layout.long = true,
            Short('a' | 'A') => chosen.all = true,
            Short('d') => chosen.itself = true,
            Short('h') => chosen.layout.units = true,
            Short('i') => chosen.layout.inodes = true,
            Short('p') => chosen.layout.slashes = true,
            Short('F') => chosen.layout.classes = true,
            Short('R') => chosen.recursive = true,
            Short('S') => chosen.order = Order::Size,
            Short('t') => chosen.order = Order::Time,
            Short('r') => chosen.reverse = true,
            Long("color" | "colour") => {
                let when = options.optional_value().map(|when| when.string()).transpose()?;
                chosen.layout.colors = context.has_colors(when.as_deref())?;
            }
            Short('1') => {}
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if paths.is_empty() {
        paths.push(String::from("."));
    }
    Ok((chosen, paths))
}

pub(super) async fn run(context: &Context) -> Outcome {
    let (chosen, paths) = parse(context)?;
    let mut status = Status::SUCCESS;
    // Files first, as one list; then the content of each directory.
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for path in &paths {
        match context.files.stat(path) {
            Ok(node) if node.kind == NodeKind::Directory && !chosen.itself => {
                directories.push((path.clone(), 0));
            }
            Ok(node) => files.push((path.clone(), node)),
            Err(why) => {
                context.complain(&Failure::of(path, why).message).await;
                status = Status::FAILURE;
            }
        }
    }
    let mut is_first = files.is_empty();
    sort(&mut files, &chosen);
    // The listing shows names already, and colours are no text.
    context.print_bytes(file::listing(&files, chosen.layout).as_bytes()).await?;
    let has_titles = paths.len() > 1 || chosen.recursive;
    directories.reverse();
    while let Some((path, depth)) = directories.pop() {
        let entries = match list(context, &path, &chosen) {
            Ok(entries) => entries,
            Err(failure) => {
                context.complain(&failure.message).await;
                status = failure.status;
                continue;
            }
        };
        let mut text = String::new();
        if has_titles {
            let gap = if is_first { "" } else { "\n" };
            text = format!("{gap}{}:\n", crate::shown::line(&path));
        }
        is_first = false;
        if chosen.layout.long {
            text.push_str(&file::total(&entries));
        }
        text.push_str(&file::listing(&entries, chosen.layout));
        context.print_bytes(text.as_bytes()).await?;
        if chosen.recursive {
            if depth == limits::DEPTH {
                return Err(Failure::of(path, "too deep"));
            }
            let below = entries.iter().rev().filter(|(_, node)| node.kind == NodeKind::Directory);
            directories.extend(below.map(|(name, _)| (tree::join(&path, name), depth + 1)));
        }
    }
    Ok(status)
}

/// The entries of a directory. One that is removed meanwhile is skipped.
fn list(context: &Context, path: &str, options: &Options) -> Result<Entries, Failure> {
    let entries = context.files.list(path).map_err(|why| Failure::of(path, why))?;
    let mut entries: Entries = entries
        .into_iter()
        .filter(|entry| options.all || !entry.name.starts_with('.'))
        .filter_map(|entry| {
            let attributes = context.files.stat(&tree::join(path, &entry.name)).ok()?;
            Some((entry.name, attributes))
        })
        .collect();
    sort(&mut entries, options);
    Ok(entries)
}

/// Largest and newest first.
fn sort(entries: &mut Entries, options: &Options) {
    match options.order {
        Order::Name => {}
        Order::Size => entries.sort_by_key(|(_, node)| Reverse(node.size)),
        Order::Time => entries.sort_by_key(|(_, node)| Reverse(node.modified)),
    }
    if options.reverse {
        entries.reverse();
    }
}
