//! What a goal demands, what of it shows in a recording, and what the worker settled on. Rules alone, no model: a
//! demand counts as touched only with evidence that can be pointed at, and as met only where the chosen product says so.
//!
//! 1. `parse` takes the goal's sentence apart.
//! 2. `products` pairs titles and prices on the screens.
//! 3. `decision` follows the cart.
//! 4. `find` puts demands and evidence together.

mod amount;
mod cart;
mod evidence;
mod find;
mod misread;
mod parse;
mod phrases;
mod products;
mod words;

use shared_types::step::Step;
use shared_types::transcript::Transcript;

use super::Screen;

pub use cart::decision;
pub use find::find;
pub use parse::parse;
pub use products::products;
pub(crate) use words::content;

/// What is known of a recording when its goal is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Distinct screens in order, each with the time from which it shows.
    pub screens: &'a [Screen<'a>],
    pub transcript: &'a Transcript,
    pub steps: &'a [Step],
}

#[cfg(test)]
mod tests;
