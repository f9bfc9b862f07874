//! What a watching file reports, for commands that show changes as they come.

use devnet_network::command::event::{Event, EventRecord, Report};
use devnet_virtual_file_system::File;

use crate::context::Context;
use crate::failure::Failure;
use crate::limits;

/// Reads the reports of a file that was told to watch as records.
pub(super) struct Reports<'a> {
    file: &'a File,
    name: &'a str,
    buffer: Vec<u8>,
    /// What was read of records that are not whole yet.
    bytes: Vec<u8>,
}

impl<'a> Reports<'a> {
    /// `name` names the file in errors.
    pub(super) fn new(file: &'a File, name: &'a str) -> Self {
        Self { file, name, buffer: vec![0; limits::COPY_BYTES], bytes: Vec::new() }
    }

    /// Waits for the events that come next, and complains about those that are lost; `None` at the
    /// end of the file.
    pub(super) async fn next(&mut self, context: &Context) -> Result<Option<Vec<Event>>, Failure> {
        let failed = |why| Failure::of(self.name, why);
        let count = self.file.read(&mut self.buffer).await.map_err(failed)?;
        if count == 0 {
            return Ok(None);
        }
        self.bytes.extend_from_slice(self.buffer.get(..count).unwrap_or_default());
        let (mut rest, mut events) = (self.bytes.as_slice(), Vec::new());
        while let Some((record, after)) = EventRecord::parse(rest).map_err(failed)? {
            match record.report {
                Report::Event { event, .. } => events.push(event),
                Report::Lost(count) => {
                    let message = format!("{count} changes came too fast and are not shown");
                    context.complain(&message).await;
                }
                _ => {}
            }
            rest = after;
        }
        self.bytes = rest.to_vec();
        Ok(Some(events))
    }
}
