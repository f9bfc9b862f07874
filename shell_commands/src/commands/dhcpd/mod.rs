//! `dhcpd`: serves DHCP on an interface, or controls the server of one.
//!
//! `dhcpd IF` runs until it is ended, keeps the leases in a file of the tree, and stops the server
//! with itself; `dhcpd start IF` leaves the server to the interface.

mod leases;
mod options;

use std::net::Ipv4Addr;

use devnet_network::command::dhcp_server::{LeaseChange, Reservation};
use devnet_network::command::{
    ChangeDhcpLeases, GetDhcpServer, ListDhcpLeases, StartDhcpServer, StopDhcpServer, Watch,
    watch::Kinds,
};
use devnet_virtual_file_system::{Error, File};

use self::leases::LeaseFile;
use self::options::Options;
use super::words;
use crate::context::Context;
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::lease as render;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let options = Options::parse(context)?;
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    let change = |name| devices::interface(context, name, Use::Change);
    match words.as_slice() {
        ["start", name] => {
            start(context, &options, &change(name)?).await?;
            Ok(Status::SUCCESS)
        }
        ["stop", name] => {
            change(name)?.ask::<StopDhcpServer>(&()).await?;
            Ok(Status::SUCCESS)
        }
        ["status", name] => {
            let interface = devices::interface(context, name, Use::Show)?;
            let status = interface.ask::<GetDhcpServer>(&()).await?;
            context.answer(&render::server(name, &status)).await
        }
        ["leases", name] => {
            let interface = devices::interface(context, name, Use::Show)?;
            let leases = interface.ask::<ListDhcpLeases>(&()).await?;
            context.answer(&render::leases(&leases)).await
        }
        ["reserve", name, pairs @ ..] if !pairs.is_empty() => {
            let interface = change(name)?;
            for pair in pairs {
                reserve(&interface, &options::reservation(pair)?).await?;
            }
            Ok(Status::SUCCESS)
        }
        ["unreserve", name, address] => {
            let address: Ipv4Addr = words::parse(address, "address")?;
            let request = LeaseChange::Unreserve(address);
            change(name)?.change::<ChangeDhcpLeases>(&address.to_string(), &request).await?;
            Ok(Status::SUCCESS)
        }
        ["end", name, address] => {
            let address: Ipv4Addr = words::parse(address, "address")?;
            let request = LeaseChange::End(address);
            change(name)?.change::<ChangeDhcpLeases>(&address.to_string(), &request).await?;
            Ok(Status::SUCCESS)
        }
        [name] => serve(context, &options, &change(name)?).await,
        [] => Err(Failure::usage("which interface?")),
        [verb, ..] => Err(Failure::usage(format!("{verb}: unknown word"))),
    }
}

async fn reserve(interface: &Interface, reservation: &Reservation) -> Result<(), Failure> {
    let request = LeaseChange::Reserve(reservation.clone());
    interface.change::<ChangeDhcpLeases>(&reservation.address.to_string(), &request).await.map(drop)
}

/// Starts the server with everything that the options say and the leases of its file.
async fn start(
    context: &Context,
    options: &Options,
    interface: &Interface,
) -> Result<LeaseFile, Failure> {
    if options.server.ranges.is_empty() {
        return Err(Failure::usage("no addresses: --pool FIRST-LAST is needed"));
    }
    let file = LeaseFile::new(context, options.file.as_deref(), &interface.name);
    let former = file.read(context).await?;
    interface.ask::<StartDhcpServer>(&options.server).await?;
    for reservation in &options.reservations {
        reserve(interface, reservation).await?;
    }
    for lease in former {
        let address = lease.address;
        match interface.file.control::<ChangeDhcpLeases>(&LeaseChange::Put(lease)).await {
            Ok(_) => {}
            // The pool or the reservations are others than they were.
            Err(why @ (Error::InvalidInput | Error::NoBufferSpace)) => {
                context.complain(&format!("{address}: the lease is dropped: {why}")).await;
            }
            Err(why) => return Err(Failure::of(address, why)),
        }
    }
    Ok(file)
}

/// Stops the server when the command ends, however it does.
struct Running<'a>(&'a File);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // The interface may be gone, and the server with it.
        let _ = self.0.try_control::<StopDhcpServer>(&());
    }
}

/// Serves, and writes the leases down whenever one changes.
async fn serve(context: &Context, options: &Options, interface: &Interface) -> Outcome {
    let name = &interface.name;
    let watching = devices::interface(context, name, Use::Show)?.file;
    let file = start(context, options, interface).await?;
    let _running = Running(&interface.file);
    watching.control::<Watch>(&Kinds::LEASE).await.map_err(|why| Failure::of(name, why))?;
    let mut buffer = vec![0; limits::COPY_BYTES];
    let mut is_live = false;
    loop {
        let count = watching.read(&mut buffer).await.map_err(|why| Failure::of(name, why))?;
        let text = String::from_utf8_lossy(buffer.get(..count).unwrap_or_default());
        let status = interface.ask::<GetDhcpServer>(&()).await?;
        if status.server.is_none() {
            return Err(Failure::of(name, "the server was stopped"));
        }
        file.write(context, &interface.ask::<ListDhcpLeases>(&()).await?).await?;
        // What is there at the beginning is no news.
        if options.verbose && is_live {
            context.print(&text).await?;
        }
        is_live |= text.lines().any(|line| line == "idle");
    }
}
