//! What is asked of the system beside its interfaces: described, checked, replaced.

use alloc::collections::BTreeSet;

use devnet_virtual_file_system::{Error, Result};

use super::open::OpenFile;
use crate::command::route::{ChangeMode, RouteChange, RouteDetail, RouteFilter};
use crate::configuration::{At, DesiredSystem, WantedSystem};
use crate::limits;
use crate::stack::desired::Refusal;
use crate::stack::ip::routing::described;
use crate::stack::routes::{Route, Routes};

impl OpenFile {
    pub(super) fn describe_system(&self) -> DesiredSystem {
        let all = &self.sockets.place.all;
        let mut system =
            DesiredSystem { host_model: all.host().model(), ..DesiredSystem::default() };
        #[cfg(feature = "dns")]
        self.sockets.resolver().describe(&mut system);
        let route = |detail: RouteDetail| RouteChange {
            kind: detail.kind,
            destination: detail.route.destination,
            metric: detail.route.metric,
            protocol: detail.protocol,
            ..RouteChange::default()
        };
        system.routes = all.system_routes().into_iter().map(route).collect();
        system.normalize();
        system
    }

    pub(super) fn check_system(
        &self,
        wanted: &WantedSystem,
    ) -> core::result::Result<DesiredSystem, Refusal> {
        let host_model = wanted.host_model.as_ref().map(|at| at.value).unwrap_or_default();
        let mut system = DesiredSystem { host_model, ..DesiredSystem::default() };
        #[cfg(feature = "dns")]
        self.sockets.resolver().check(wanted, &mut system)?;
        let mut known = BTreeSet::new();
        for At { line, value } in &wanted.routes {
            let refused = |error| (*line, error);
            let route = described(value, 0, self.sockets.clock.now()).map_err(refused)?;
            let route = Routes::checked(route).map_err(refused)?;
            if !known.insert((route.destination, route.metric)) {
                return Err(refused(Error::AlreadyExists));
            }
            if known.len() > limits::ROUTES {
                return Err(refused(Error::NoBufferSpace));
            }
            system.routes.push(value.clone());
        }
        system.normalize();
        Ok(system)
    }

    pub(super) fn replace_system(
        &self,
        before: &DesiredSystem,
        after: &DesiredSystem,
    ) -> Result<()> {
        let all = &self.sockets.place.all;
        all.host().set_model(after.host_model);
        #[cfg(feature = "dns")]
        self.sockets.resolver().replace(after)?;
        let of = |route: &RouteChange| RouteFilter {
            destination: Some(route.destination),
            kind: Some(route.kind),
            metric: Some(route.metric),
            protocol: Some(route.protocol),
            ..RouteFilter::default()
        };
        let gone = before.routes.iter().filter(|route| !after.routes.contains(route));
        gone.for_each(|route| {
            all.remove_system_routes(&of(route));
        });
        let coming = after.routes.iter().filter(|route| !before.routes.contains(route));
        let outcome = coming.clone().try_for_each(|change| {
            let route = described(change, 0, self.sockets.clock.now())?;
            let route = Route { has_own_metric: true, ..route };
            all.set_system_route(route, ChangeMode::Append).map(drop)
        });
        if outcome.is_err() && before != after {
            coming.for_each(|route| {
                all.remove_system_routes(&of(route));
            });
            // It was so a moment ago.
            let _ = self.replace_system(after, before);
        }
        outcome
    }
}
