//! Control calls on an open file, as bytes and as types.
//!
//! Whether the file was opened for a command's authority is decided by the device, because only it
//! knows its table.

use alloc::vec::Vec;
use core::any::Any;

use super::{File, Target};
use crate::control::{ControlCommand, Identifier, decode_response, encode_request};
use crate::device::OpenDevice;
use crate::error::{Error, Result};
use crate::limits::REQUEST_BYTES;
use crate::operation::Operation;

impl File {
    /// Carries out a command given as bytes, and returns the answer's bytes.
    ///
    /// # Errors
    ///
    /// [`Error::MessageTooLong`] beyond [`REQUEST_BYTES`]; [`Error::UnknownCommand`] on anything
    /// but a device; the device's, [`Error::PermissionDenied`] for a missing authority among them;
    /// those of every [`File`].
    ///
    /// # Cancel safety
    ///
    /// As the command's: the device documents it.
    pub async fn control_raw(&self, identifier: Identifier, request: &[u8]) -> Result<Vec<u8>> {
        check_length(request)?;
        let Target::Device(opened) = self.0.target() else { return Err(Error::UnknownCommand) };
        let device = opened.device()?;
        self.finish(opened, device.control(identifier, request)).await
    }

    /// Carries out a command.
    ///
    /// # Errors
    ///
    /// Those of [`control_raw`](Self::control_raw); [`Error::BadMessage`] if the device's answer is
    /// not the command's.
    ///
    /// # Cancel safety
    ///
    /// As the command's: the device documents it.
    pub async fn control<C: ControlCommand>(&self, request: &C::Request) -> Result<C::Response> {
        decode_response(&self.control_raw(C::IDENTIFIER, &encode_request(request)?).await?)
    }

    /// Carries out a command if that does not have to wait.
    ///
    /// # Errors
    ///
    /// Those of [`control`](Self::control), and [`Error::WouldBlock`] if it would have to wait.
    pub fn try_control<C: ControlCommand>(&self, request: &C::Request) -> Result<C::Response> {
        decode_response(&self.try_control_raw(C::IDENTIFIER, &encode_request(request)?)?)
    }

    /// Carries out a command given as bytes if that does not have to wait.
    ///
    /// # Errors
    ///
    /// Those of [`control_raw`](Self::control_raw), and [`Error::WouldBlock`] if it would have to
    /// wait.
    pub fn try_control_raw(&self, identifier: Identifier, request: &[u8]) -> Result<Vec<u8>> {
        check_length(request)?;
        let Target::Device(opened) = self.0.target() else { return Err(Error::UnknownCommand) };
        opened.device()?.control(identifier, request).now()
    }

    /// Calls the open device by its own type, for who has decoded a command already.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCommand`] on anything but a device of this type; the call's; those of every
    /// [`File`].
    ///
    /// # Cancel safety
    ///
    /// As the call's: the device documents it.
    pub async fn call<D: OpenDevice, T>(
        &self,
        call: impl FnOnce(&D) -> Operation<'_, T>,
    ) -> Result<T> {
        let Target::Device(opened) = self.0.target() else { return Err(Error::UnknownCommand) };
        let device = opened.device()?;
        self.finish(opened, call(own_type(&*device)?)).await
    }

    /// As [`call`](Self::call), if that does not have to wait.
    ///
    /// # Errors
    ///
    /// Those of [`call`](Self::call), and [`Error::WouldBlock`] if it would have to wait.
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
