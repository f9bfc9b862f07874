//! `help`: the table for people.

use network::platform::BoxFuture;

use super::table::{self, COMMANDS};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Boxed by hand: the table's rows name this function, and this function reads the table.
pub(super) fn run(context: &Context) -> BoxFuture<'_, Outcome> {
    Box::pin(async move { context.answer(&text(&context.arguments)?).await })
}

/// Explains the command `name`, for those that have a word for that.
pub(super) fn run_for<'a>(context: &'a Context, name: &str) -> BoxFuture<'a, Outcome> {
    let text = text(&[name.to_owned()]);
    Box::pin(async move { context.answer(&text?).await })
}

fn text(names: &[String]) -> Result<String, Failure> {
    if names.is_empty() {
        return Ok(COMMANDS
            .iter()
            .map(|command| format!("{:<10} {}\n", command.name, command.help))
            .collect());
    }
    let help = |name: &String| match table::find(name) {
        Some(command) => Ok(command.help()),
        None => Err(Failure::of(name, "no such command")),
    };
    names.iter().map(help).collect()
}
