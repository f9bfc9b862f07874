//! The next hops of `ip route`: `nexthop via ADDRESS [dev IF] [weight N] [onlink] ...`.

use devnet_network::command::ListMultipathRoutes;
use devnet_network::command::route::{MultipathRoute, NextHop};
use devnet_virtual_file_system::Error;

use super::super::words::{self, Words};
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::Failure;

/// Next hops, and what is said of all of them.
#[derive(Default)]
pub(super) struct NextHops<'a> {
    pub(super) list: Vec<NextHop>,
    pub(super) device: Option<&'a str>,
    pub(super) onlink: bool,
}

impl<'a> NextHops<'a> {
    /// Reads the words after the first `nexthop` up to the end.
    pub(super) fn parse(words: &mut Words<'a>) -> Result<Self, Failure> {
        let mut hops = Self::default();
        let (mut devices, mut onlink) = (Vec::new(), Vec::new());
        loop {
            let (mut gateway, mut weight, mut is_onlink) = (None, 1, false);
            let mut device = None;
            let mut word = words.next();
            if word.is_none() {
                return Err(Failure::usage("unexpected end of line after \"nexthop\""));
            }
            while let Some(key) = word.filter(|word| *word != "nexthop") {
                match key {
                    "via" => {
                        if matches!(words.peek(), Some("inet" | "inet6")) {
                            words.next();
                        }
                        gateway = Some(words::address(words.value(key)?)?);
                    }
                    "dev" | "oif" => device = Some(words.value(key)?),
                    "weight" => weight = self::weight(words.value(key)?)?,
                    "onlink" => is_onlink = true,
                    word => {
                        return Err(Failure::usage(format!(
                            "\"nexthop\" or end of line is expected instead of \"{word}\""
                        )));
                    }
                }
                word = words.next();
            }
            // Here each next hop is a gateway.
            let gateway = gateway.ok_or_else(|| Failure::of("nexthop dev", Error::Unsupported))?;
            hops.list.push(NextHop { gateway, weight });
            devices.extend(device);
            onlink.push(is_onlink);
            if word.is_none() {
                break;
            }
        }
        // Each interface has its own routes, and each route one set of flags.
        let is_one = devices.windows(2).all(|pair| pair.first() == pair.last());
        if !is_one {
            let what = "next hops on several interfaces";
            return Err(Failure::of(what, Error::Unsupported));
        }
        hops.onlink = onlink.contains(&true);
        if hops.onlink && onlink.contains(&false) {
            return Err(Failure::of("onlink of some next hops only", Error::Unsupported));
        }
        hops.device = devices.first().copied();
        Ok(hops)
    }
}

fn weight(word: &str) -> Result<u16, Failure> {
    let number = word.parse().ok().filter(|number| (1..=256).contains(number));
    let wrong = || Failure::usage(format!("argument \"{word}\" is wrong: \"weight\" is invalid"));
    number.ok_or_else(wrong)
}

/// The routes with several next hops.
pub(super) async fn all(context: &Context) -> Result<Vec<MultipathRoute>, Failure> {
    devices::sockets(context, Use::Show)?
        .control::<ListMultipathRoutes>(&())
        .await
        .map_err(|why| Failure::of(devices::SOCKETS, why))
}
