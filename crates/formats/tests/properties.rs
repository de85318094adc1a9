//! What must hold of any bytes: no panic, no result out of nothing, the same reading however the bytes arrive, and the same
//! idea of JSON as serde_json has.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod support;

use bailiwick_formats::json::Reader;
use bailiwick_formats::{FormatErrorKind, Limits, read, read_from};
use proptest::prelude::*;
use serde_json::Value;
use std::io::{self, Read};
use std::sync::{Arc, LazyLock};
use support::{Kept, composed, needed, parse};

/// A report's name and bytes, and how many results it holds.
type Sample = (&'static str, Arc<[u8]>, usize);

/// A report of each family.
static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    composed()
        .into_iter()
        .map(|(name, bytes)| {
            let n = parse(&bytes).unwrap().1.results().count();
            (name, bytes.into(), n)
        })
        .collect()
});
const FILES: usize = 6;

/// Gives its bytes a few at a time.
struct Drips(io::Cursor<Arc<[u8]>>, usize);
impl Read for Drips {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.1.min(into.len());
        self.0.read(&mut into[..n])
    }
}

/// Whether the reader takes the bytes as one JSON value.
fn takes(bytes: &[u8]) -> Result<(), FormatErrorKind> {
    let mut reader = Reader::new(Box::new(io::Cursor::new(bytes.to_vec())), &Limits::default());
    reader.skip().and_then(|()| reader.finish()).map_err(|e| e.kind)
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(|s| Value::from(s.replace('\0', ""))),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>().prop_map(|s| s.replace('\0', "")), inner), 0..6)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_never_panic_nor_make_results(which in 0..FILES, flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let (_, bytes, most) = &SAMPLES[which];
        let mut bytes = bytes.to_vec();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut kept = Kept::default();
        let result = read(bytes.as_slice(), &Limits::default(), &mut kept);
        prop_assert!(kept.results().count() <= *most);
        if let Err(error) = result {
            prop_assert!(error.kind != FormatErrorKind::Io && error.kind != FormatErrorKind::Stopped, "{error}");
        }
    }

    #[test]
    fn a_cut_report_tells_nothing(which in 0..FILES, at in any::<prop::sample::Index>()) {
        let (name, bytes, _) = &SAMPLES[which];
        let mut kept = Kept::default();
        prop_assert!(read(&bytes[..at.index(needed(name, bytes))], &Limits::default(), &mut kept).is_err());
        prop_assert!(kept.0.is_empty());
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_arrive(which in 0..FILES, size in 1usize..9) {
        let (_, bytes, _) = &SAMPLES[which];
        let whole = parse(bytes).unwrap().1;
        let mut kept = Kept::default();
        read_from(&mut || Ok(Box::new(Drips(io::Cursor::new(bytes.clone()), size))), &Limits::default(), &mut kept).unwrap();
        prop_assert_eq!(kept.0, whole.0);
    }

    #[test]
    fn utf16_reads_as_utf8(which in 0..FILES, big in any::<bool>()) {
        let (_, bytes, _) = &SAMPLES[which];
        let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).unwrap();
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        let wide: Vec<u8> = units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect();
        prop_assert_eq!(parse(&wide).unwrap().1.0, parse(bytes).unwrap().1.0);
    }

    #[test]
    fn all_json_is_taken(value in json(), pretty in any::<bool>()) {
        let bytes = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        prop_assert_eq!(takes(&bytes), Ok(()));
    }

    #[test]
    fn strings_are_read_as_serde_json_reads_them(text in any::<String>()) {
        let text = text.replace('\0', "");
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        for written in [serde_json::to_string(&text).unwrap(), format!("\"{escaped}\"")] {
            let mut reader = Reader::new(Box::new(io::Cursor::new(written.into_bytes())), &Limits::default());
            prop_assert_eq!(reader.string().unwrap().unwrap(), text.clone());
        }
    }

    #[test]
    fn broken_json_is_refused_where_serde_json_refuses_it(value in json(), at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..3) {
        let mut bytes = serde_json::to_vec(&value).unwrap();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => { bytes.remove(at); }
            _ => bytes.insert(at, byte),
        }
        let theirs = serde_json::from_slice::<Value>(&bytes);
        match (takes(&bytes), theirs) {
            (Ok(()), Err(e)) => prop_assert!(e.to_string().contains("out of range"), "{e}: {}", String::from_utf8_lossy(&bytes)),
            (Err(_), Ok(_)) => prop_assert!(bytes.windows(6).any(|w| w == b"\\u0000"), "{}", String::from_utf8_lossy(&bytes)),
            _ => {}
        }
    }
}
