//! `pwd`: the current directory.

use crate::context::Context;
use crate::failure::Outcome;

pub(super) async fn run(context: &Context) -> Outcome {
    context.answer(&format!("{}\n", context.files.directory().as_str())).await
}
