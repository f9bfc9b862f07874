//! How strong a signal arrives, and what a link of that strength can do: plain functions.
//!
//! The loss of a path grows with the cube of the distance, as inside buildings (a log-distance
//! model): 40 dB for the first meter, 9 dB whenever the distance doubles.

use crate::position::Position;

/// The weakest signal in dBm of which anything is understood.
pub(super) const SENSITIVITY: i8 = -90;
/// Below this signal, in dBm, a station looks for a better access point of its network.
pub(super) const ROAM_BELOW: i8 = -70;
/// By how many dB another access point must be better.
pub(super) const ROAM_GAIN: i8 = 8;
/// Below this signal, in dBm, frames get lost.
const LOSSLESS: i8 = -82;
/// Millionths of the frames that each dB below it costs.
const LOSS_OF_DECIBEL: u32 = 50_000;
/// Loss of the first meter in dB, at 2.4 GHz.
const FIRST_METER: f64 = 40.0;
/// Loss in dB when the distance grows tenfold.
const DECADE: f64 = 30.0;

/// The signal in dBm that arrives over a path with this further attenuation in dB.
pub(super) fn received(power: i8, from: Position, to: Position, attenuation: u16) -> i8 {
    let distance = |one: i32, other: i32| f64::from(one) - f64::from(other);
    let meters = distance(from.x, to.x).hypot(distance(from.y, to.y)).max(1.0);
    let loss = FIRST_METER + DECADE * meters.log10() + f64::from(attenuation);
    (f64::from(power) - loss).round().clamp(f64::from(i8::MIN), f64::from(i8::MAX)) as i8
}

/// The rate in kbit/s at which a signal of this strength is used: those of IEEE 802.11n with one
/// stream and 20 MHz.
pub(super) const fn rate(signal: i8) -> u32 {
    match signal {
        -64.. => 65_000,
        -65 => 58_500,
        -66 => 52_000,
        -70..=-67 => 39_000,
        -74..=-71 => 26_000,
        -77..=-75 => 19_500,
        -79..=-78 => 13_000,
        -82..=-80 => 6_500,
        _ => 1_000,
    }
}

/// The share of frames that a signal of this strength loses, in millionths.
pub(super) fn loss(signal: i8) -> u32 {
    let below = u32::try_from(i16::from(LOSSLESS) - i16::from(signal)).unwrap_or(0);
    below.saturating_mul(LOSS_OF_DECIBEL).min(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_falls_with_distance_and_walls() {
        let at = |x| Position { x, y: 0 };
        let signal = |x, walls| received(20, at(0), at(x), walls);
        assert_eq!(
            [signal(0, 0), signal(1, 0), signal(10, 0), signal(100, 0)],
            [-20, -20, -50, -80]
        );
        assert_eq!(signal(20, 0), -59, "9 dB for twice the distance");
        assert_eq!(signal(10, 12), -62);
        assert_eq!(received(20, at(i32::MIN), at(i32::MAX), u16::MAX), i8::MIN);
        let diagonal = received(20, at(0), Position { x: 6, y: -8 }, 0);
        assert_eq!(diagonal, signal(10, 0));
    }

    #[test]
    fn a_weak_signal_is_slow_and_loses_frames() {
        assert!((i8::MIN..i8::MAX).all(|signal| rate(signal) <= rate(signal + 1)));
        assert_eq!([rate(-50), rate(-72), rate(-90)], [65_000, 26_000, 1_000]);
        assert_eq!([loss(-50), loss(-82), loss(-90), loss(-128)], [0, 0, 400_000, 1_000_000]);
    }
}
