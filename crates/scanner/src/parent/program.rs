//! Where the child's program is: where config says, or beside the program that runs.

use std::path::{Path, PathBuf};

/// Its file name.
const NAME: &str = "bailiwick-scanner";

/// The program was in none of the places looked at.
#[derive(Debug, thiserror::Error)]
#[error("the program {NAME}, which runs scans, is not there: looked at {}; install it beside bailiwickd or name it in `scanner.program`", list(.looked))]
pub struct NoProgram {
    /// The places.
    pub looked: Vec<PathBuf>,
}

fn list(places: &[PathBuf]) -> String {
    places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The program that config names; without one, that beside the running executable, or in the folder above it, where a test's
/// executable finds it.
pub fn find_program(config: Option<&Path>) -> Result<PathBuf, NoProgram> {
    let places = match config {
        Some(program) => vec![program.to_owned()],
        None => beside(std::env::current_exe().ok().as_deref()),
    };
    match places.iter().find(|place| place.is_file()) {
        // The child is started in `/`.
        Some(program) => Ok(std::path::absolute(program).unwrap_or_else(|_| program.clone())),
        None => Err(NoProgram { looked: places }),
    }
}

fn beside(executable: Option<&Path>) -> Vec<PathBuf> {
    let folders = executable.into_iter().flat_map(|executable| executable.ancestors().skip(1).take(2));
    folders.map(|folder| folder.join(NAME)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_for_beside_the_executable_and_above() {
        let places = beside(Some(Path::new("/opt/bailiwick/deps/tests-1a2b")));
        assert_eq!(places, [Path::new("/opt/bailiwick/deps/bailiwick-scanner"), Path::new("/opt/bailiwick/bailiwick-scanner")]);
    }

    #[test]
    fn a_configured_place_is_the_only_one_and_is_named_when_empty() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("scanner");
        let error = find_program(Some(&program)).unwrap_err();
        assert!(error.to_string().contains(&program.display().to_string()), "{error}");
        std::fs::write(&program, "").unwrap();
        assert_eq!(find_program(Some(&program)).unwrap(), program);
    }
}
