//! Documents that are checked: what is generated is current, what is named exists.

mod architecture;
mod commands;
mod conformance;
mod control;
mod lines;
mod live;
mod materials;
mod pitfalls;
mod shell;
mod sources;
mod text;
mod tree;
