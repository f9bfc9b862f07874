//! Socket options of an open file: validation, setting, reading.
//!
//! A rejected value changes nothing. Options that a kind of socket does not have fail with
//! `ProtocolOptionNotAvailable`, whatever their value. The file's mode contains the settings of a
//! stream; datagram sockets have their own.

use alloc::sync::Arc;

use devnet_virtual_file_system::{Error, Result};

use super::open::OpenFile;
use super::state::{Handle, State};
use crate::command::socket::{
    ConnectionName, FurtherOptions, FurtherStreamOptions, SocketKind, SocketOption, SocketOptions,
    SocketStatus, StreamOptions,
};
use crate::command::stream::StreamStatistics;
use crate::interface::Interface;
use crate::limits;
use crate::socket::{KEEP_ALIVE, TcpListener, TcpSettings, TcpStream};
use crate::stack::Stack;
use crate::stack::flow::Flow;

/// Keep-alive probes (Linux: MAX_TCP_KEEPCNT).
const KEEP_ALIVE_COUNT: core::ops::RangeInclusive<u8> = 1..=127;
/// The maximum of any other time in milliseconds: Linux uses a signed number.
const MILLISECONDS: u32 = i32::MAX as u32;

/// TCP_MAXSEG (Linux: TCP_MIN_MSS to MAX_TCP_WINDOW).
const MAXIMUM_SEGMENT: core::ops::RangeInclusive<u16> = 88..=32_767;

impl OpenFile {
    /// Sets an option of the socket.
    pub(super) fn set_option(&self, option: &SocketOption) -> Result<()> {
        match self.handle()? {
            Handle::Datagram(socket) => socket.set_option(option),
            Handle::Listener(listener) => set_listener_option(&listener, option),
            Handle::Unconnected | Handle::Connecting | Handle::Stream(_) => {
                self.set_stream_option(option)
            }
        }
    }

    fn set_stream_option(&self, option: &SocketOption) -> Result<()> {
        check(option)?;
        if let SocketOption::BindToDevice(name) = option {
            return self.bind_stream_to_device(name);
        }
        let (settings, stream) = self.state.with(|state| {
            let stream = match state {
                State::Stream(stream, _) => Some(Arc::clone(stream)),
                _ => None,
            };
            let is_bound = !matches!(state, State::Unconnected(socket) if socket.local.is_none());
            let settings = state.settings_mut().ok_or(Error::InvalidInput)?;
            let mut changed = *settings;
            apply(&mut changed, option, Phase { is_bound, is_connected: stream.is_some() })?;
            *settings = changed;
            Ok((changed, stream))
        })?;
        if let Some(stream) = stream {
            stream.set_settings(&settings);
        }
        Ok(())
    }

    fn bind_stream_to_device(&self, name: &str) -> Result<()> {
        let interface = match name {
            "" => None,
            name => Some(self.sockets.place.all.find(name).ok_or(Error::NoDevice)?),
        };
        if let Some(fixed) = &self.sockets.place.interface {
            let is_same = interface.is_some_and(|interface| Arc::ptr_eq(&interface, fixed));
            return if is_same { Ok(()) } else { Err(Error::InvalidInput) };
        }
        self.state.with(|state| match state {
            State::Unconnected(socket) if socket.local.is_none() => {
                socket.device = interface;
                Ok(())
            }
            _ => Err(Error::InvalidInput),
        })
    }

    /// The socket's status.
    pub(super) fn socket_status(&self) -> Result<SocketStatus> {
        let mut status = self.handle()?.status(&self.sockets.place)?;
        // Before there is a connection the file alone knows where it was bound.
        self.state.with(|state| {
            if let State::Unconnected(socket) | State::Connecting(socket, _) = state {
                if let Some(local) = socket.local {
                    status.local = local;
                }
                if let Some(device) = &socket.device {
                    status.interface = device.name();
                }
            }
        });
        Ok(status)
    }

    /// The statistics of a connection by name.
    pub(super) fn connection(&self, name: &ConnectionName) -> Result<StreamStatistics> {
        let flow = Flow::new(name.local, name.remote);
        let found = |interface: &Arc<Interface>| {
            interface.read(|stack| stack.transport.tcp.statistics_of(&flow))
        };
        self.interfaces().iter().find_map(found).ok_or(Error::NotFound)
    }

