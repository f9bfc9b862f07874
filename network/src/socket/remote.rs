//! Where to connect to: an address, or a name that is looked up.

use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use devnet_virtual_file_system::Error;

/// The remote end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remote<'a> {
    /// An address with a port.
    Address(SocketAddr),
    /// A name, or an address as text, with a port.
    Name(&'a str, u16),
}

/// What tells a [`Remote`]: socket addresses, text such as `web.lan:80` or `[fd00::1]:80`, and
/// pairs of a name or an IP address with a port.
pub trait ToRemote {
    /// The remote end; nothing is looked up.
    ///
    /// # Errors
    /// `InvalidInput` for text without a port.
    fn to_remote(&self) -> Result<Remote<'_>, Error>;
}

macro_rules! addresses {
    ($($kind:ty),+) => {
        $(impl ToRemote for $kind {
            fn to_remote(&self) -> Result<Remote<'_>, Error> {
                Ok(Remote::Address(SocketAddr::from(*self)))
            }
        })+
    };
}

addresses!(SocketAddr, SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));

impl ToRemote for str {
    fn to_remote(&self) -> Result<Remote<'_>, Error> {
        if let Ok(address) = self.parse() {
            return Ok(Remote::Address(address));
        }
        let (name, port) = self.rsplit_once(':').ok_or(Error::InvalidInput)?;
        let port = port.parse().map_err(|_| Error::InvalidInput)?;
        Ok(Remote::Name(name, port))
    }
}

impl ToRemote for String {
    fn to_remote(&self) -> Result<Remote<'_>, Error> {
        self.as_str().to_remote()
    }
}

impl ToRemote for (&str, u16) {
    fn to_remote(&self) -> Result<Remote<'_>, Error> {
        Ok(Remote::Name(self.0, self.1))
    }
}

impl ToRemote for (String, u16) {
    fn to_remote(&self) -> Result<Remote<'_>, Error> {
        Ok(Remote::Name(&self.0, self.1))
    }
}

impl<T: ToRemote + ?Sized> ToRemote for &T {
    fn to_remote(&self) -> Result<Remote<'_>, Error> {
        (**self).to_remote()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn text_is_an_address_or_a_name_with_a_port() {
        let address: SocketAddr = "[fd00::1]:80".parse().unwrap();
        assert_eq!("[fd00::1]:80".to_remote(), Ok(Remote::Address(address)));
        assert_eq!((address.ip(), 80).to_remote(), Ok(Remote::Address(address)));
        assert_eq!("web.lan:80".to_string().to_remote(), Ok(Remote::Name("web.lan", 80)));
        assert_eq!(("web.lan".to_string(), 80).to_remote(), Ok(Remote::Name("web.lan", 80)));
        for text in ["", "web.lan", "web.lan:", "web.lan:http", "web.lan:65536"] {
            assert_eq!(text.to_remote(), Err(Error::InvalidInput), "{text}");
        }
    }
}
