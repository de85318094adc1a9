//! Values that must not be seen: no Debug, no Serialize, no Clone, zeroed when dropped.

use zeroize::{Zeroize, Zeroizing};

/// A secret value. Reading it takes an explicit [`Secret::expose`], so every use can be found by searching for that word.
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }
    pub fn expose(&self) -> &T {
        &self.0
    }
}
