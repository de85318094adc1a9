//! The catalogue: every check, read from its files, in the order of ids.

mod check;
mod load;

pub use check::*;
pub use load::LoadError;

use std::sync::OnceLock;

/// The files of `catalogue/checks`, as they were when the program was built: name from that folder, and text.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// Checks in the order of ids, each id once, each able to judge.
#[derive(Debug, Clone)]
pub struct Catalogue {
    checks: Vec<Check>,
    version: String,
}

impl Catalogue {
    /// The catalogue this program was built with.
    ///
    /// # Errors
    /// As [`Catalogue::read`]; a build whose tests passed has none.
    pub fn shipped() -> Result<&'static Self, &'static [LoadError]> {
        static SHIPPED: OnceLock<Result<Catalogue, Vec<LoadError>>> = OnceLock::new();
        SHIPPED.get_or_init(|| Catalogue::read(FILES.iter().copied())).as_ref().map_err(Vec::as_slice)
    }

    /// Reads files of (name, text). Their order does not matter.
    ///
    /// # Errors
    /// Everything that is wrong, each with the file and the member.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<LoadError>> {
        let (catalogue, errors) = Self::read_sound(files);
        if errors.is_empty() { Ok(catalogue) } else { Err(errors) }
    }

    /// As [`Catalogue::read`], but keeps the sound checks beside the errors.
    pub fn read_sound<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Self, Vec<LoadError>) {
        load::read(files)
    }

    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    pub fn get(&self, id: &str) -> Option<&Check> {
        self.checks.binary_search_by(|check| check.id.as_str().cmp(id)).ok().map(|at| &self.checks[at])
    }

    /// Sixteen hexadecimal digits that change whenever a file does.
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// Names and texts of the shipped files.
pub fn shipped_files() -> &'static [(&'static str, &'static str)] {
    FILES
}
