//! Proofs anybody can check offline: for now the trail's hash chain. No I/O.

use aws_lc_rs::digest::{Context, SHA256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash before the first entry of every trail.
pub const GENESIS: Hash = [0; 32];

/// The hash of an entry: SHA-256 over the hash before it, its sequence number as eight bytes (big-endian) and its body in UTF-8.
pub fn entry_hash(before: &Hash, seq: i64, body: &str) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(&seq.to_be_bytes());
    context.update(body.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Where a chain stops being one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The entry's number is not the one after the entry before.
    Sequence { expected: i64, found: i64 },
    /// The entry's hash does not follow from its body and the entry before.
    Hash { seq: i64 },
}

/// Checks a trail from its first entry on; answers the head's number and hash.
///
/// # Errors
/// The first place where an entry was edited, removed, added or moved.
pub fn verify<'a>(entries: impl IntoIterator<Item = (i64, &'a str, Hash)>) -> Result<(i64, Hash), Broken> {
    let (mut seq, mut hash) = (0, GENESIS);
    for (found, body, stored) in entries {
        if found != seq + 1 {
            return Err(Broken::Sequence { expected: seq + 1, found });
        }
        if entry_hash(&hash, found, body) != stored {
            return Err(Broken::Hash { seq: found });
        }
        (seq, hash) = (found, stored);
    }
    Ok((seq, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(bodies: &[&'static str]) -> Vec<(i64, &'static str, Hash)> {
        let mut before = GENESIS;
        let mut entries = Vec::new();
        for (seq, body) in (1..).zip(bodies) {
            before = entry_hash(&before, seq, body);
            entries.push((seq, *body, before));
        }
        entries
    }

    #[test]
    fn an_untouched_chain_verifies() {
        let entries = chain(&["a", "b", "c"]);
        assert_eq!(verify(entries.clone()), Ok((3, entries[2].2)));
        assert_eq!(verify([]), Ok((0, GENESIS)));
    }

    #[test]
    fn an_edited_removed_or_moved_entry_is_found_at_its_place() {
        let mut edited = chain(&["a", "b", "c"]);
        edited[1].1 = "B";
        assert_eq!(verify(edited), Err(Broken::Hash { seq: 2 }));

        let mut removed = chain(&["a", "b", "c"]);
        removed.remove(1);
        assert_eq!(verify(removed), Err(Broken::Sequence { expected: 2, found: 3 }));

        let mut moved = chain(&["a", "b", "c"]);
        moved.swap(0, 1);
        assert_eq!(verify(moved), Err(Broken::Sequence { expected: 1, found: 2 }));
    }
}
