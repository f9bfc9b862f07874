//! Commands about DHCPv6.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use devnet_virtual_file_system::{Error, Result};

use super::execute::reply;
use super::open::OpenFile;
use crate::command::dhcp6::Dhcp6Status;
use crate::command::table::*;
use crate::platform::before;

impl OpenFile {
    pub(super) fn execute_dhcp6(&self, request: Immediate) -> Result<Vec<u8>> {
        match request {
            Immediate::SetDhcp6Client(options) => reply::<SetDhcp6Client>(|| {
                self.change(|stack| {
                    let (dhcp6, mut parts) = stack.dhcp6();
                    dhcp6.set_client(&mut parts, options)
                })
            }),
            Immediate::RenewDhcp6(()) => reply::<RenewDhcp6>(|| {
                self.change(|stack| {
                    let (dhcp6, mut parts) = stack.dhcp6();
                    dhcp6.renew(&mut parts)
                })
            }),
            Immediate::GetDhcp6(()) => {
                reply::<GetDhcp6>(|| self.read_now(|stack| stack.dhcp6.status(&stack.context)))
            }
            Immediate::SetDhcp6Server(options) => reply::<SetDhcp6Server>(|| {
                self.change(|stack| {
                    let (dhcp6, mut parts) = stack.dhcp6();
                    dhcp6.set_server(&mut parts, options)
                })
            }),
            Immediate::GetDhcp6Server(()) => reply::<GetDhcp6Server>(|| {
                self.read_now(|stack| stack.dhcp6.server_status(&stack.context))
            }),
            Immediate::SetDownstream(asked) => reply::<SetDownstream>(|| {
                self.change(|stack| {
                    let (dhcp6, mut parts) = stack.dhcp6();
                    dhcp6.set_downstream(&mut parts, asked)
                })
            }),
            _ => Err(Error::Unsupported),
        }
    }

    /// Waits until the DHCPv6 client has what it asks for or is off, or the timeout expires.
    pub(super) async fn await_dhcp6(&self, milliseconds: u32) -> Result<Dhcp6Status> {
        let interface = Arc::clone(self.interface()?);
        let clock = &self.sockets.clock;
        let deadline = clock.now().after(Duration::from_millis(u64::from(milliseconds)));
        let ready = poll_fn(|context| {
            interface.change_and_transmit(|stack| {
                stack.dhcp6.register(context.waker());
                match stack.dhcp6.is_ready() {
                    Some(true) => Poll::Ready(Ok(stack.dhcp6.status(&stack.context))),
                    None => Poll::Ready(Err(Error::NotConnected)),
                    Some(false) => Poll::Pending,
                }
            })
        });
        before(&**clock, deadline, ready).await.unwrap_or(Err(Error::TimedOut))
    }
}
