//! Lines about what an interface advertises as a router.

use devnet_virtual_file_system::Error;

use crate::command::route::Preference;
use crate::command::router::{
    AdvertisedNat64, AdvertisedPrefix, AdvertisedRoute, RouterChange, RouterPart, RouterSettings,
};
use crate::command::value::{pairs, switch, value};

/// Seconds for which a route and a prefix of NAT64 count, unless given.
const LIFETIME: u16 = 1800;

/// The words after `router`.
pub(super) fn router(words: &[&str]) -> Result<RouterChange, Error> {
    Ok(match words {
        ["set", rest @ ..] => RouterChange::Set(settings(rest)?),
        ["prefix", word, rest @ ..] => RouterChange::Prefix(prefix(word, rest)?),
        ["route", word, rest @ ..] => RouterChange::Route(route(word, rest)?),
        ["dns", server] => RouterChange::DnsServer(value(server)?),
        ["domain", domain] => RouterChange::Domain((*domain).into()),
        ["nat64", word] => nat64(word, LIFETIME)?,
        ["nat64", word, "lifetime", seconds] => nat64(word, value(seconds)?)?,
        ["remove", kind, name] => RouterChange::Remove(match *kind {
            "prefix" => RouterPart::Prefix(value(name)?),
            "route" => RouterPart::Route(value(name)?),
            "nat64" => RouterPart::Nat64(value(name)?),
            "dns" => RouterPart::DnsServer(value(name)?),
            "domain" => RouterPart::Domain((*name).into()),
            _ => return Err(Error::InvalidInput),
        }),
        ["off"] => RouterChange::Stop,
        _ => return Err(Error::InvalidInput),
    })
}

fn nat64(word: &str, lifetime_seconds: u16) -> Result<RouterChange, Error> {
    Ok(RouterChange::Nat64(AdvertisedNat64 { prefix: value(word)?, lifetime_seconds }))
}

fn settings(words: &[&str]) -> Result<RouterSettings, Error> {
    let mut settings = RouterSettings::default();
    for [key, word] in pairs(words)? {
        match *key {
            "preference" => settings.preference = value(word)?,
            "lifetime" => settings.lifetime_seconds = value(word)?,
            "interval" => settings.interval_seconds = value(word)?,
            "hop-limit" => settings.hop_limit = value(word)?,
            "managed" => settings.managed = switch(word)?,
            "other" => settings.other = switch(word)?,
            "mtu" => settings.mtu = Some(value(word)?),
            "reachable" => settings.reachable_milliseconds = value(word)?,
            "retransmit" => settings.retransmit_milliseconds = value(word)?,
            _ => return Err(Error::InvalidInput),
        }
    }
    Ok(settings)
}

fn prefix(word: &str, words: &[&str]) -> Result<AdvertisedPrefix, Error> {
    let mut what = AdvertisedPrefix::new(value(word)?);
    for [key, word] in pairs(words)? {
        match *key {
            "valid" => what.valid_seconds = value(word)?,
            "preferred" => what.preferred_seconds = value(word)?,
            "on-link" => what.on_link = switch(word)?,
            "autonomous" => what.autonomous = switch(word)?,
            _ => return Err(Error::InvalidInput),
        }
    }
    Ok(what)
}

fn route(word: &str, words: &[&str]) -> Result<AdvertisedRoute, Error> {
    let mut what = AdvertisedRoute {
        prefix: value(word)?,
        preference: Preference::Medium,
        lifetime_seconds: u32::from(LIFETIME),
    };
    for [key, word] in pairs(words)? {
        match *key {
            "preference" => what.preference = value(word)?,
            "lifetime" => what.lifetime_seconds = value(word)?,
            _ => return Err(Error::InvalidInput),
        }
    }
    Ok(what)
}
