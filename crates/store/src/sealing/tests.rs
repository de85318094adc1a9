//! What is sealed opens unchanged in its own place, and nowhere else, and not after any change.

use super::*;
use crate::keyring::{KEY_LEN, KeyEncryptionKey, Keyring};
use bailiwick_base::{SeededRng, TenantId};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, executor::block_on, stream};
use proptest::prelude::*;
use std::{convert::Infallible, io::Read};
use uuid::Uuid;

fn key(tenant: u128, version: u32) -> Arc<TenantKey> {
    let ring = Keyring::new(KeyEncryptionKey::new([1; KEY_LEN]), Arc::new(SeededRng::new(5)));
    Arc::new(ring.new_data_key(TenantId(Uuid::from_u128(tenant)), version))
}

fn sealed(key: &TenantKey, name: &str, plain: &[u8], seed: u64) -> Vec<u8> {
    let mut sealer = Sealer::new(key, name, &SeededRng::new(seed)).unwrap();
    let mut out = Vec::new();
    sealer.update(plain, &mut out).unwrap();
    sealer.finish(&mut out).unwrap();
    out
}

fn opened(key: &Arc<TenantKey>, name: &str, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut opener = Opener::new(key.clone(), name, None);
    let mut out = Vec::new();
    opener.update(sealed, &mut out)?;
    opener.finish(&mut out)?;
    Ok(out)
}

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 31 + i / 251) as u8).collect()
}

fn frames(sealed: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    (sealed[..HEADER_LEN].to_vec(), sealed[HEADER_LEN..].chunks(FRAME).map(<[u8]>::to_vec).collect())
}

#[test]
fn every_size_around_a_chunk_comes_back_with_its_hash_and_length() {
    let key = key(1, 1);
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
        let plain = pattern(size);
        let sealed = sealed(&key, "a", &plain, 9);
        let chunks = size.div_ceil(CHUNK).max(1);
        assert_eq!(sealed.len(), HEADER_LEN + size + chunks * TAG);
        assert_eq!(opened(&key, "a", &sealed).unwrap(), plain, "{size}");
    }
}

#[test]
fn the_same_plaintext_never_seals_to_the_same_bytes() {
    let key = key(1, 1);
    let (one, two) = (sealed(&key, "a", &pattern(100), 1), sealed(&key, "a", &pattern(100), 2));
    assert_ne!(one[HEADER_LEN..], two[HEADER_LEN..]);
}

#[test]
fn another_tenant_name_version_or_format_does_not_open() {
    let ours = key(1, 1);
    let bytes = sealed(&ours, "run/artifact", &pattern(1000), 3);
    assert!(matches!(opened(&ours, "run/other", &bytes), Err(OpenError::Altered)));
    // the fixture's data keys are equal bytes: it is the tenant that differs
    assert!(matches!(opened(&key(2, 1), "run/artifact", &bytes), Err(OpenError::Altered)));
    assert!(matches!(opened(&key(1, 2), "run/artifact", &bytes), Err(OpenError::Key(KeyError::OtherVersion { needed: 1, given: 2 }))));
    let mut relabelled = bytes.clone();
    relabelled[11] = 2;
    assert!(matches!(opened(&key(1, 2), "run/artifact", &relabelled), Err(OpenError::Altered)));
    assert!(matches!(opened(&ours, "run/artifact", b"{\"plain\": \"json\"}"), Err(OpenError::UnknownFormat)));
    assert!(matches!(opened(&ours, "run/artifact", b""), Err(OpenError::UnknownFormat)));
}

