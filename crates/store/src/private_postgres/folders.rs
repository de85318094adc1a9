//! The folder on disk: 0700, owned by the server's account, locked by one Bailiwick at a time, made whole or not at all.

use super::{
    PrivatePostgresError,
    account::{Account, owned_by},
    programs::Programs,
};
use bailiwick_base::{Rng, SystemRng};
use nix::fcntl::OFlag;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

/// `sockaddr_un.sun_path` holds 108 bytes with its closing zero (unix(7)).
const LONGEST_SOCKET_PATH: usize = 107;
const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// How long a lock may still be held by a Bailiwick that is being killed.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
const NEW_CLUSTER: &str = "cluster.new.";

/// The private folder, held open and locked.
#[derive(Debug)]
pub(super) struct Folders {
    pub top: PathBuf,
    pub socket: PathBuf,
    /// Released when dropped, by the kernel too when we are killed.
    _lock: File,
}

impl Folders {
    /// Makes the folder if need be, locks it and gives it to the account.
    pub fn claim(data_dir: &Path, account: &Account) -> Result<Self, PrivatePostgresError> {
        make_parents(data_dir)?;
        let new = make_private(data_dir, account)?;
        let top = data_dir.canonicalize().map_err(PrivatePostgresError::io("resolving", data_dir))?;
        account.check_way_to(&top)?;
        if !new {
            check_ours(&top)?;
            fs::set_permissions(&top, fs::Permissions::from_mode(0o700)).map_err(PrivatePostgresError::io("closing", &top))?;
            account.own(&top)?;
        }
        let lock = lock(&top)?;
        let socket = socket_folder(&top, account)?;
        Ok(Self { top, socket, _lock: lock })
    }

    pub fn cluster(&self) -> PathBuf {
        self.top.join("cluster")
    }
    pub fn start_log(&self) -> PathBuf {
        self.top.join("start.log")
    }
    pub fn socket_file(&self) -> PathBuf {
        self.socket.join(SOCKET_NAME)
    }

    /// Which major version made the database here, if there is one.
    pub fn made_by(&self) -> Result<Option<u32>, PrivatePostgresError> {
        let file = self.cluster().join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PrivatePostgresError::io("reading", file)(error)),
        }
    }

    /// Runs initdb under a name of its own and renames the result, so that a cluster under the final name is whole.
    pub fn init(&self, programs: &Programs, account: &Account, superuser: &str, sync: bool) -> Result<(), PrivatePostgresError> {
        self.remove_half_made();
        let half = self.top.join(format!("{NEW_CLUSTER}{}", random_name()));
        let locale = if programs.major >= 17 {
            &["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"][..]
        } else {
            &["--locale=C.UTF-8"]
        };
        let mut result = self.initdb(&half, programs, account, superuser, sync, locale);
        if result.as_ref().is_err_and(|detail| detail.contains("invalid locale name")) {
            remove_tree(&half);
            result = self.initdb(&half, programs, account, superuser, sync, &["--locale=C"]);
        }
        if let Err(detail) = result {
            remove_tree(&half);
            return Err(PrivatePostgresError::Initdb { folder: self.top.clone(), detail });
        }
        fs::rename(&half, self.cluster()).map_err(PrivatePostgresError::io("renaming", &half))?;
        sync_folder(&self.top)
    }

    fn initdb(
        &self,
        half: &Path,
        programs: &Programs,
        account: &Account,
        superuser: &str,
        sync: bool,
        locale: &[&str],
    ) -> Result<(), String> {
        let mut command = account.command(&programs.initdb());
        command.current_dir(&self.top).stdin(Stdio::null()).arg("-D").arg(half);
        command.args(["--encoding=UTF8", "--data-checksums", "--auth=reject", "--lc-messages=C", "--username", superuser]).args(locale);
        if !sync {
            command.arg("--no-sync");
        }
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() { Ok(()) } else { Err(last_line(&String::from_utf8_lossy(&output.stderr))) }
    }

    /// What an interrupted initdb left. Its own processes may still write there: then it goes at the next start.
    fn remove_half_made(&self) {
        for entry in fs::read_dir(&self.top).into_iter().flatten().flatten() {
            if entry.file_name().as_bytes().starts_with(NEW_CLUSTER.as_bytes()) {
                remove_tree(&entry.path());
            }
        }
    }

    /// Removes a socket folder that lies outside; the one inside stays for the next start.
    pub fn remove_outer_socket(&self) {
        if !self.socket.starts_with(&self.top) {
            remove_tree(&self.socket);
        }
    }
}

