//! Guests that compilers made: the SDKs and the examples, as whole programs on the embedded
//! network, in virtual time.
//!
//! | file | owns |
//! |---|---|
//! | [`compiler`] | sources → modules, with the compilers that are there |
//! | [`scene`] | a shell on the embedded network, in a world |
//! | [`header`] | the C header is what the tables say |
//! | [`c`], [`rust`] | what the programs do |

mod c;
mod compiler;
mod header;
mod rust;
pub(crate) mod scene;
