//! Lines about names: servers, search domains, hosts and options of the resolver.

use alloc::string::String;
use alloc::vec::Vec;

use devnet_virtual_file_system::Error;

use crate::command::dns::{
    DnsSecurityChange, HostEntry, HostsChange, ResolverOption, SecureServer,
};
use crate::command::escape::unescape;
use crate::command::mdns::{LocalService, MulticastDnsOption, ServiceChange, ServiceWatch};
use crate::command::table::Request;
use crate::command::value::{switch, value};

/// The words after `dns`.
pub(super) fn dns(words: &[&str]) -> Result<Request, Error> {
    match words {
        ["add", server] => Ok(Request::AddDnsServer(value(server)?)),
        ["remove", server] => Ok(Request::RemoveDnsServer(value(server)?)),
        ["flush"] => Ok(Request::FlushDnsCache(())),
        ["search", "off"] => Ok(Request::SetSearchDomains(Vec::new())),
        ["search", domains @ ..] if !domains.is_empty() => {
            Ok(Request::SetSearchDomains(strings(domains)))
        }
        ["option", name, word] => option(name, word).map(Request::SetResolverOption),
        ["host", rest @ ..] => host(rest).map(Request::ChangeHosts),
        ["tls", rest @ ..] => tls(rest).map(Request::ChangeDnsSecurity),
        ["multicast", mode] => Ok(Request::SetMulticastDns(MulticastDnsOption::Mode(value(mode)?))),
        ["hostname"] => Ok(Request::SetMulticastDns(MulticastDnsOption::HostName(String::new()))),
        ["hostname", name] => {
            Ok(Request::SetMulticastDns(MulticastDnsOption::HostName(String::from(*name))))
        }
        ["publish", name, kind, port, text @ ..] => {
            let bytes = |word: &&str| unescape(word).ok_or(Error::InvalidInput);
            Ok(Request::ChangeServices(ServiceChange::Publish(LocalService {
                instance: instance(name)?,
                service_type: String::from(*kind),
                port: value(port)?,
                text: text.iter().map(bytes).collect::<Result<_, _>>()?,
            })))
        }
        ["withdraw", name, kind] => Ok(Request::ChangeServices(ServiceChange::Withdraw {
            instance: instance(name)?,
            service_type: String::from(*kind),
        })),
        ["watch", kind, form @ ..] => {
            let (numbered, records) = match form {
                [] => (false, false),
                ["numbered"] => (true, false),
                ["records"] => (true, true),
                _ => return Err(Error::InvalidInput),
            };
            let service_type = String::from(*kind);
            Ok(Request::WatchServices(ServiceWatch { service_type, numbered, records }))
        }
        _ => Err(Error::InvalidInput),
    }
}

fn instance(word: &str) -> Result<String, Error> {
    let bytes = unescape(word).ok_or(Error::InvalidInput)?;
    String::from_utf8(bytes).map_err(|_| Error::InvalidInput)
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| String::from(*word)).collect()
}

fn option(name: &str, word: &str) -> Result<ResolverOption, Error> {
    Ok(match name {
        "ndots" => ResolverOption::Dots(value(word)?),
        "timeout" => ResolverOption::Timeout(value(word)?),
        "stale" => ResolverOption::Stale(value(word)?),
        "cache" => ResolverOption::CacheEntries(value(word)?),
        "mixed-case" => ResolverOption::MixedCase(switch(word)?),
        _ => return Err(Error::InvalidInput),
    })
}

fn tls(words: &[&str]) -> Result<DnsSecurityChange, Error> {
    let secure = |address: &str, name: &str, port| {
        let (address, name) = (value(address)?, String::from(name));
        Ok(DnsSecurityChange::Add(SecureServer { address, name, port }))
    };
    match words {
        ["add", address, name] => secure(address, name, SecureServer::PORT),
        ["add", address, name, "port", port] => secure(address, name, value(port)?),
        ["remove", address] => Ok(DnsSecurityChange::Remove(value(address)?)),
        ["required", word] => switch(word).map(DnsSecurityChange::Require),
        _ => Err(Error::InvalidInput),
    }
}

fn host(words: &[&str]) -> Result<HostsChange, Error> {
    match words {
        ["flush"] => Ok(HostsChange::Replace(Vec::new())),
        ["remove", address] => Ok(HostsChange::Remove(value(address)?)),
        ["add", address, names @ ..] if !names.is_empty() => {
            Ok(HostsChange::Add(HostEntry { address: value(address)?, names: strings(names) }))
        }
        _ => Err(Error::InvalidInput),
    }
}
