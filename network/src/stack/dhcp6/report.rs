//! How the client stands, for commands and watchers.

use core::net::IpAddr;

use super::client::Client;
use crate::command::dhcp6::{Dhcp6Address, Dhcp6Prefix, Dhcp6Status, Duid};
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::delegations::TimedPrefix;

impl Client {
    /// Fills in what watchers observe: time goes on without being news.
    pub(super) fn write_summary(&self, summary: &mut Dhcp6Status) {
        let (preferred_seconds, valid_seconds) = (0, 0);
        summary.state = self.state;
        summary.refusal = self.refusal;
        for lease in &self.leases.addresses {
            let IpAddr::V6(address) = lease.prefix.address() else { continue };
            summary.addresses.push(Dhcp6Address { address, preferred_seconds, valid_seconds });
        }
        let prefixes = self.leases.prefixes.iter().map(|lease| lease.prefix);
        summary.prefixes = prefixes
            .map(|prefix| Dhcp6Prefix { prefix, preferred_seconds, valid_seconds })
            .collect();
    }

    /// Fills in what there is to say.
    pub(super) fn write_status(&self, cx: &Context, status: &mut Dhcp6Status) {
        let remaining =
            |until: Instant| u32::try_from(until.since(cx.now).as_secs()).unwrap_or(u32::MAX);
        let has_leases = !self.leases.is_empty();
        status.options = self.options.clone();
        status.state = self.state;
        (status.duid, status.iaid) = (self.duid(cx), self.iaid(cx));
        status.server = has_leases.then(|| Duid(self.leases.server.clone()));
        for lease in &self.leases.addresses {
            let IpAddr::V6(address) = lease.prefix.address() else { continue };
            let (preferred_seconds, valid_seconds) = lease.seconds(cx.now);
            status.addresses.push(Dhcp6Address { address, preferred_seconds, valid_seconds });
        }
        status.prefixes = self.leases.prefixes.iter().map(|one| shown(one, cx.now)).collect();
        status.renew_seconds = self.leases.renew_at.filter(|_| has_leases).map(remaining);
        status.rebind_seconds = self.leases.rebind_at.filter(|_| has_leases).map(remaining);
        status.refresh_seconds = self.refresh_at.map(remaining);
        status.dns_servers.clone_from(&self.information.dns_servers);
        status.domains.clone_from(&self.information.domains);
        status.ntp_servers.clone_from(&self.information.ntp_servers);
        status.attempts = self.exchange.as_ref().map_or(0, |exchange| exchange.sent);
        status.refusal = self.refusal;
    }
}

/// A prefix as a status has it.
pub(super) fn shown(lease: &TimedPrefix, now: Instant) -> Dhcp6Prefix {
    let (preferred_seconds, valid_seconds) = lease.seconds(now);
    Dhcp6Prefix { prefix: lease.prefix, preferred_seconds, valid_seconds }
}
