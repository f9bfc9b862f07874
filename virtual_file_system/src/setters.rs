//! Setters for structures of options, which may gain fields and therefore have no literals outside
//! their crate.

/// Gives a structure one method for each field, of the field's name, that returns the structure
/// with that value. Every field must stand in the list.
#[doc(hidden)]
#[macro_export]
macro_rules! setters {
    ($type:ident { $($field:ident: $value:ty),+ $(,)? }) => {
        impl $type {
            $(
                #[doc = concat!("Returns it with another `", stringify!($field), "`.")]
                #[must_use]
                pub fn $field(mut self, $field: $value) -> Self {
                    self.$field = $field;
                    self
                }
            )+
        }

        const _: fn($type) = |value| {
            let $type { $($field: _),+ } = value;
        };
    };
}
