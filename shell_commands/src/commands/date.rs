//! `date`: the time of the clock, in UTC; there are no time zones.

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::calendar::{self, Time};

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut format, mut given, mut shown) = (None, None, context.platform.now());
    let mut words = context.arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            // It is UTC anyway.
            "-u" => {}
            "-R" => format = Some("%a, %d %b %Y %H:%M:%S +0000"),
            "-I" => format = Some("%F"),
            "-Iseconds" => format = Some("%FT%T+00:00"),
            "-d" => {
                given = Some(words.next().ok_or_else(|| Failure::usage("-d: a time is missing"))?)
            }
            "-r" => {
                let path = words.next().ok_or_else(|| Failure::usage("-r: a file is missing"))?;
                let node = context.files.stat(path).map_err(|why| Failure::of(path, why))?;
                shown = node.modified;
            }
            "-s" => return Err(Failure::new("the clock is the host's, and cannot be set here")),
            word if word.starts_with('+') => format = word.get(1..),
            word => return Err(Failure::usage(format!("{word}: unknown argument"))),
        }
    }
    let (seconds, nanoseconds) = match given {
        Some(text) => (calendar::parse(text).ok_or_else(|| Failure::of(text, "bad time"))?, 0),
        None => (i64::try_from(shown.as_secs()).unwrap_or(i64::MAX), shown.subsec_nanos()),
    };
    let time = Time::of(seconds, nanoseconds).ok_or_else(|| Failure::new("the time is too far"))?;
    let text = time.format(format.unwrap_or("%a %b %e %H:%M:%S %Z %Y"));
    context.answer(&format!("{text}\n")).await
}
