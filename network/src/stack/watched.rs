//! What watchers of an interface are told: state changes since the last report, or everything.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Stack;
use super::changes::Present;
use crate::command::event::{Change, Event};
use crate::command::watch::Kinds;

/// Sets the kinds to watch; the present state counts as reported.
pub(crate) fn set_kinds(stack: &mut Stack, kinds: Kinds) {
    let Stack { context: cx, ip, name_servers: names, dhcp, dhcp6, changes, .. } = stack;
    let server = &stack.dhcp_server;
    cx.watch.set_kinds(kinds);
    changes.watch(kinds, &Present { cx, ip, names, dhcp, server, dhcp6 });
    ip.link.neighbors.set_watched(kinds.contains(Kinds::NEIGHBOR), cx.now);
}

/// Records the changes since the last report.
pub(crate) fn note_changes(stack: &mut Stack) {
    let Stack { context: cx, ip, name_servers: names, dhcp, dhcp6, changes, .. } = stack;
    let server = &stack.dhcp_server;
    let events = changes.find(&Present { cx, ip, names, dhcp, server, dhcp6 });
    cx.watch.note_watched(events, 0);
    let (neighbors, lost) = ip.link.neighbors.take_changes(cx.now);
    let event = |(change, entry)| Event::Neighbor(change, entry);
    cx.watch.note_watched(neighbors.into_iter().map(event), lost);
}

/// All objects.
pub(crate) fn snapshot(stack: &Stack, change: Change) -> Vec<Event> {
    let Stack { context: cx, ip, name_servers: names, dhcp, dhcp6, .. } = stack;
    let server = &stack.dhcp_server;
    let mut events = Present { cx, ip, names, dhcp, server, dhcp6 }.snapshot(change);
    let services = stack.mdns.told().iter();
    events.extend(services.map(|one| Event::Service(change, Box::new(one.clone()))));
    events
}
