//! The search order of routes.

use core::cmp::{Ordering, Reverse};

use super::Route;

/// The search order; the oldest of equals comes first. Those to one destination stand together.
#[inline(never)]
pub(super) fn order(one: &Route, other: &Route) -> Ordering {
    let rank = |route: &Route| {
        (Reverse(route.destination.length()), route.metric, route.destination.address())
    };
    rank(one).cmp(&rank(other)).then(other.preference.cmp(&one.preference))
}

/// Brings routes into the search order.
pub(super) fn sort(list: &mut [Route]) {
    if cfg!(feature = "details") { list.sort_by(order) } else { insertion_sort(list) }
}

/// The same with far less code, for firmware, whose lists are short or nearly in order.
fn insertion_sort(list: &mut [Route]) {
    for end in 1..list.len() {
        let (sorted, rest) = list.split_at(end);
        let Some(next) = rest.first() else { return };
        let place = sorted.partition_point(|known| order(known, next).is_le());
        if let Some(moving) = list.get_mut(place..=end) {
            moving.rotate_right(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::command::address::Origin;

    #[test]
    fn both_ways_to_sort_agree() {
        for seed in 0..200_u32 {
            let mut number = seed.wrapping_mul(0x9e37_79b9) | 1;
            let mut below = |most: u32| {
                number ^= number << 13;
                number ^= number >> 17;
                number ^= number << 5;
                number % most
            };
            let mut list: Vec<Route> = (0..below(40))
                .map(|_| {
                    let destination = alloc::format!("10.{}.0.0/{}", below(4), 16 + below(2));
                    let gateway = alloc::format!("10.9.9.{}", below(200));
                    let (destination, gateway) =
                        (destination.parse().unwrap(), gateway.parse().ok());
                    Route::new(destination, gateway, below(3), Origin::Static)
                })
                .collect();
            let mut other = list.clone();
            list.sort_by(order);
            insertion_sort(&mut other);
            assert_eq!(list, other, "seed {seed}");
        }
    }
}