#[test]
fn chunks_do_not_move_repeat_vanish_or_change_artifact() {
    let key = key(1, 1);
    let bytes = sealed(&key, "a", &pattern(4 * CHUNK), 1);
    let other = sealed(&key, "a", &pattern(4 * CHUNK), 2);
    let (head, original) = frames(&bytes);
    assert_eq!(original.len(), 4);
    let (other_head, foreign) = frames(&other);
    let refused = |what: &str, head: &[u8], frames: &[Vec<u8>]| {
        let bytes = [head, &frames.concat()].concat();
        assert!(matches!(opened(&key, "a", &bytes), Err(OpenError::Altered)), "{what}");
    };
    for at in 0..4 {
        let mut lost = original.clone();
        lost.remove(at);
        refused("lost", &head, &lost);
        let mut repeated = original.clone();
        repeated.insert(at, original[at].clone());
        refused("repeated", &head, &repeated);
        let mut mixed = original.clone();
        mixed[at] = foreign[at].clone();
        refused("of another artifact", &head, &mixed);
        for to in at + 1..4 {
            let mut swapped = original.clone();
            swapped.swap(at, to);
            refused("swapped", &head, &swapped);
        }
    }
    refused("under another header", &other_head, &original);
    refused("extended", &head, &[original.concat(), vec![0]]);
    refused("joined", &head, &[original.concat(), foreign.concat()]);
}

#[test]
fn other_content_under_a_recorded_hash_is_an_error_at_the_end() {
    let key = key(1, 1);
    let bytes = sealed(&key, "a", b"not what was recorded", 1);
    let mut opener = Opener::new(key, "a", Some([7; 32]));
    let mut out = Vec::new();
    opener.update(&bytes, &mut out).unwrap();
    assert!(matches!(opener.finish(&mut out), Err(OpenError::OtherContent)));
}

/// Hands out its bytes in pieces of the given sizes, in turn.
struct Dribble<'a>(&'a [u8], Vec<usize>, usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.1[self.2 % self.1.len()].min(buffer.len());
        self.2 += 1;
        self.0.read(&mut buffer[..size])
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_the_stream_gives_the_same_bytes(size in 0usize..300_000, cuts in prop::collection::vec(1usize..90_000, 1..6)) {
        let key = key(1, 1);
        let plain = pattern(size);
        let mut pieces = Vec::new();
        let mut rest = &plain[..];
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            pieces.push(Ok::<_, KeyError>(Bytes::copy_from_slice(now)));
            rest = later;
            if rest.is_empty() { break }
        }
        let sealer = Sealer::new(&key, "a", &SeededRng::new(1)).unwrap();
        let items: Vec<Sealed> = block_on(seal(stream::iter(pieces), sealer).try_collect()).unwrap();
        let (end, bytes) = items.split_last().unwrap();
        let Sealed::End(told) = end else { panic!("no end") };
        prop_assert_eq!(told.size, size as u64);
        let hash = aws_lc_rs::digest::digest(&SHA256, &plain);
        prop_assert_eq!(&told.sha256[..], hash.as_ref());
        let bytes: Vec<u8> = bytes.iter().flat_map(|item| match item { Sealed::Bytes(bytes) => bytes.to_vec(), Sealed::End(_) => vec![] }).collect();
        prop_assert_eq!(&bytes, &sealed(&key, "a", &plain, 1));

        let mut read = Vec::new();
        let opener = Opener::new(key.clone(), "a", Some(told.sha256));
        OpenReader::new(Dribble(&bytes, cuts.clone(), 0), opener).read_to_end(&mut read).unwrap();
        prop_assert_eq!(&read, &plain);

        let parts = stream::iter(bytes.chunks(cuts[0]).map(|part| Ok::<_, Infallible>(Bytes::copy_from_slice(part))).collect::<Vec<_>>());
        let opened: Vec<Bytes> = block_on(open(parts, Opener::new(key, "a", Some(told.sha256))).try_collect()).unwrap();
        prop_assert_eq!(opened.concat(), plain);
    }

    #[test]
    fn a_flipped_bit_or_a_cut_end_never_opens(size in 0usize..200_000, place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let key = key(1, 1);
        let bytes = sealed(&key, "a", &pattern(size), 1);
        let at = place.index(bytes.len());
        let mut bent = bytes.clone();
        bent[at] ^= 1 << bit;
        prop_assert!(opened(&key, "a", &bent).is_err());
        prop_assert!(opened(&key, "a", &bytes[..at]).is_err());
        let stream = stream::iter([Ok::<_, Infallible>(Bytes::from(bytes[..at].to_vec()))]);
        let last = block_on(open(stream, Opener::new(key, "a", None)).collect::<Vec<_>>()).pop();
        prop_assert!(matches!(last, Some(Err(_))));
    }
}
