//! The catalogue: every check, read from its files, in the order of ids.

mod check;
mod load;

pub use check::*;
pub use load::LoadError;

use crate::recipes::Recipe;
use std::{collections::BTreeMap, sync::OnceLock};

/// The files of `catalogue/checks`, as they were when the program was built, by their names from that folder; and those of
/// `catalogue/recipes`, whose names begin with `recipes/`.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// Checks in the order of ids, each id once, each able to judge.
#[derive(Debug, Clone)]
pub struct Catalogue {
    checks: Vec<Check>,
    /// In the order of ids.
    recipes: Vec<Recipe>,
    /// Check to places in `recipes`.
    recipes_of: BTreeMap<String, Vec<usize>>,
    version: String,
}

impl Catalogue {
    /// The catalogue this program was built with, without the cases: they are most of the text, and a scan has no use for them.
    ///
    /// # Errors
    /// As [`Catalogue::read`]; a build whose tests passed has none.
    pub fn shipped() -> Result<&'static Self, &'static [LoadError]> {
        static SHIPPED: OnceLock<Result<Catalogue, Vec<LoadError>>> = OnceLock::new();
        let read = || {
            let short: Vec<(&str, String)> = FILES.iter().map(|(name, text)| (*name, load::without_cases(text))).collect();
            let catalogue = Self::read(short.iter().map(|(name, text)| (*name, text.as_str())))?;
            Ok(Self { version: load::version(FILES), ..catalogue })
        };
        SHIPPED.get_or_init(read).as_ref().map_err(Vec::as_slice)
    }

    /// The catalogue this program was built with, cases and all, read anew.
    ///
    /// # Errors
    /// As [`Catalogue::read`].
    pub fn shipped_with_cases() -> Result<Self, Vec<LoadError>> {
        Self::read(FILES.iter().copied())
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

    /// Every recipe, in the order of ids: all that can be written.
    pub fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    pub fn recipe(&self, id: &str) -> Option<&Recipe> {
        self.recipes.binary_search_by(|recipe| recipe.id.as_str().cmp(id)).ok().map(|at| &self.recipes[at])
    }

    /// The recipes that make a check pass.
    pub fn recipes_of(&self, check: &str) -> impl Iterator<Item = &Recipe> {
        self.recipes_of.get(check).into_iter().flatten().map(|at| &self.recipes[*at])
    }

    /// The recipe of a row of the live policies, by its key.
    pub fn policy_recipe(&self, key: &str) -> Option<&Recipe> {
        self.recipes.iter().find(|recipe| recipe.policy.as_deref() == Some(key))
    }

    /// Sixteen hexadecimal digits that change whenever a file does.
    pub fn version(&self) -> &str {
        &self.version
    }
}
