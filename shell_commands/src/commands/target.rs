//! The addresses of a host, and sockets that probe it: those of `ping` and `traceroute`.

use std::net::{IpAddr, SocketAddr};

use devnet_network::command::Bind;
use devnet_network::command::socket::SocketKind;
use devnet_virtual_file_system::File;

use crate::context::Context;
use crate::failure::Failure;
use crate::sockets::{self, Family, Sockets, bad_zone, unresolved};

/// The addresses of a host, and the sockets that reach them: those of its zone, if it has one.
///
/// # Errors
/// `HOST: why`.
pub(super) async fn addresses(
    context: &Context,
    host: &str,
    family: Family,
) -> Result<(Sockets, Vec<IpAddr>), Failure> {
    let zoned = Sockets::routed(&context.files).zoned(host).await;
    let (sockets, name) = zoned.map_err(|why| Failure::of(host, bad_zone(why)))?;
    let found = sockets.resolve(&name, family).await;
    Ok((sockets, found.map_err(|why| Failure::of(host, unresolved(why)))?))
}

/// Whom to probe, and from where.
pub(super) struct Target<'a> {
    pub(super) host: &'a str,
    pub(super) family: Family,
    /// Through this interface only.
    pub(super) interface: Option<&'a str>,
    /// From this address, whose family counts if none is given.
    pub(super) source: Option<IpAddr>,
}

impl Target<'_> {
    /// A socket, and the address of the host.
    pub(super) async fn open(
        &self,
        context: &Context,
        kind: SocketKind,
    ) -> Result<(File, IpAddr), Failure> {
        let Target { host, source, .. } = *self;
        let routed = Sockets::routed(&context.files);
        let sockets = match self.interface {
            Some(name) => {
                Sockets::on(&context.files, name).map_err(|why| Failure::of(name, why))?
            }
            None => routed.clone(),
        };
        let family = match source {
            Some(IpAddr::V4(_)) if self.family == Family::Any => Family::V4,
            Some(IpAddr::V6(_)) if self.family == Family::Any => Family::V6,
            _ => self.family,
        };
        let (sockets, name) =
            sockets.zoned(host).await.map_err(|why| Failure::of(host, bad_zone(why)))?;
        let routed = if sockets::has_zone(host) { &sockets } else { &routed };
        let addresses = routed
            .resolve(&name, family)
            .await
            .map_err(|why| Failure::of(host, unresolved(why)))?;
        let address = addresses
            .first()
            .copied()
            .ok_or_else(|| Failure::of(host, "Name or service not known"))?;
        let file = sockets.create(kind).await.map_err(|why| Failure::new(why.to_string()))?;
        if let Some(source) = source {
            file.control::<Bind>(&SocketAddr::new(source, 0))
                .await
                .map_err(|why| Failure::of(source, why))?;
        }
        Ok((file, address))
    }
}
