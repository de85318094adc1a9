//! Recipes: what may be written to a directory, and the changes they make of what is there. Pure planning; nothing here reads or writes.
//!
//! What must stay true: only what the catalogue lists is ever proposed; a change is proposed only where the check fails now and would pass
//! after; of an object that Microsoft replaces whole, the members that nobody decided over go along as they are.

mod access;
mod change;
mod files;
mod judge;
mod members;
mod propose;
mod recipe;
mod targets;

pub use change::{Change, MemberChange, NotKnown, Standing, Undo, compare, created, undo};
pub use propose::Proposal;
pub use recipe::{Method, Recipe, RecipeKind, Risk};
pub use targets::{CheckRef, Left, LeftOut, Planner, Target, Targeted, Targets};

pub(crate) use files::{FOLDER, TOLD_NOWHERE, read};

#[cfg(test)]
mod tests;
