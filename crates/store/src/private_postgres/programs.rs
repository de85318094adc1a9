//! Finding `postgres` and `initdb`: the configured folder and nothing else, or PATH, then Debian's versioned folders, newest first.
//! The two programs always come from one folder, so that they are of one version.

use super::{PrivatePostgresError, account::Account};
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// The oldest major version the schema is tested on.
pub const OLDEST_MAJOR: u32 = 15;
const DEBIAN: &str = "/usr/lib/postgresql";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub folder: PathBuf,
    pub major: u32,
}

impl Programs {
    pub fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
    pub fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    /// The programs to use. `made_by` is the major version of a database that exists: only that version can open it.
    pub fn find(configured: Option<&Path>, made_by: Option<(u32, &Path)>, account: &Account) -> Result<Self, PrivatePostgresError> {
        let folders = match configured {
            Some(folder) => vec![complete(folder)?],
            None => candidates(std::env::var_os("PATH").as_deref(), Path::new(DEBIAN)),
        };
        choose(folders, made_by, |folder| version(folder, account))
    }
}

/// The first folder whose version fits; else the reason why the first one does not.
fn choose(
    folders: Vec<PathBuf>,
    made_by: Option<(u32, &Path)>,
    version: impl Fn(&Path) -> Result<u32, PrivatePostgresError>,
) -> Result<Programs, PrivatePostgresError> {
    let mut refusal = None;
    for folder in folders {
        let unfit = match (version(&folder), made_by) {
            (Err(error), _) => error,
            (Ok(major), _) if major < OLDEST_MAJOR => PrivatePostgresError::TooOld { folder, major },
            (Ok(found), Some((made, data))) if found != made => PrivatePostgresError::OtherMajor { data: data.into(), made, found },
            (Ok(major), _) => return Ok(Programs { folder, major }),
        };
        refusal.get_or_insert(unfit);
    }
    Err(refusal.unwrap_or(PrivatePostgresError::NotInstalled))
}

fn complete(folder: &Path) -> Result<PathBuf, PrivatePostgresError> {
    let lacks = |missing| PrivatePostgresError::Incomplete { folder: folder.into(), missing };
    let real = folder.join("postgres").canonicalize().map_err(|_| lacks("postgres"))?;
    let home = real.parent().unwrap_or(folder);
    if home.join("initdb").is_file() { Ok(home.into()) } else { Err(lacks("initdb")) }
}

fn candidates(path: Option<&OsStr>, debian: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    let in_path = path.into_iter().flat_map(std::env::split_paths).filter(|folder| folder.is_absolute());
    for folder in in_path.chain(versioned(debian)) {
        if let Ok(home) = complete(&folder)
            && !folders.contains(&home)
        {
            folders.push(home);
        }
    }
    folders
}

fn versioned(debian: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(debian).into_iter().flatten().flatten();
    let mut majors: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors.into_iter().map(|major| debian.join(major.to_string()).join("bin")).collect()
}

fn version(folder: &Path, account: &Account) -> Result<u32, PrivatePostgresError> {
    let program = folder.join("postgres");
    let refuse = |detail: String| PrivatePostgresError::NotRunnable { program: program.clone(), user: account.name.clone(), detail };
    let output = account.command(&program).arg("--version").current_dir("/").output().map_err(|error| refuse(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    major(&text).ok_or_else(|| refuse(format!("it said `{}`", text.trim())))
}

/// The major version in `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)` or `postgres (PostgreSQL) 19beta1`.
fn major(text: &str) -> Option<u32> {
    let number = text.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn install(folder: &Path, names: &[&str]) {
        fs::create_dir_all(folder).unwrap();
        for name in names {
            fs::write(folder.join(name), "").unwrap();
        }
    }

    #[test]
    fn the_version_is_read_from_what_the_program_says() {
        assert_eq!(major("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major("mysqld 8"), None);
    }

    #[test]
    fn path_comes_first_by_the_real_folder_then_debian_newest_first() {
        let top = tempfile::tempdir().unwrap();
        let debian = top.path().join("debian");
        for major in ["9", "15", "18"] {
            install(&debian.join(major).join("bin"), &["postgres", "initdb"]);
        }
        let bin = top.path().join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(debian.join("15/bin/postgres"), bin.join("postgres")).unwrap();
        let lone = top.path().join("lone");
        install(&lone, &["postgres"]);
        let path = std::env::join_paths([&lone, &bin]).unwrap();

        let real = debian.canonicalize().unwrap();
        let expected = ["15/bin", "18/bin", "9/bin"].map(|tail| real.join(tail));
        assert_eq!(candidates(Some(&path), &debian), expected);
    }

    #[test]
    fn a_database_that_exists_chooses_its_own_version() {
        let folders = || vec![PathBuf::from("/18"), PathBuf::from("/15"), PathBuf::from("/9")];
        let version = |folder: &Path| Ok(folder.to_str().unwrap()[1..].parse().unwrap());
        assert_eq!(choose(folders(), None, version).unwrap().major, 18);
        assert_eq!(choose(folders(), Some((15, Path::new("/d"))), version).unwrap().major, 15);
        let error = choose(folders(), Some((16, Path::new("/d"))), version).unwrap_err();
        assert!(error.to_string().contains("apt-get install postgresql-16"), "{error}");
    }

    #[test]
    fn what_is_missing_is_said_with_the_package_to_install() {
        let nothing = choose(vec![], None, |_| Ok(15)).unwrap_err().to_string();
        assert!(nothing.contains("apt-get install postgresql") && !nothing.contains('\n'), "{nothing}");
        let old = choose(vec!["/9".into()], None, |_| Ok(9)).unwrap_err();
        assert!(matches!(old, PrivatePostgresError::TooOld { major: 9, .. }));

        let top = tempfile::tempdir().unwrap();
        install(top.path(), &["postgres"]);
        assert!(matches!(complete(top.path()), Err(PrivatePostgresError::Incomplete { missing: "initdb", .. })));
    }
}
