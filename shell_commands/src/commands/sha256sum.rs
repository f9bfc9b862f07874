//! `sha256sum`: SHA-256 (FIPS 180-4) of files, in coreutils' layout.

use std::fmt::Write as _;

use lexopt::prelude::*;
use sha2::{Digest, Sha256};

use super::cat::inputs;
use super::lines::{Lines, Output};
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut checks, mut quiet, mut silent, mut paths) = (false, false, false, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('c') | Long("check") => checks = true,
            Long("quiet") => quiet = true,
            Short('s') | Long("status") => silent = true,
            // The same here.
            Short('b' | 't') => {}
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if checks {
        return check(context, &paths, quiet, silent).await;
    }
    let mut status = Status::SUCCESS;
    for stream in inputs(context, &paths) {
        let summed = async {
            let stream = stream?;
            let name = if paths.is_empty() { "-" } else { &stream.name };
            Ok::<_, Failure>(format!("{}  {name}\n", sum(&stream).await?))
        };
        match summed.await {
            Ok(line) => context.print(&line).await?,
            Err(why) => {
                context.complain(&why.message).await;
                status = Status::FAILURE;
            }
        }
    }
    Ok(status)
}

/// The sum of a file, in hexadecimal digits.
async fn sum(stream: &Stream) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        let read = stream.file.read(&mut buffer).await;
        match read.map_err(|why| Failure::of(&stream.name, why))? {
            0 => break,
            count => hash.update(buffer.get(..count).unwrap_or_default()),
        }
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// Reads lines of sums and names, and tells which of them are still true.
async fn check(context: &Context, lists: &[String], quiet: bool, silent: bool) -> Outcome {
    let mut output = Output::new(context);
    let (mut differ, mut missing, mut lines) = (0_usize, 0_usize, 0_usize);
    for list in inputs(context, lists) {
        let mut list = Lines::new(list?, b'\n');
        while let Some(line) = list.next(&mut output).await? {
            let line = String::from_utf8_lossy(&line.bytes).into_owned();
            let parts = line.split_once("  ").or_else(|| line.split_once(" *"));
            let Some((known, name)) = parts.filter(|(known, _)| is_sum(known)) else { continue };
            lines += 1;
            let path = [name.to_owned()];
            let opened = inputs(context, &path).next();
            let found = match opened {
                Some(Ok(stream)) => sum(&stream).await,
                Some(Err(why)) => Err(why),
                None => continue,
            };
            let outcome = match found {
                Ok(found) if found.eq_ignore_ascii_case(known) => "OK",
                Ok(_) => {
                    differ += 1;
                    "FAILED"
                }
                Err(why) => {
                    missing += 1;
                    context.complain(&why.message).await;
                    "FAILED open or read"
                }
            };
            if !(silent || quiet && outcome == "OK") {
                context.print(&format!("{name}: {outcome}\n")).await?;
            }
        }
    }
    if lines == 0 {
        return Err(Failure::new("no properly formatted checksum lines found"));
    }
    for (count, what) in [(missing, "could not be read"), (differ, "did NOT match")] {
        if count > 0 && !silent {
            context.complain(&format!("WARNING: {count} of {lines} {what}")).await;
        }
    }
    Ok(Status::from_success(differ + missing == 0))
}

fn is_sum(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
