//! Routes with several next hops: entries of equal destination and metric that have a weight.
//!
//! A next hop is an entry of its own, so that one whose network goes leaves the others, and comes
//! back with it. Which of them a flow takes is decided in
//! [`ip::multipath`](crate::stack::ip::multipath).

use devnet_virtual_file_system::Error;

use super::{Route, Routes};
use crate::command::route::ChangeMode;
use crate::limits;

impl Routes {
    /// True for a next hop at this place of the table.
    pub(super) fn is_hop_at(&self, place: usize) -> bool {
        self.list.get(place).is_some_and(Route::is_hop)
    }

    /// Removes the other next hops of the route at a place; false if it has no others.
    pub(super) fn leave_alone(&mut self, place: usize) -> bool {
        let Some(route) = self.list.get(place).copied().filter(Route::is_hop) else { return false };
        let is_other = |known: &Route| {
            known.is_hop() && known.is_equal(&route) && known.gateway != route.gateway
        };
        let before = self.list.len();
        while self.forget_waiting(is_other) {}
        // The place is that of the first of them.
        self.list.retain(|known| !is_other(known));
        self.list.len() != before
    }

    /// Brings a route with these next hops into the table; false if it is there just so.
    ///
    /// # Errors
    /// As [`set`](Self::set); `AlreadyExists` also for a second route of equal destination and
    /// metric that has several.
    pub(crate) fn set_multipath(
        &mut self,
        hops: &[Route],
        mode: ChangeMode,
    ) -> Result<bool, Error> {
        let Some((first, others)) = hops.split_first() else { return Err(Error::InvalidInput) };
        let first = Self::checked(*first)?;
        let is_known = |known: &Route| known.is_hop() && known.is_equal(&first);
        let is_replacement = matches!(mode, ChangeMode::Replace | ChangeMode::Change);
        if is_replacement {
            let known = self.list.iter().filter(|known| is_known(known));
            let same = hops.iter().map(|hop| Route { destination: first.destination, ..*hop });
            if known.copied().eq(same) {
                return Ok(false);
            }
        } else if self.list.iter().any(is_known) {
            return Err(Error::AlreadyExists);
        }
        // Tried on a copy, so that a refusal leaves the table as it was.
        let mut trial = self.clone();
        while trial.forget_waiting(is_known) {}
        trial.set(first, mode)?;
        let place = trial.list.iter().position(|known| *known == first);
        let mut place = place.ok_or(Error::InvalidInput)?;
        for hop in others {
            let hop = Self::checked(*hop)?;
            if let Some(gateway) = hop.gateway {
                trial.check_gateway(gateway, hop.details.is_onlink)?;
            }
            let mut known = trial.list.iter();
            if known.any(|known| known.is_equal(&hop) && known.gateway == hop.gateway) {
                return Err(Error::AlreadyExists);
            }
            if trial.list.len() + trial.waiting.len() >= limits::ROUTES {
                return Err(Error::NoBufferSpace);
            }
            place += 1;
            trial.list.insert(place, hop);
            trial.touch();
        }
        *self = trial;
        Ok(true)
    }
}
