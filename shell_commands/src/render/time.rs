//! The output of `sntp`, laid out as by `ntpdate -q`.

use std::net::IpAddr;

/// What a server answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measurement {
    /// How far the server is from a clock, in servers.
    pub stratum: u8,
    /// What our clock is behind the server's, in nanoseconds.
    pub offset_nanos: i128,
    /// The time on the way, there and back, in nanoseconds.
    pub delay_nanos: i128,
}

/// The line of a server.
#[must_use]
pub fn line(server: IpAddr, measurement: &Measurement) -> String {
    let Measurement { stratum, offset_nanos, delay_nanos } = *measurement;
    let (offset, delay) = (seconds(offset_nanos, 6, '+'), seconds(delay_nanos, 5, '\0'));
    format!("server {server}, stratum {stratum}, offset {offset}, delay {delay}\n")
}

/// Seconds with so many digits after the point, of at most nine.
fn seconds(nanos: i128, digits: usize, plus: char) -> String {
    let sign = match plus {
        _ if nanos < 0 => "-",
        '+' => "+",
        _ => "",
    };
    let unit = 10_u128.pow(9_u32.saturating_sub(digits as u32));
    // Half of the last digit is rounded up.
    let rounded = (nanos.unsigned_abs() + unit / 2) / unit;
    let whole = 10_u128.pow(digits as u32);
    format!("{sign}{}.{:0digits$}", rounded / whole, rounded % whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_line() {
        let server = "10.0.0.1".parse().unwrap();
        let mut one = Measurement { stratum: 2, offset_nanos: -1_234_500, delay_nanos: 25_674_999 };
        assert_eq!(
            line(server, &one),
            "server 10.0.0.1, stratum 2, offset -0.001235, delay 0.02567\n"
        );
        one.offset_nanos = 2_999_999_999;
        assert!(line(server, &one).contains("offset +3.000000,"));
    }
}
