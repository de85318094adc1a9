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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    /// Says that it was zeroed.
    struct Told(Rc<Cell<u32>>);

    impl Zeroize for Told {
        fn zeroize(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    /// I29: a secret lasts as long as the operation that holds it, and is zeroed when it is let go, also by a failure on the way.
    #[test]
    fn i29_a_secret_is_zeroed_when_its_operation_ends_well_or_badly() {
        let zeroed = Rc::new(Cell::new(0));
        let operation = |fails: bool| -> Result<u32, ()> {
            let secret = Secret::new(Told(zeroed.clone()));
            let seen = secret.expose().0.get();
            if fails { Err(()) } else { Ok(seen) }
        };
        assert_eq!(operation(false), Ok(0), "not before its end");
        assert_eq!(zeroed.get(), 1);
        assert_eq!(operation(true), Err(()));
        assert_eq!(zeroed.get(), 2);
    }
}
