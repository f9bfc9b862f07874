//! `id`, `uptime` and `clear`: who runs commands, for how long, and a new screen.

use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::calendar;
use crate::status::Status;

/// `id`: the user and the group; they have numbers only.
pub(super) async fn identity(context: &Context) -> Outcome {
    let (mut user, mut group, mut groups) = (false, false, false);
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('u') => user = true,
            Short('g') => group = true,
            Short('G') => groups = true,
            Short('r') => {}
            Short('n') => return Err(Failure::new("-n: users have no names here")),
            Value(_) => return Err(Failure::new("no other user is known here")),
            other => return Err(other.unexpected().into()),
        }
    }
    let (_, credentials) = context.files.parts();
    let (uid, gid) = (credentials.user.0, credentials.group.0);
    let text = match (user, group, groups) {
        (true, false, false) => format!("{uid}\n"),
        (false, true, false) | (false, false, true) => format!("{gid}\n"),
        (false, false, false) => format!("uid={uid} gid={gid} groups={gid}\n"),
        _ => return Err(Failure::usage("only one of -u, -g and -G")),
    };
    context.answer(&text).await
}

/// `uptime`: since when the system runs. There is no load to be told.
pub(super) async fn uptime(context: &Context) -> Outcome {
    let mut since = false;
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('s') => since = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let platform = &context.platform;
    if since {
        let started = calendar::format(platform.started, "%F %T");
        return context.answer(&format!("{started}\n")).await;
    }
    let now = platform.now();
    let minutes = now.saturating_sub(platform.started).as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let days = match days {
        0 => String::new(),
        1 => "1 day, ".into(),
        days => format!("{days} days, "),
    };
    let rest = if hours > 0 { format!("{hours:2}:{minutes:02}") } else { format!("{minutes} min") };
    context.answer(&format!(" {} up {days}{rest}\n", calendar::format(now, "%T"))).await
}

/// `clear`: an empty screen.
pub(super) async fn clear(context: &Context) -> Outcome {
    context.print_bytes(b"\x1b[H\x1b[2J\x1b[3J").await?;
    Ok(Status::SUCCESS)
}
