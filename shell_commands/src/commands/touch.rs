//! `touch`: creates files, and changes when they were last changed.

use std::time::Duration;

use devnet_virtual_file_system::OpenFlags;
use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::calendar;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut creates, mut time, mut paths) = (true, None, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('c') => creates = false,
            // The only time that there is.
            Short('m') => {}
            Short('d') => time = Some(parsed(&options.value()?.string()?, calendar::parse)?),
            Short('t') => {
                time = Some(parsed(&options.value()?.string()?, |text| stamp(context, text))?)
            }
            Short('r') => {
                let path = options.value()?.string()?;
                let node = context.files.stat(&path).map_err(|why| Failure::of(&path, why))?;
                time = Some(node.modified);
            }
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if paths.is_empty() {
        return Err(Failure::usage("which file?"));
    }
    for path in &paths {
        if context.files.stat(path).is_err() {
            if !creates {
                continue;
            }
            let flags = OpenFlags::WRITE | OpenFlags::CREATE;
            context.files.open(path, flags).map_err(|why| Failure::of(path, why))?;
        }
        context.files.set_modified(path, time).map_err(|why| Failure::of(path, why))?;
    }
    Ok(Status::SUCCESS)
}

fn parsed(text: &str, parse: impl FnOnce(&str) -> Option<i64>) -> Result<Duration, Failure> {
    let seconds = parse(text).and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map(Duration::from_secs).ok_or_else(|| Failure::of(text, "bad time, or before 1970"))
}

/// `[[CC]YY]MMDDhhmm[.ss]`, as seconds since 1970.
fn stamp(context: &Context, text: &str) -> Option<i64> {
    let (digits, seconds) = text.split_once('.').unwrap_or((text, "00"));
    let seconds = (seconds.len() == 2).then_some(seconds)?;
    let (year, rest) = match digits.len() {
        12 => digits.split_at_checked(4).map(|(year, rest)| (year.to_owned(), rest))?,
        10 => {
            let (year, rest) = digits.split_at_checked(2)?;
            let century = if year.parse::<u8>().ok()? < 69 { "20" } else { "19" };
            (format!("{century}{year}"), rest)
        }
        8 => (calendar::format(context.platform.now(), "%Y"), digits),
        _ => return None,
    };
    let part = |place: usize| rest.get(place..place + 2);
    let [month, day, hour, minute] = [part(0)?, part(2)?, part(4)?, part(6)?];
    calendar::parse(&format!("{year}-{month}-{day} {hour}:{minute}:{seconds}"))
}
