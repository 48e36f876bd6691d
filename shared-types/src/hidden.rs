//! Secrets that pass through logs by accident: types that hold one show themselves without it.

/// `Debug` of a struct with the named fields alone.
macro_rules! shows_only {
    ($type:ident { $($field:ident),* }) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type))$(.field(stringify!($field), &self.$field))*.finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use shows_only;
