//! Commands about interfaces that need more than one operation of the stack.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use devnet_virtual_file_system::{Error, Result};

use super::open::OpenFile;
use crate::address::HardwareAddress;
use crate::command::address::{NewAddress, Origin};
use crate::command::dhcp::{DhcpClientOptions, DhcpState, DhcpStatus};
use crate::command::fallback::Fallback;
use crate::command::interface::{InterfaceDetails, InterfaceOption};
use crate::command::system::SystemOption;
use crate::command::usage::Usage;
use crate::interface::Interface;
use crate::interfaces::Interfaces;
use crate::platform::before;
use crate::stack::dhcp::{DhcpClient, fallback};
use crate::stack::{Stack, hardware_address, interface_option};

impl OpenFile {
    /// The interface of the device; `/devices/sockets` has none.
    pub(super) fn interface(&self) -> Result<&Arc<Interface>> {
        self.sockets.place.interface.as_ref().ok_or(Error::Unsupported)
    }

    /// Every interface that this device covers.
    pub(super) fn interfaces(&self) -> Vec<Arc<Interface>> {
        self.sockets.place.interfaces()
    }

    /// Changes the interface.
    pub(super) fn on<T>(&self, verb: impl FnOnce(&mut Stack) -> T) -> Result<T> {
        self.interface().map(|interface| interface.change_and_transmit(verb))
    }

    /// Changes the interface, with an operation that may fail.
    pub(super) fn change<T>(&self, verb: impl FnOnce(&mut Stack) -> Result<T>) -> Result<T> {
        self.on(verb).and_then(|outcome| outcome)
    }

    /// Reads the interface's state as of now.
    pub(super) fn read_now<T>(&self, view: impl FnOnce(&Stack) -> T) -> Result<T> {
        self.interface().map(|interface| interface.read_now(view))
    }

    /// Reads every interface's state, without the time.
    pub(super) fn collect<T>(&self, list: impl Fn(&Stack) -> Vec<T>) -> Vec<T> {
        self.interfaces().iter().flat_map(|interface| interface.read(&list)).collect()
    }

    /// Reads every interface's state as of now.
    pub(super) fn collect_now<T>(&self, list: impl Fn(&Stack) -> Vec<T>) -> Vec<T> {
        self.interfaces().iter().flat_map(|interface| interface.read_now(&list)).collect()
    }

    /// All interfaces as one system, which an interface's device is not.
    pub(super) fn system(&self) -> Result<&Interfaces> {
        match self.sockets.place.interface {
            None => Ok(&self.sockets.place.all),
            Some(_) => Err(Error::Unsupported),
        }
    }

    pub(super) fn set_system_option(&self, option: SystemOption) -> Result<bool> {
        let SystemOption::HostModel(model) = option else { return Err(Error::Unsupported) };
        self.system().map(|system| system.host().set_model(model))
    }

    pub(super) fn system_options(&self) -> Result<Vec<SystemOption>> {
        self.system().map(|system| alloc::vec![SystemOption::HostModel(system.host().model())])
    }

    pub(super) fn set_interface_option(&self, option: InterfaceOption) -> Result<bool> {
        let interface = self.interface()?;
        match option {
            InterfaceOption::Name(name) => self.sockets.place.all.rename(interface, &name),
            option => interface
                .change_with_driver(|stack, driver| interface_option::set(stack, driver, &option)),
        }
    }

    pub(super) fn interface_details(&self) -> Vec<InterfaceDetails> {
        let details = |interface: &Arc<Interface>| {
            interface.change_with_driver(|stack, driver| interface_option::details(stack, driver))
        };
        self.interfaces().iter().map(details).collect()
    }

    pub(super) fn set_hardware_address(&self, address: HardwareAddress) -> Result<bool> {
        self.interface()?
            .change_with_driver(|stack, driver| hardware_address::set(stack, address, driver))
    }

    /// Waits until the DHCP client has a lease or stops, or the timeout expires.
    pub(super) async fn await_dhcp(&self, milliseconds: u32) -> Result<DhcpStatus> {
        let interface = Arc::clone(self.interface()?);
        let clock = &self.sockets.clock;
        let deadline = clock.now().after(Duration::from_millis(u64::from(milliseconds)));
        let bound = poll_fn(|context| {
            interface.change_and_transmit(|stack| {
                stack.dhcp.register(context.waker());
                let status = stack.dhcp.status(&stack.context);
                match status.state {
                    DhcpState::Bound | DhcpState::Renewing | DhcpState::Rebinding => {
                        Poll::Ready(Ok(status))
                    }
                    DhcpState::Stopped => Poll::Ready(Err(Error::NotConnected)),
                    _ => Poll::Pending,
                }
            })
        });
        before(&**clock, deadline, bound).await.unwrap_or(Err(Error::TimedOut))
    }
}

/// Makes these the addresses that commands added, or changes nothing; true when that changed
/// something.
pub(super) fn replace_addresses(stack: &mut Stack, new: &[NewAddress]) -> Result<bool> {
    let Stack { context: cx, ip, transport, .. } = stack;
    let replacement = ip.plan_replacement(cx, new)?;
    // While the addresses and their routes exist, so that RSTs reach the peers.
    for address in ip.lost(&replacement).collect::<Vec<_>>() {
        transport.tcp.abort_local_address(cx, ip, address);
    }
    ip.replace_addresses(cx, &replacement)?;
    Ok(!replacement.is_empty())
}

/// Sets the fall-back; true if that changed something.
pub(super) fn set_fallback(stack: &mut Stack, asked: Fallback) -> Result<bool> {
    DhcpClient::check(&stack.context, &DhcpClientOptions::default())?;
    fallback::check(&asked)?;
    let (is_changed, action) = stack.dhcp.set_fallback(&mut stack.context, asked);
    stack.apply(action);
    Ok(is_changed)
}

/// Removes the addresses that commands added; returns how many.
pub(super) fn flush_addresses(stack: &mut Stack) -> u32 {
    let prefixes = stack.ip.addresses.prefixes_of(Origin::Static);
    // Each was listed just above.
    prefixes.into_iter().filter(|prefix| stack.remove_address(*prefix).is_ok()).count() as u32
}

/// What is in use.
pub(super) fn usage(stack: &Stack) -> Usage {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Usage {
        interface: stack.context.configuration.name.clone(),
        datagram_sockets: count(stack.transport.datagrams.len()),
        neighbors: count(stack.ip.link.neighbors.len()),
        ..stack.transport.tcp.usage()
    }
}
