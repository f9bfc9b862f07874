//! The layouts of BusyBox and net-tools.

pub mod interface;
pub mod name;
pub mod neighbor;
pub mod route;
pub mod socket;
pub mod usage;
