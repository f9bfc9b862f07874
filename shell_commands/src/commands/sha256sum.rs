//! `sha256sum`: SHA-256 (FIPS 180-4) of files, in coreutils' layout.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::cat::inputs;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    for stream in inputs(context, &context.arguments) {
        let stream = stream?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; limits::COPY_BYTES];
        loop {
            let count = stream
                .file
                .read(&mut buffer)
                .await
                .map_err(|why| Failure::of(&stream.name, why))?;
            if count == 0 {
                break;
            }
            hash.update(buffer.get(..count).unwrap_or_default());
        }
        let name = if context.arguments.is_empty() { "-" } else { &stream.name };
        let mut line = String::new();
        for byte in hash.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(line, "{byte:02x}");
        }
        context.print(&format!("{line}  {name}\n")).await?;
    }
    Ok(Status::SUCCESS)
}