pub(super) fn remove_tree(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "could not remove a leftover folder");
    }
}

fn make_parents(path: &Path) -> Result<(), PrivatePostgresError> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::create_dir_all(parent).map_err(PrivatePostgresError::io("making", parent)),
        _ => Ok(()),
    }
}

/// Makes a 0700 folder of the account; `false` when something stands there already.
fn make_private(path: &Path, account: &Account) -> Result<bool, PrivatePostgresError> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => account.own(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(PrivatePostgresError::io("making", path)(error)),
    }
}

/// Refuses a folder with anything else in it: we are about to change its owner and mode.
fn check_ours(top: &Path) -> Result<(), PrivatePostgresError> {
    const OURS: [&str; 5] = ["lock", "cluster", "socket", "socket-folder", "start.log"];
    for entry in fs::read_dir(top).map_err(PrivatePostgresError::io("listing", top))? {
        let entry = entry.map_err(PrivatePostgresError::io("listing", top))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !OURS.contains(&name.as_str()) && !name.starts_with(NEW_CLUSTER) {
            return Err(PrivatePostgresError::ForeignFolder { folder: top.into(), found: name });
        }
    }
    Ok(())
}

fn lock(top: &Path) -> Result<File, PrivatePostgresError> {
    let path = top.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(&path)
        .map_err(PrivatePostgresError::io("opening", &path))?;
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::WouldBlock) => return Err(PrivatePostgresError::InUse { folder: top.into() }),
            Err(TryLockError::Error(error)) => return Err(PrivatePostgresError::io("locking", path)(error)),
        }
    }
}

/// The folder of the socket: inside when its path is short enough, else a random one under the runtime folder, recorded inside.
fn socket_folder(top: &Path, account: &Account) -> Result<PathBuf, PrivatePostgresError> {
    let inside = top.join("socket");
    if fits(&inside) {
        if !make_private(&inside, account)? && !owned_by(&inside, account).map_err(PrivatePostgresError::io("reading", &inside))? {
            account.own(&inside)?;
        }
        return Ok(inside);
    }
    let record = top.join("socket-folder");
    if let Ok(text) = fs::read_to_string(&record) {
        let known = PathBuf::from(text.trim_end());
        if fits(&known) && owned_by(&known, account).unwrap_or(false) {
            return Ok(known);
        }
    }
    let outside = runtime_folder(account).join(format!("bailiwick-{}", random_name()));
    make_private(&outside, account)?;
    write_private(&record, outside.to_string_lossy().as_bytes(), account)?;
    Ok(outside)
}

fn fits(folder: &Path) -> bool {
    folder.as_os_str().len() + 1 + SOCKET_NAME.len() <= LONGEST_SOCKET_PATH
}

fn runtime_folder(account: &Account) -> PathBuf {
    if account.drops {
        return "/run".into();
    }
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    own.filter(|folder| folder.is_absolute() && folder.is_dir()).unwrap_or_else(std::env::temp_dir)
}

/// Writes a 0600 file of the account, whole or not at all.
pub(super) fn write_private(path: &Path, content: &[u8], account: &Account) -> Result<(), PrivatePostgresError> {
    let half = path.with_extension(format!("new-{}", random_name()));
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&half)?;
        io::Write::write_all(&mut file, content)
    };
    write().map_err(PrivatePostgresError::io("writing", &half))?;
    account.own(&half)?;
    fs::rename(&half, path).map_err(PrivatePostgresError::io("renaming", &half))
}

fn sync_folder(path: &Path) -> Result<(), PrivatePostgresError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(PrivatePostgresError::io("syncing", path))
}

fn random_name() -> String {
    let mut bytes = [0u8; 8];
    SystemRng.fill(&mut bytes);
    hex::encode(bytes)
}

pub(super) fn last_line(text: &str) -> String {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing").to_owned()
}
