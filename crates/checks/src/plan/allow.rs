//! Whether a concrete request is one that a plan names.

use super::{Placeholder, Planned, merge};
use crate::Request;

/// A path matches when its text does, placeholders standing for a value that cannot leave its place, and brings no more than planned.
pub fn allows(planned: &Planned, request: &Request) -> bool {
    if planned.service != request.service {
        return false;
    }
    let (path, select) = merge::split(&request.path, None);
    planned.select.covers(&select) && fits(&planned.path, &path, &Placeholder::of(planned.service, &planned.path))
}

fn fits(pattern: &str, path: &str, placeholders: &[Placeholder]) -> bool {
    let Some((placeholder, later)) = placeholders.split_first() else { return pattern == path };
    let Some((before, after)) = pattern.split_once(&placeholder.text) else { return false };
    let Some(rest) = path.strip_prefix(before) else { return false };
    let literal = after.split('{').next().unwrap_or(after);
    let ends =
        if literal.is_empty() && after.is_empty() { vec![rest.len()] } else { rest.match_indices(literal).map(|(at, _)| at).collect() };
    ends.into_iter().any(|end| placeholder.admits(&rest[..end]) && fits(after, &rest[end..], later))
}
