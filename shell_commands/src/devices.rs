//! How commands reach the network: they open `/devices/network/NAME` and `/devices/sockets`.
//!
//! The only place that knows those paths. A command gets an opened [`File`] and asks it typed
//! commands; there is no other way in, so what works here works for a guest.

use devnet_network::command::interface::{InterfaceStatus, Statistics};
use devnet_network::command::{GetInterface, GetStatistics, ListInterfaceDetails};
use devnet_virtual_file_system::{ControlCommand, Error, File, OpenFlags};

use crate::context::Context;
use crate::failure::Failure;
use crate::link::Link;

/// The directory of interfaces.
pub const NETWORK: &str = "/devices/network";
/// The device of what belongs to no single interface.
pub const SOCKETS: &str = "/devices/sockets";

/// What a command is going to do with a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// Read its state.
    Show,
    /// Change it.
    Change,
}

impl Use {
    const fn flags(self) -> OpenFlags {
        match self {
            Self::Show => OpenFlags::READ,
            Self::Change => OpenFlags::READ.union(OpenFlags::WRITE),
        }
    }
}

/// An opened interface and its name.
pub struct Interface {
    /// The name under [`NETWORK`].
    pub name: String,
    /// The open device.
    pub file: File,
}

impl Interface {
    /// Asks a typed command; a failure names the interface.
    ///
    /// # Errors
    /// `NAME: why`, status 1.
    pub async fn ask<C: ControlCommand>(
        &self,
        request: &C::Request,
    ) -> Result<C::Response, Failure> {
        self.file.control::<C>(request).await.map_err(|why| Failure::of(&self.name, why))
    }

    /// Asks a typed command about `what`; a failure names that.
    ///
    /// # Errors
    /// `WHAT: why`, status 1.
    pub async fn change<C: ControlCommand>(
        &self,
        what: &str,
        request: &C::Request,
    ) -> Result<C::Response, Failure> {
        self.file.control::<C>(request).await.map_err(|why| Failure::of(what, why))
    }

    /// Identity, state and flags.
    ///
    /// # Errors
    /// `NAME: why`, status 1.
    pub async fn status(&self) -> Result<InterfaceStatus, Failure> {
        self.ask::<GetInterface>(&()).await
    }

    /// Status and settings.
    ///
    /// # Errors
    /// `NAME: why`, status 1.
    pub async fn link(&self) -> Result<Link, Failure> {
        let status = self.status().await?;
        let details = self.ask::<ListInterfaceDetails>(&()).await?.into_iter().next();
        Ok(Link { status, details })
    }

    /// Counters.
    ///
    /// # Errors
    /// `NAME: why`, status 1.
    pub async fn statistics(&self) -> Result<Statistics, Failure> {
        self.ask::<GetStatistics>(&()).await
    }
}

/// Opens the interface `name`.
///
/// # Errors
/// `NoDevice` when there is no such interface, and whatever opening gives.
pub fn open(context: &Context, name: &str, how: Use) -> Result<Interface, Error> {
    // A name with a slash would be a path to somewhere else.
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(Error::NoDevice);
    }
    let opened = context.files.open(&format!("{NETWORK}/{name}"), how.flags());
    let file = opened.map_err(|why| if why == Error::NotFound { Error::NoDevice } else { why })?;
    Ok(Interface { name: name.to_owned(), file })
}

/// Opens the interface `name` for a command that says `name: why` when it cannot.
///
/// # Errors
/// `NAME: why`, status 1.
pub fn interface(context: &Context, name: &str, how: Use) -> Result<Interface, Failure> {
    open(context, name, how).map_err(|why| Failure::of(name, why))
}

/// Opens every interface together with its state, in the order of their numbers.
///
/// # Errors
/// That of listing or asking; an interface that goes away meanwhile is left out.
pub async fn all(context: &Context) -> Result<Vec<(Interface, InterfaceStatus)>, Failure> {
    let entries = context.files.list(NETWORK).map_err(|why| Failure::of(NETWORK, why))?;
    let mut found = Vec::with_capacity(entries.len());
    for entry in entries {
        let opened = open(context, &entry.name, Use::Show);
        let answered = match opened {
            Ok(interface) => {
                interface.file.control::<GetInterface>(&()).await.map(|status| (interface, status))
            }
            Err(why) => Err(why),
        };
        match answered {
            Ok(pair) => found.push(pair),
            // Gone meanwhile, or a file that is no interface.
            Err(Error::NoDevice | Error::UnknownCommand | Error::IsADirectory) => {}
            Err(why) => return Err(Failure::of(entry.name, why)),
        }
    }
    found.sort_by_key(|(_, status)| status.index);
    Ok(found)
}

/// As [`all`], with the settings.
///
/// # Errors
/// As [`all`].
pub async fn links(context: &Context) -> Result<Vec<(Interface, Link)>, Failure> {
    let mut found = Vec::new();
    for (interface, status) in all(context).await? {
        let details = interface.ask::<ListInterfaceDetails>(&()).await?.into_iter().next();
        found.push((interface, Link { status, details }));
    }
    Ok(found)
}

/// Opens the device of the named interface, or that of all of them; returns its name in errors.
///
/// # Errors
/// As [`interface`] and [`sockets`].
pub fn one_or_all<'a>(
    context: &Context,
    name: Option<&'a str>,
    how: Use,
) -> Result<(&'a str, File), Failure> {
    Ok(match name {
        Some(name) => (name, interface(context, name, how)?.file),
        None => (SOCKETS, sockets(context, how)?),
    })
}

/// Opens the device of what belongs to no single interface.
///
/// # Errors
/// `/devices/sockets: why`, status 1.
pub fn sockets(context: &Context, how: Use) -> Result<File, Failure> {
    context.files.open(SOCKETS, how.flags()).map_err(|why| Failure::of(SOCKETS, why))
}
