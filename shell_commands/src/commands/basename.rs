//! `basename` and `dirname`: parts of paths.

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// `basename PATH [SUFFIX]`
pub(super) async fn run(context: &Context) -> Outcome {
    let (path, suffix) = match context.arguments.as_slice() {
        [path] => (path, ""),
        [path, suffix] => (path, suffix.as_str()),
        _ => return Err(Failure::usage("a path, and perhaps a suffix, are needed")),
    };
    let trimmed = path.trim_end_matches('/');
    let name = match trimmed.rsplit('/').next() {
        Some("") if path.starts_with('/') => "/",
        name => name.unwrap_or_default(),
    };
    let short = name.strip_suffix(suffix).filter(|short| !short.is_empty());
    context.answer(&format!("{}\n", short.unwrap_or(name))).await
}

/// `dirname PATH…`
pub(super) async fn directory(context: &Context) -> Outcome {
    if context.arguments.is_empty() {
        return Err(Failure::usage("which path?"));
    }
    let of = |path: &String| {
        let trimmed = path.trim_end_matches('/');
        match trimmed.rsplit_once('/') {
            _ if trimmed.is_empty() && path.starts_with('/') => String::from("/\n"),
            None => String::from(".\n"),
            Some((directory, _)) => match directory.trim_end_matches('/') {
                "" => String::from("/\n"),
                directory => format!("{directory}\n"),
            },
        }
    };
    let lines: String = context.arguments.iter().map(of).collect();
    context.answer(&lines).await
}
