//! Control calls on an open file, as bytes and as types.
//!
//! The device checks whether the file was opened for a command's authority, because only it knows
//! its table.

use alloc::vec::Vec;
use core::any::Any;

use super::{File, Target};
use crate::control::{CommandEntry, ControlCommand, Identifier, decode_response, encode_request};
use crate::device::OpenDevice;
use crate::error::{Error, Result};
use crate::limits::REQUEST_BYTES;
use crate::operation::Operation;

impl File {
    /// Runs a command given as bytes, and returns the response's bytes.
    ///
    /// # Errors
    ///
    /// [`Error::MessageTooLong`] beyond [`REQUEST_BYTES`]; [`Error::UnknownCommand`] if the file is
    /// not a device; errors of the device, among them [`Error::PermissionDenied`] for a missing
    /// authority; those of every [`File`].
    ///
    /// # Cancel safety
    ///
    /// That of the command: the device documents it.
    pub async fn control_raw(&self, identifier: Identifier, request: &[u8]) -> Result<Vec<u8>> {
        check_length(request)?;
        let Target::Device(opened) = self.0.target() else { return Err(Error::UnknownCommand) };
        let device = opened.device()?;
        self.finish(opened, device.control(identifier, request)).await
    }

    /// Runs a command.
    ///
    /// # Errors
    ///
    /// Errors of [`control_raw`](Self::control_raw); [`Error::BadMessage`] if the device's response
    /// does not decode.
    ///
    /// # Cancel safety
    ///
    /// That of the command: the device documents it.
    pub async fn control<C: ControlCommand>(&self, request: &C::Request) -> Result<C::Response> {
        decode_response(&self.control_raw(C::IDENTIFIER, &encode_request(request)?).await?)
    }

    /// Runs a command if it does not block.
    ///
    /// # Errors
    ///
    /// Errors of [`control`](Self::control), and [`Error::WouldBlock`] if it would block.
    pub fn try_control<C: ControlCommand>(&self, request: &C::Request) -> Result<C::Response> {
        decode_response(&self.try_control_raw(C::IDENTIFIER, &encode_request(request)?)?)
    }

    /// Runs a command given as bytes if it does not block.
    ///
    /// # Errors
    ///
    /// Errors of [`control_raw`](Self::control_raw), and [`Error::WouldBlock`] if it would block.
    pub fn try_control_raw(&self, identifier: Identifier, request: &[u8]) -> Result<Vec<u8>> {
        check_length(request)?;
        let Target::Device(opened) = self.0.target() else { return Err(Error::UnknownCommand) };
        opened.device()?.control(identifier, request).now()
    }

    /// Lists the commands of the device, as far as it tells them.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCommand`] if the file is not a device; those of every [`File`].
    pub fn commands(&self) -> Result<Vec<CommandEntry>> {
        let Target::Device(opened) = self.0.target() else { return Err(Error::UnknownCommand) };
        Ok(opened.device()?.commands())
    }

    /// Calls the open device by its own type, for callers with a decoded command.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCommand`] if the file is not a device of this type; errors of the call;
    /// those of every [`File`].
    ///
    /// # Cancel safety
    ///
    /// That of the call: the device documents it.
    pub async fn call<D: OpenDevice, T>(
        &self,
        call: impl FnOnce(&D) -> Operation<'_, T>,
    ) -> Result<T> {
        let Target::Device(opened) = self.0.target() else { return Err(Error::UnknownCommand) };
        let device = opened.device()?;
        self.finish(opened, call(own_type(&*device)?)).await
    }

    /// As [`call`](Self::call), if it does not block.
    ///
    /// # Errors
    ///
    /// Errors of [`call`](Self::call), and [`Error::WouldBlock`] if it would block.
    pub fn try_call<D: OpenDevice, T>(
        &self,
        call: impl FnOnce(&D) -> Operation<'_, T>,
    ) -> Result<T> {
        let Target::Device(opened) = self.0.target() else { return Err(Error::UnknownCommand) };
        call(own_type(&*opened.device()?)?).now()
    }
}

fn own_type<D: OpenDevice>(device: &dyn OpenDevice) -> Result<&D> {
    let device: &dyn Any = device;
    device.downcast_ref().ok_or(Error::UnknownCommand)
}

fn check_length(request: &[u8]) -> Result<()> {
    if request.len() > REQUEST_BYTES { Err(Error::MessageTooLong) } else { Ok(()) }
}
