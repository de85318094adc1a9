//! The server's three files, written anew at each start so that an update of Bailiwick is an update of its settings.
//! No TCP; the kernel says who connects (peer), and only the named users of the machine may.

use super::{
    Durability, PrivateConfig, PrivatePostgresError, SUPERUSER,
    account::Account,
    folders::{Folders, write_private},
};
use std::path::Path;

const IDENT_MAP: &str = "bailiwick";

pub(super) fn write(folders: &Folders, account: &Account, config: &PrivateConfig, major: u32) -> Result<(), PrivatePostgresError> {
    let cluster = folders.cluster();
    write_private(&cluster.join("postgresql.conf"), server(&folders.socket, config.durability).as_bytes(), account)?;
    write_private(&cluster.join("pg_hba.conf"), hba().as_bytes(), account)?;
    write_ident(folders, account, &config.roles, major)
}

pub(super) fn write_ident(folders: &Folders, account: &Account, roles: &[String], major: u32) -> Result<(), PrivatePostgresError> {
    write_private(&folders.cluster().join("pg_ident.conf"), ident(&account.users(), roles, major).as_bytes(), account)
}

fn server(socket: &Path, durability: Durability) -> String {
    // Inside the quotes of the setting stands a list, whose items have quotes of their own.
    let socket = socket.to_string_lossy().replace('\'', "''").replace('"', "\"\"");
    let safety = match durability {
        Durability::Full => "fsync = on\nsynchronous_commit = on\nfull_page_writes = on\n",
        Durability::Throwaway => "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n",
    };
    format!(
        "# Written by Bailiwick at each start; changes here are lost.
listen_addresses = ''
unix_socket_directories = '\"{socket}\"'
unix_socket_permissions = 0700
port = 5432
cluster_name = 'bailiwick'
max_connections = 100
shared_buffers = 64MB
work_mem = 8MB
maintenance_work_mem = 64MB
effective_cache_size = 512MB
min_wal_size = 80MB
max_wal_size = 1GB
wal_compression = on
checkpoint_timeout = 5min
random_page_cost = 1.1
jit = off
huge_pages = off
{safety}restart_after_crash = on
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.simple'
update_process_title = off
# A week of logs, one file a weekday. Terse and without statements: rows of tenants have no place in a log.
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_file_mode = 0600
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_min_messages = warning
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
log_autovacuum_min_duration = -1
log_line_prefix = '%m [%p] '
"
    )
}

fn hba() -> String {
    format!("# Written by Bailiwick at each start.\nlocal all all peer map={IDENT_MAP}\n")
}

/// PostgreSQL 16 knows `all` for every role; 15 wants each role by name.
fn ident(users: &[&str], roles: &[String], major: u32) -> String {
    let mut text = String::from("# Written by Bailiwick at each start.\n");
    for user in users {
        if major >= 16 {
            text.push_str(&format!("{IDENT_MAP} {user} all\n"));
            continue;
        }
        for role in [SUPERUSER].into_iter().chain(roles.iter().map(String::as_str)) {
            text.push_str(&format!("{IDENT_MAP} {user} \"{}\"\n", role.replace('"', "\"\"")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_users_come_in_and_only_over_the_socket() {
        assert_eq!(hba().lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>(), ["local all all peer map=bailiwick"]);
        assert!(ident(&["postgres", "root"], &[], 16).ends_with("bailiwick postgres all\nbailiwick root all\n"));
        let old = ident(&["ada"], &["app".into()], 15);
        assert!(old.ends_with(&format!("bailiwick ada \"{SUPERUSER}\"\nbailiwick ada \"app\"\n")), "{old}");
    }

    #[test]
    fn a_folder_with_quotes_and_commas_stays_one_folder() {
        let text = server(Path::new("/srv/a,b'c\"d"), Durability::Full);
        assert!(text.contains("unix_socket_directories = '\"/srv/a,b''c\"\"d\"'\n"), "{text}");
        assert!(text.contains("listen_addresses = ''\n") && text.contains("fsync = on\n"));
    }
}