    /// Ends a connection by name.
    pub(super) fn end_connection(&self, name: &ConnectionName) -> Result<()> {
        let flow = Flow::new(name.local, name.remote);
        let is_ended = |interface: &Arc<Interface>| {
            interface.change_and_transmit(|stack| {
                let Stack { context: cx, ip, transport, .. } = stack;
                transport.tcp.end_flow(cx, ip, &flow)
            })
        };
        if self.interfaces().iter().any(is_ended) { Ok(()) } else { Err(Error::NotFound) }
    }

    /// The values of the options that [`options`](Self::options) does not have.
    pub(super) fn further_options(&self) -> Result<FurtherOptions> {
        let settings = match self.handle()? {
            Handle::Datagram(socket) => return Ok(socket.further_options()),
            Handle::Listener(listener) => listener.settings(),
            Handle::Unconnected | Handle::Connecting | Handle::Stream(_) => {
                self.state.with(|state| state.settings()).ok_or(Error::InvalidInput)?
            }
        };
        Ok(FurtherOptions {
            path_mtu_discovery: settings.path_mtu_discovery,
            stream: Some(FurtherStreamOptions {
                timestamps: settings.timestamps,
                maximum_segment: settings.maximum_segment,
                cork: settings.cork,
                not_sent_low_water: settings.not_sent_low_water,
                black_hole_detection: settings.black_hole_detection,
            }),
        })
    }

    /// The values of all options.
    pub(super) fn options(&self) -> Result<SocketOptions> {
        let (settings, device) = match self.handle()? {
            Handle::Datagram(socket) => return Ok(socket.options()),
            Handle::Listener(listener) => (listener.settings(), None),
            Handle::Unconnected | Handle::Connecting | Handle::Stream(_) => {
                self.state.with(|state| {
                    let device = match state {
                        State::Unconnected(socket) | State::Connecting(socket, _) => {
                            socket.device.clone()
                        }
                        _ => None,
                    };
                    state.settings().map(|settings| (settings, device)).ok_or(Error::InvalidInput)
                })?
            }
        };
        let device = device.or_else(|| self.sockets.place.interface.clone());
        let path_mtu = match self.handle()? {
            Handle::Stream(stream) => self.path_mtu(&stream),
            _ => None,
        };
        let device = device.map(|device| device.name()).unwrap_or_default();
        Ok(option_values(&settings, device, path_mtu))
    }

    /// The path MTU of a stream, if there is a route.
    fn path_mtu(&self, stream: &TcpStream) -> Option<u32> {
        let remote = stream.peer_addr().ip();
        let (interface, _) = self.sockets.place.route(remote).ok()?;
        u32::try_from(interface.read_now(|stack| stack.ip.path_mtu(&stack.context, remote))).ok()
    }

    /// The statistics of the stream.
    pub(super) fn stream_statistics(&self) -> Result<StreamStatistics> {
        match self.handle()? {
            Handle::Stream(stream) => stream.statistics().ok_or(Error::NotConnected),
            _ => Err(Error::NotConnected),
        }
    }

    /// Takes the pending error (SO_ERROR).
    pub(super) fn take_error(&self) -> Result<Option<Error>> {
        Ok(match self.handle()? {
            Handle::Datagram(socket) => socket.take_error(),
            Handle::Stream(stream) => stream.take_error(),
            Handle::Unconnected | Handle::Connecting | Handle::Listener(..) => None,
        })
    }
}

/// Changes the settings of later connections, as on Linux.
fn set_listener_option(listener: &TcpListener, option: &SocketOption) -> Result<()> {
    check(option)?;
    // The interface of a listener is fixed when it is bound.
    if matches!(option, SocketOption::BindToDevice(_)) {
        return Err(Error::InvalidInput);
    }
    let mut changed = listener.settings();
    apply(&mut changed, option, Phase { is_bound: true, is_connected: false })?;
    listener.set_settings(changed);
    Ok(())
}

/// The phase of a stream socket, as far as options depend on it.
#[derive(Clone, Copy)]
struct Phase {
    /// It has a local address.
    is_bound: bool,
    /// The handshake is over.
    is_connected: bool,
}

fn option_values(
    settings: &TcpSettings,
    device: alloc::string::String,
    path_mtu: Option<u32>,
) -> SocketOptions {
    let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    SocketOptions {
        kind: SocketKind::Tcp,
        hop_limit: settings.hop_limit.unwrap_or(limits::HOP_LIMIT),
        traffic_class: settings.traffic_class,
        receive_buffer: bytes(settings.receive_buffer.unwrap_or(limits::TCP_BUFFER)),
        reuse_address: settings.reuse_address,
        reuse_port: settings.reuse_port,
        device,
        path_mtu,
        stream: Some(StreamOptions {
            send_buffer: bytes(settings.send_buffer.unwrap_or(limits::TCP_BUFFER)),
            no_delay: settings.no_delay,
            keep_alive: settings.keep_alive,
            keep_alive_interval: settings.keep_alive_interval,
            keep_alive_count: settings.keep_alive_count,
            user_timeout: settings.user_timeout,
            linger: settings.linger,
            only_ipv6: settings.only_ipv6,
            congestion: settings.congestion,
            explicit_congestion: settings.explicit_congestion,
        }),
        datagram: None,
    }
}

