//! `ip maddress`.

use std::net::IpAddr;

use devnet_network::command::interface::InterfaceStatus;
use devnet_network::command::multicast::GroupDetail;
use serde::Serialize;

use super::{Style, array};
use crate::render::append;

/// `ip maddress show` of interfaces with their groups.
#[must_use]
pub fn show(listed: &[(InterfaceStatus, Vec<GroupDetail>)], style: Style) -> String {
    if style.json {
        let object = |(status, groups): &(InterfaceStatus, Vec<GroupDetail>)| InterfaceObject {
            ifindex: status.index,
            ifname: status.name.clone(),
            maddr: groups.iter().map(GroupObject::of).collect(),
        };
        return array(&listed.iter().map(object).collect::<Vec<_>>());
    }
    let mut text = String::new();
    for (InterfaceStatus { index, name, .. }, groups) in listed {
        for (place, group) in groups.iter().enumerate() {
            if style.oneline || place == 0 {
                let end = if style.oneline { '\\' } else { '\n' };
                append(&mut text, format_args!("{index}:\t{name}{end}"));
            }
            let GroupObject { family, address, users, features } = GroupObject::of(group);
            append(&mut text, format_args!("\t{family:<5} {address}"));
            if let Some(users) = users {
                append(&mut text, format_args!(" users {users}"));
            }
            if let Some(features) = features {
                append(&mut text, format_args!(" {features}"));
            }
            text.push('\n');
        }
    }
    text
}

#[derive(Serialize)]
struct InterfaceObject {
    ifindex: u32,
    ifname: String,
    maddr: Vec<GroupObject>,
}

#[derive(Serialize)]
struct GroupObject {
    family: &'static str,
    address: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<u32>,
    /// `static` of a group that a command joined, as of link-layer addresses in iproute2.
    #[serde(skip_serializing_if = "Option::is_none")]
    features: Option<&'static str>,
}

impl GroupObject {
    fn of(group: &GroupDetail) -> Self {
        let others = u32::from(group.from_command) + u32::from(group.implied);
        let users = group.entry.sockets.saturating_add(others);
        Self {
            family: if group.entry.group.is_ipv4() { "inet" } else { "inet6" },
            address: group.entry.group,
            users: (users != 1).then_some(users),
            features: group.from_command.then_some("static"),
        }
    }
}
