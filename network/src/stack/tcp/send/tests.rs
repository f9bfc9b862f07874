//! The sending direction alone, by acknowledgments that a script makes.
