//! `stat`: shows the attributes of files.

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::file;

pub(super) async fn run(context: &Context) -> Outcome {
    if context.arguments.is_empty() {
        return Err(Failure::usage("which file?"));
    }
    let mut text = String::new();
    for path in &context.arguments {
        let attributes = context.files.stat(path).map_err(|why| Failure::of(path, why))?;
        text.push_str(&file::status(path, &attributes));
    }
    context.answer(&text).await
}
