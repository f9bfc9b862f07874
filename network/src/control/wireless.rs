//! Switching a radio together with its addresses, all of it or nothing.
//!
//! The controller changes the radio and remembers what it was until it is told to keep the new
//! role; closing its file brings the former one back. So whatever ends a switch early, dropping the
//! operation too, undoes the addresses first and then the radio.

use alloc::sync::Arc;

use devnet_virtual_file_system::{
    ControlCommand, Error, OpenDevice, OpenFlags, Result, decode_response, encode,
};

use super::open::OpenFile;
use crate::command::wireless::{
    AccessPointSwitch, KeepRole, RadioRole, RadioSwitch, StationSwitch, SwitchRole,
};
use crate::interface::Interface;
use crate::stack::role::{self, Former};

impl OpenFile {
    pub(super) async fn switch_radio(&self, switch: RadioSwitch) -> Result<()> {
        let interface = Arc::clone(self.interface()?);
        let controller = self.controller.as_deref().ok_or(Error::UnknownCommand)?;
        // A file of its own: dropping it undoes what was not kept.
        let device = controller.open(OpenFlags::READ | OpenFlags::WRITE)?;
        match switch {
            RadioSwitch::Station(station) => {
                let StationSwitch { network, dhcp, milliseconds } = *station;
                ask::<SwitchRole>(&*device, &RadioRole::Station(network)).await?;
                let change = |stack: &mut _| role::become_station(stack, dhcp);
                let addresses = Addresses::change(interface, change)?;
                if milliseconds > 0 {
                    self.await_dhcp(milliseconds).await?;
                }
                ask::<KeepRole>(&*device, &()).await?;
                addresses.keep();
            }
            RadioSwitch::AccessPoint(point) => {
                let AccessPointSwitch { network, address, dhcp } = *point;
                ask::<SwitchRole>(&*device, &RadioRole::AccessPoint(network)).await?;
                let change = |stack: &mut _| role::become_access_point(stack, address, dhcp);
                let addresses = Addresses::change(interface, change)?;
                ask::<KeepRole>(&*device, &()).await?;
                addresses.keep();
            }
        }
        Ok(())
    }
}

async fn ask<C: ControlCommand>(
    device: &dyn OpenDevice,
    request: &C::Request,
) -> Result<C::Response> {
    decode_response(&device.control(C::IDENTIFIER, &encode(request)?).await?)
}

/// Changed addresses, which become again what they were unless they are kept.
struct Addresses {
    interface: Arc<Interface>,
    former: Option<Former>,
}

impl Addresses {
    fn change(
        interface: Arc<Interface>,
        change: impl FnOnce(&mut crate::stack::Stack) -> Result<Former>,
    ) -> Result<Self> {
        let former = interface.change_and_transmit(change)?;
        Ok(Self { interface, former: Some(former) })
    }

    fn keep(mut self) {
        if let Some(former) = self.former.take() {
            self.interface.change_and_transmit(|stack| former.replace(stack));
        }
    }
}

impl Drop for Addresses {
    fn drop(&mut self) {
        if let Some(former) = self.former.take() {
            self.interface.change_and_transmit(|stack| former.restore(stack));
        }
    }
}
