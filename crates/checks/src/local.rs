//! Check files of one's own, wherever they lie: read and tested without a catalogue around them.

use crate::{Catalogue, Check};
use serde::Deserialize;

/// What says where in a catalogue a check would belong.
#[derive(Deserialize)]
struct Place {
    id: String,
    product: String,
}

/// Reads one check file.
///
/// # Errors
/// Everything that is wrong, each beginning with the member or the line.
pub fn read_check(text: &str) -> Result<Check, Vec<String>> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let Place { id, product } = serde_saphyr::from_str_with_options(text, options).map_err(|e| vec![e.to_string()])?;
    let name = format!("{product}/{id}.yaml");
    let (catalogue, mut errors) = Catalogue::read_sound([(name.as_str(), text)]);
    // A recipe may be told in a file that is not here.
    errors.retain(|error| !error.message.ends_with(crate::recipes::TOLD_NOWHERE));
    match catalogue.get(&id) {
        Some(check) if errors.is_empty() => Ok(check.clone()),
        _ => Err(errors.into_iter().map(|error| error.message).collect()),
    }
}
