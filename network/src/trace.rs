//! What happened to a packet, told to the crates `log` or `defmt`.
//!
//! Every part of the stack says here what it decided: [`dropped`] counts a packet that goes no
//! further and says why, [`event`] says that a state changed or something was decided. Without the
//! features `log` and `defmt` nothing is said, and no argument is evaluated. With both, `log` is
//! told.
//!
//! A message begins with the interface. Its target is the subject: `devnet::interface`,
//! `devnet::link`, `devnet::neighbor`, `devnet::ip`, `devnet::icmp`, `devnet::udp`, `devnet::tcp`,
//! `devnet::dhcp`, `devnet::dhcp6`, `devnet::router`, `devnet::dns`, `devnet::firewall`. `defmt`
//! knows no targets: it filters by the module that speaks.
//!
//! | level | what |
//! |---|---|
//! | `warn` | what an administrator should look at: a duplicate address, an exhausted limit |
//! | `info` | interfaces and links that change, leases, neighbors that do not answer |
//! | `debug` | packets that are dropped, resets, retransmission timeouts, decisions about names |
//! | `trace` | packets for other hosts |
//!
//! A message is made under the lock of its interface: a logger must not wait, and must not call
//! back.

pub(crate) use crate::command::drops::DropReason;

/// A message that no interface begins: level, target, format and values, as in `log`. Values are
/// shown by `Display`.
#[cfg(feature = "log")]
macro_rules! message {
    ($level:ident, $target:literal, $format:literal $(, $value:expr)* $(,)?) => {
        log::$level!(target: $target, $format $(, $value)*)
    };
}

/// As with `log`, without the target.
#[cfg(all(feature = "defmt", not(feature = "log")))]
macro_rules! message {
    ($level:ident, $target:literal, $format:literal $(, $value:expr)* $(,)?) => {
        defmt::$level!($format $(, defmt::Display2Format(&$value))*)
    };
}

/// Nothing; the compiler still checks the values.
#[cfg(not(any(feature = "log", feature = "defmt")))]
macro_rules! message {
    ($level:ident, $target:literal, $format:literal $(, $value:expr)* $(,)?) => {
        if false {
            let _ = format_args!($format $(, $value)*);
        }
    };
}

/// Says that something happened on an interface: its context, then as [`message`].
macro_rules! event {
    ($cx:expr, $level:ident, $target:literal, $format:literal $(, $value:expr)* $(,)?) => {
        $crate::trace::message!(
            $level,
            $target,
            "{}: {}",
            $cx.configuration.name,
            format_args!($format $(, $value)*)
        )
    };
}

/// Counts a packet that is dropped, and says so: the context, the reason, the target, and what
/// packet it was. Instead of a context, its statistics and its configuration.
macro_rules! dropped {
    (($statistics:expr, $configuration:expr), NotForUs, $($what:tt)+) => {
        $crate::trace::dropped!(@trace, $statistics, $configuration, NotForUs, $($what)+)
    };
    (($statistics:expr, $configuration:expr), $reason:ident, $($what:tt)+) => {
        $crate::trace::dropped!(@debug, $statistics, $configuration, $reason, $($what)+)
    };
    ($cx:ident, $reason:ident, $($what:tt)+) => {
        $crate::trace::dropped!(($cx.statistics, $cx.configuration), $reason, $($what)+)
    };
    (@$level:ident, $statistics:expr, $configuration:expr, $reason:ident, $target:literal,
        $format:literal $(, $value:expr)* $(,)?) => {{
        $statistics.count($crate::trace::DropReason::$reason, 1);
        $crate::trace::message!(
            $level,
            $target,
            "{}: dropped, {}: {}",
            $configuration.name,
            $crate::trace::DropReason::$reason,
            format_args!($format $(, $value)*)
        );
    }};
}

pub(crate) use {dropped, event, message};

/// True when somebody reads what is said about this level and more: what costs more than a few
/// instructions to find out is asked for first.
pub(crate) fn is_on(target: &'static str) -> bool {
    #[cfg(feature = "log")]
    return log::log_enabled!(target: target, log::Level::Debug);
    #[cfg(not(feature = "log"))]
    return cfg!(feature = "defmt") && !target.is_empty();
}
