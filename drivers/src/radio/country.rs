//! The rules of countries: which channels a radio may use, and with which power.
//!
//! A small extract of what regulators allow indoors without further conditions; the simulation
//! needs differences, not the law.

/// The rules of a country.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) country: &'static str,
    pub(super) channels: &'static [u8],
    /// The largest transmit power in dBm.
    pub(super) power: i8,
}

const WORLD: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const AMERICA: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 36, 40, 44, 48, 149, 153, 157, 161];
const EUROPE: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 36, 40, 44, 48];

const fn rules(country: &'static str, channels: &'static [u8], power: i8) -> Rules {
    Rules { country, channels, power }
}

/// Where nothing is known: what is allowed everywhere.
pub(super) const ANYWHERE: &Rules = &rules("00", WORLD, 20);

const COUNTRIES: [Rules; 24] = [
    rules("00", WORLD, 20),
    rules("AT", EUROPE, 20),
    rules("AU", AMERICA, 20),
    rules("BE", EUROPE, 20),
    rules("BR", AMERICA, 20),
    rules("CA", AMERICA, 30),
    rules("CH", EUROPE, 20),
    rules("CN", EUROPE, 20),
    rules("CZ", EUROPE, 20),
    rules("DE", EUROPE, 20),
    rules("DK", EUROPE, 20),
    rules("ES", EUROPE, 20),
    rules("FI", EUROPE, 20),
    rules("FR", EUROPE, 20),
    rules("GB", EUROPE, 20),
    rules("IN", EUROPE, 20),
    rules("IT", EUROPE, 20),
    rules("JP", EUROPE, 20),
    rules("NL", EUROPE, 20),
    rules("NO", EUROPE, 20),
    rules("NZ", AMERICA, 20),
    rules("PL", EUROPE, 20),
    rules("SE", EUROPE, 20),
    rules("US", AMERICA, 30),
];

/// The rules of a country, if they are known.
pub(super) fn find(country: &str) -> Option<&'static Rules> {
    const KNOWN: &[Rules] = &COUNTRIES;
    KNOWN.iter().find(|rules| rules.country == country)
}

#[cfg(test)]
mod tests {
    use devnet_network::command::wireless::frequency;

    use super::*;

    #[test]
    fn every_channel_has_a_frequency_and_everybody_has_the_common_ones() {
        for rules in &COUNTRIES {
            assert!(rules.channels.iter().all(|channel| frequency(*channel).is_some()));
            assert!(ANYWHERE.channels.iter().all(|channel| rules.channels.contains(channel)));
            assert!(rules.power >= ANYWHERE.power, "{}", rules.country);
        }
        assert_eq!(find("US").map(|rules| rules.power), Some(30));
        assert_eq!((find("XX"), find("us")), (None, None));
        assert_eq!(find("00"), Some(ANYWHERE));
    }
}
