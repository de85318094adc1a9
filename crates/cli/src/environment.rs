//! The environment variables the command reads. An empty one counts as absent: pipelines set empty ones for what they do not know.

/// The variable's value, unless it is absent, empty or not Unicode.
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The first of the names that is set.
pub fn first_of(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| var(name))
}
