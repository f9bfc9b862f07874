//! `ps`: lists the running guest programs.

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::program;

pub(super) async fn run(context: &Context) -> Outcome {
    if let Some(word) = context.arguments.first() {
        return Err(Failure::usage(format!("{word}: unknown option")));
    }
    context.answer(&program::table(&context.platform.programs.list())).await
}
