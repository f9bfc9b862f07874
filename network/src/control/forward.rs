//! What the stack does not know goes to the controller of the interface, unchanged and with no lock
//! held: commands and lines.

use alloc::sync::Arc;
use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, Identifier, OpenDevice, Operation, Result};

use super::open::OpenFile;
use crate::command::line_error::{Fault, LineError};
use crate::command::{text, wireless_text};

impl OpenFile {
    /// Forwards a command that the stack does not know to the controller, and returns its response.
    pub(super) fn forward<'a>(
        &'a self,
        identifier: Identifier,
        request: &'a [u8],
    ) -> Operation<'a, Vec<u8>> {
        let device = match self.controller() {
            Ok(device) => device,
            Err(error) => return Operation::done(Err(error)),
        };
        // The future owns the controller's file, so it outlives a concurrent close of ours.
        Operation::waiting(async move { device.control(identifier, request).await })
    }

    pub(super) fn controller(&self) -> Result<Arc<dyn OpenDevice>> {
        let controller = self.controller.as_deref().ok_or(Error::UnknownCommand)?;
        controller.shared(self.flags)
    }

    /// True for a line that the stack does not know: it is the controller's, if there is one. Those
    /// about radios are nobody else's, and an interface without a radio refuses them as such.
    pub(super) fn is_foreign(&self, line: &str) -> bool {
        !text::is_ours(line) && (self.has_controller() || wireless_text::is_line(line))
    }

    fn has_controller(&self) -> bool {
        self.sockets.place.interface.as_ref().is_some_and(|own| own.controller.is_some())
    }

    /// Writes a line that the stack does not know to the controller.
    pub(super) async fn forward_line(&self, line: &str) -> Result<()> {
        let device = self.controller()?;
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            let taken = device.write(rest).await?;
            rest = rest.get(taken.max(1)..).unwrap_or_default();
        }
        Ok(())
    }

    /// The error of a line that the controller refused. If the line is of none of the commands that
    /// the controller tells, it is nobody's.
    pub(super) fn foreign_error(&self, number: u32, line: &str, error: Error) -> LineError {
        let theirs = self.controller().map(|device| device.commands()).unwrap_or_default();
        let texts = theirs.iter().filter_map(|entry| entry.text);
        let mut words: Vec<_> = texts.filter_map(|text| text.split(' ').next()).collect();
        words.dedup();
        if wireless_text::is_line(line) {
            return LineError::refused(number, line, error);
        }
        let first = line.split_ascii_whitespace().next().unwrap_or_default();
        if error != Error::InvalidInput || words.is_empty() || words.contains(&first) {
            return LineError::refused(number, line, error);
        }
        let mut unknown = LineError::of_syntax(number, line, error);
        if let Fault::Word { expected, .. } = &mut unknown.fault {
            expected.append(&mut words);
        }
        unknown
    }
}
