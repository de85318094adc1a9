//! Three-valued truth after Kleene: unknown is neither, and stays unknown unless the rest decides.

use std::ops::Not;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Unknown,
}

use Truth::{False, True, Unknown};

impl Truth {
    /// True if all are, false if any is false. Stops at the first false.
    pub fn all(truths: impl IntoIterator<Item = Truth>) -> Truth {
        let mut whole = True;
        for truth in truths {
            match truth {
                False => return False,
                Unknown => whole = Unknown,
                True => {}
            }
        }
        whole
    }

    /// True if any is, false if all are false. Stops at the first true.
    pub fn any(truths: impl IntoIterator<Item = Truth>) -> Truth {
        !Self::all(truths.into_iter().map(Not::not))
    }
}

impl Not for Truth {
    type Output = Truth;
    fn not(self) -> Truth {
        match self {
            True => False,
            False => True,
            Unknown => Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(b: bool) -> Self {
        if b { True } else { False }
    }
}

impl From<Option<bool>> for Truth {
    fn from(known: Option<bool>) -> Self {
        known.map_or(Unknown, Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: [Truth; 3] = [True, False, Unknown];

    #[test]
    fn and_is_the_lesser_and_or_the_greater() {
        for a in EACH {
            assert_eq!(!!a, a);
            for b in EACH {
                let both = if a == False || b == False {
                    False
                } else if a == Unknown || b == Unknown {
                    Unknown
                } else {
                    True
                };
                assert_eq!(Truth::all([a, b]), both);
                assert_eq!(Truth::any([!a, !b]), !both);
            }
        }
    }
}