/// Rejects values that no stream accepts.
fn check(option: &SocketOption) -> Result<()> {
    let is_fine = match option {
        SocketOption::ReceiveBuffer(bytes) | SocketOption::SendBuffer(bytes) => {
            (limits::TCP_BUFFER_MINIMUM..=limits::TCP_BUFFER_MAXIMUM).contains(&(*bytes as usize))
        }
        SocketOption::HopLimit(hop_limit) => *hop_limit > 0,
        SocketOption::KeepAlive(milliseconds) => {
            *milliseconds == 0 || KEEP_ALIVE.contains(milliseconds)
        }
        SocketOption::KeepAliveInterval(milliseconds) => KEEP_ALIVE.contains(milliseconds),
        SocketOption::KeepAliveCount(count) => KEEP_ALIVE_COUNT.contains(count),
        SocketOption::UserTimeout(milliseconds) | SocketOption::Linger(Some(milliseconds)) => {
            *milliseconds <= MILLISECONDS
        }
        SocketOption::BindToDevice(name) => name.len() <= limits::NAME_BYTES,
        SocketOption::MaximumSegment(bytes) => *bytes == 0 || MAXIMUM_SEGMENT.contains(bytes),
        _ => true,
    };
    if is_fine { Ok(()) } else { Err(Error::InvalidInput) }
}

/// Applies a validated value to the settings of a stream.
fn apply(settings: &mut TcpSettings, option: &SocketOption, phase: Phase) -> Result<()> {
    match option {
        SocketOption::NoDelay(on) => settings.no_delay = *on,
        SocketOption::HopLimit(hop_limit) => settings.hop_limit = Some(*hop_limit),
        SocketOption::TrafficClass(class) => settings.traffic_class = *class,
        SocketOption::KeepAlive(milliseconds) => settings.keep_alive = *milliseconds,
        SocketOption::KeepAliveInterval(milliseconds) => {
            settings.keep_alive_interval = *milliseconds
        }
        SocketOption::KeepAliveCount(count) => settings.keep_alive_count = *count,
        SocketOption::UserTimeout(milliseconds) => settings.user_timeout = *milliseconds,
        SocketOption::Linger(milliseconds) => settings.linger = *milliseconds,
        SocketOption::ExplicitCongestion(_) | SocketOption::Timestamps(_) if phase.is_connected => {
            return Err(Error::AlreadyConnected);
        }
        SocketOption::Timestamps(on) => settings.timestamps = *on,
        SocketOption::MaximumSegment(bytes) => settings.maximum_segment = *bytes,
        SocketOption::Cork(on) => settings.cork = *on,
        SocketOption::NotSentLowWater(bytes) => settings.not_sent_low_water = *bytes,
        SocketOption::PathMtuDiscovery(choice) => settings.path_mtu_discovery = *choice,
        SocketOption::BlackHoleDetection(on) => settings.black_hole_detection = *on,
        SocketOption::CongestionControl(choice) => settings.congestion = *choice,
        SocketOption::ExplicitCongestion(on) => settings.explicit_congestion = *on,
        SocketOption::ReuseAddress(on) => settings.reuse_address = *on,
        SocketOption::ReusePort(on) => settings.reuse_port = *on,
        SocketOption::OnlyIpv6(_) if phase.is_bound => return Err(Error::InvalidInput),
        SocketOption::OnlyIpv6(on) => settings.only_ipv6 = *on,
        SocketOption::ReceiveBuffer(bytes) => settings.receive_buffer = Some(*bytes as usize),
        SocketOption::SendBuffer(bytes) => settings.send_buffer = Some(*bytes as usize),
        SocketOption::Broadcast(_)
        | SocketOption::DontFragment(_)
        | SocketOption::MulticastInterface(_)
        | SocketOption::MulticastHopLimit(_)
        | SocketOption::MulticastLoop(_)
        | SocketOption::ReceiveErrors(_)
        | SocketOption::HeaderIncluded(_)
        | SocketOption::BindToDevice(_) => return Err(Error::ProtocolOptionNotAvailable),
    }
    Ok(())
}
