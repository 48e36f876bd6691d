//! How a noun's life is written down: one enum of stages and the moves between them, nothing else.
//!
//! The strings are part of the contract with other people's tools; they never change. A move that is not listed is
//! refused with [`InvalidTransition`], so a stage can only be reached by the road drawn here.

/// A move that a noun's lifecycle does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {noun} that is {from} cannot become {to}")]
pub struct InvalidTransition {
    pub noun: &'static str,
    pub from: &'static str,
    pub to: &'static str,
}

/// Declares the stages of a noun: `Stage "string" => [stages that may follow]`, the first being where life begins.
macro_rules! lifecycle {
    (
        $(#[$meta:meta])*
        $name:ident of $noun:literal {
            $($(#[$stage_meta:meta])* $stage:ident $string:literal => [$($next:ident),* $(,)?],)+
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema, ts_rs::TS,
        )]
        pub enum $name {
            $($(#[$stage_meta])* #[serde(rename = $string)] $stage,)+
        }

        impl $name {
            /// Every stage, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$stage),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$stage => $string,)+ }
            }

            /// The stages that may follow this one; none for an end.
            pub const fn next(self) -> &'static [Self] {
                match self { $(Self::$stage => &[$(Self::$next),*],)+ }
            }

            /// Moves on, or says which move does not exist.
            pub fn advance(self, to: Self) -> Result<Self, $crate::lifecycle::InvalidTransition> {
                if self.next().contains(&to) {
                    Ok(to)
                } else {
                    Err($crate::lifecycle::InvalidTransition {
                        noun: $noun,
                        from: self.as_str(),
                        to: to.as_str(),
                    })
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use lifecycle;
