//! Stands in for streams and listeners in a build without the feature `tcp`: nobody can have one,
//! so what is done with one is no code. `control` is written against the same names in every build.

use core::net::SocketAddr;
use core::task::{Context, Poll, Waker};

use devnet_virtual_file_system::{Error, Readiness};

use super::TcpSettings;
use crate::command::socket::{Direction, SocketStatus};
use crate::command::stream::StreamStatistics;
use crate::interfaces::Place;
use crate::seat::Seat;

/// No stream.
#[derive(Debug)]
pub(crate) enum TcpStream {}

impl TcpStream {
    pub(crate) fn start(
        _place: &Place,
        _local: Option<SocketAddr>,
        _remote: SocketAddr,
        _settings: &TcpSettings,
    ) -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn poll_connect(&self, _context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match *self {}
    }

    pub(crate) fn hold(&self, _seat: Seat) {
        match *self {}
    }

    pub(crate) fn seat(&self) -> Option<Seat> {
        match *self {}
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        match *self {}
    }

    pub(crate) fn peer_addr(&self) -> SocketAddr {
        match *self {}
    }

    pub(crate) fn try_read(&self, _buffer: &mut [u8]) -> Result<usize, Error> {
        match *self {}
    }

    pub(crate) async fn read(&self, _buffer: &mut [u8]) -> Result<usize, Error> {
        match *self {}
    }

    pub(crate) async fn peek(&self, _buffer: &mut [u8]) -> Result<usize, Error> {
        match *self {}
    }

    pub(crate) fn try_write(&self, _data: &[u8]) -> Result<usize, Error> {
        match *self {}
    }

    pub(crate) async fn write(&self, _data: &[u8]) -> Result<usize, Error> {
        match *self {}
    }

    pub(crate) fn poll_ready(&self, _: &mut Context<'_>, _: Readiness) -> Poll<Readiness> {
        match *self {}
    }

    pub(crate) fn shutdown(&self, _direction: Direction) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) fn status(&self) -> Option<SocketStatus> {
        match *self {}
    }

    pub(crate) fn statistics(&self) -> Option<StreamStatistics> {
        match *self {}
    }

    pub(crate) fn take_error(&self) -> Option<Error> {
        match *self {}
    }

    pub(crate) fn set_settings(&self, _settings: &TcpSettings) {
        match *self {}
    }

    pub(crate) fn abort(&self) {
        match *self {}
    }
}

/// No listener.
#[derive(Debug)]
pub(crate) enum TcpListener {}

impl TcpListener {
    pub(crate) fn bind_at(
        _place: &Place,
        _local: SocketAddr,
        _backlog: u32,
        _settings: TcpSettings,
    ) -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn reserve(
        _place: &Place,
        _local: SocketAddr,
        _settings: &TcpSettings,
    ) -> Result<SocketAddr, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn try_take(&self, _: Option<&Waker>) -> Result<(TcpStream, TcpSettings), Error> {
        match *self {}
    }

    pub(crate) fn settings(&self) -> TcpSettings {
        match *self {}
    }

    pub(crate) fn set_settings(&self, _settings: TcpSettings) {
        match *self {}
    }

    pub(crate) fn set_backlog(&self, _backlog: u32) {
        match *self {}
    }

    pub(crate) fn poll_ready(&self, _context: &mut Context<'_>) -> Poll<Readiness> {
        match *self {}
    }

    pub(crate) fn status(&self) -> SocketStatus {
        match *self {}
    }
}
