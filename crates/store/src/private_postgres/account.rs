//! Whom the server runs as. PostgreSQL refuses root, so root drops to `postgres`; never to `nobody`, whose files
//! any other daemon that borrowed the same name could read.

use super::PrivatePostgresError;
use nix::unistd::{Gid, Uid, User};
use std::{
    fs, io,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::Command,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub uid: u32,
    pub gid: u32,
    pub name: String,
    /// Whether this process is root and the server is not.
    pub drops: bool,
}

impl Account {
    pub fn for_this_process() -> Result<Self, PrivatePostgresError> {
        Self::choose(Uid::effective(), |uid| User::from_uid(uid).ok().flatten(), || User::from_name("postgres").ok().flatten())
    }

    fn choose(own: Uid, by_uid: impl Fn(Uid) -> Option<User>, postgres: impl Fn() -> Option<User>) -> Result<Self, PrivatePostgresError> {
        let (user, drops) = if own.is_root() {
            let user = postgres().filter(|user| !user.uid.is_root());
            (user.ok_or(PrivatePostgresError::NoPostgresUser)?, true)
        } else {
            (by_uid(own).ok_or(PrivatePostgresError::NoPasswdEntry { uid: own.as_raw() })?, false)
        };
        Ok(Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), name: user.name, drops })
    }

    /// The operating system's users who may connect: the server's own, and root when it started the server.
    pub fn users(&self) -> Vec<&str> {
        if self.drops { vec![&self.name, "root"] } else { vec![&self.name] }
    }

    /// A command that will run as this account, knowing nothing of our environment but where programs and libraries are.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        for name in ["PATH", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("LC_ALL", "C");
        if self.drops {
            // std also clears the supplementary groups when it changes the uid as root
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes the account the owner of `path`, not following a link.
    pub fn own(&self, path: &Path) -> Result<(), PrivatePostgresError> {
        if !self.drops {
            return Ok(());
        }
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid)).map_err(PrivatePostgresError::io("giving away", path))
    }

    /// Every folder above `path` must let the account through.
    pub fn check_way_to(&self, path: &Path) -> Result<(), PrivatePostgresError> {
        if !self.drops {
            return Ok(());
        }
        for folder in path.ancestors().skip(1) {
            let meta = fs::metadata(folder).map_err(PrivatePostgresError::io("reading", folder))?;
            if !self.may_pass(&meta) {
                return Err(PrivatePostgresError::NotTraversable { folder: folder.into(), user: self.name.clone() });
            }
        }
        Ok(())
    }

    fn may_pass(&self, meta: &fs::Metadata) -> bool {
        let bit = if meta.uid() == self.uid {
            0o100
        } else if meta.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        meta.mode() & bit != 0
    }
}

/// Whether `gid`/`uid` own `path`; for folders that we find rather than make.
pub(super) fn owned_by(path: &Path, account: &Account) -> io::Result<bool> {
    let meta = fs::symlink_metadata(path)?;
    Ok(meta.is_dir() && Uid::from_raw(meta.uid()).as_raw() == account.uid && Gid::from_raw(meta.gid()).as_raw() == account.gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, uid: u32) -> User {
        let mut user = User::from_uid(Uid::from_raw(0)).unwrap().unwrap();
        user.name = name.into();
        user.uid = Uid::from_raw(uid);
        user
    }

    #[test]
    fn root_drops_to_postgres_and_to_nobody_else() {
        let account = Account::choose(Uid::from_raw(0), |_| Some(user("nobody", 65534)), || Some(user("postgres", 101))).unwrap();
        assert_eq!((account.uid, account.drops), (101, true));
        assert_eq!(account.users(), ["postgres", "root"]);

        let refused = Account::choose(Uid::from_raw(0), |_| Some(user("nobody", 65534)), || None).unwrap_err();
        assert!(matches!(refused, PrivatePostgresError::NoPostgresUser));
        let root_by_another_name = Account::choose(Uid::from_raw(0), |_| None, || Some(user("postgres", 0)));
        assert!(root_by_another_name.is_err());
    }

    #[test]
    fn an_ordinary_user_stays_itself_and_needs_a_passwd_entry() {
        let account = Account::choose(Uid::from_raw(1000), |_| Some(user("ada", 1000)), || None).unwrap();
        assert_eq!((account.name.as_str(), account.drops), ("ada", false));
        let refused = Account::choose(Uid::from_raw(4242), |_| None, || None).unwrap_err();
        assert!(refused.to_string().contains("4242"), "{refused}");
    }

    #[test]
    fn a_closed_folder_on_the_way_is_named() {
        use std::os::unix::fs::PermissionsExt;
        let top = tempfile::tempdir().unwrap();
        let closed = top.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(top.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = Account { uid: 64_123, gid: 64_123, name: "stranger".into(), drops: true };
        stranger.check_way_to(&closed).unwrap();
        let error = stranger.check_way_to(&closed.join("data")).unwrap_err();
        assert!(matches!(&error, PrivatePostgresError::NotTraversable { folder, .. } if *folder == closed), "{error}");
    }
}
