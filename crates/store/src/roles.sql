-- The four roles. Roles belong to the whole server, so several databases and several starts meet here: every line may run again.
--   bailiwick_owner   owns every table; cannot log in; sees no tenant's row, because row security is forced
--   bailiwick_login   what the pool logs in as; holds no grant on anything, so a query outside a scope is refused
--   bailiwick_app     entered by ReadScope and WriteScope: one tenant's rows, by row security
--   bailiwick_system  entered by SystemScope: the job queue, the list of tenants and which directories they connect, nothing else
DO $$
DECLARE
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(7235648921);
    FOREACH name IN ARRAY ARRAY['bailiwick_owner', 'bailiwick_app', 'bailiwick_system'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', name);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bailiwick_login') THEN
        CREATE ROLE bailiwick_login LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    -- Each scope first ends what an earlier one may have left, and PostgreSQL warns in its log that nothing was left: a line a request.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bailiwick_login' AND 'log_min_messages=error' = ANY (rolconfig)) THEN
        BEGIN
            ALTER ROLE bailiwick_login SET log_min_messages = 'error';
        EXCEPTION WHEN insufficient_privilege THEN
            NULL; -- a setting only superusers give; without it the log is longer
        END;
    END IF;
    IF NOT pg_has_role('bailiwick_login', 'bailiwick_app', 'MEMBER') THEN
        GRANT bailiwick_app, bailiwick_system TO bailiwick_login;
    END IF;
    EXECUTE format('GRANT bailiwick_owner TO %I', current_user);
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO bailiwick_login', current_database());
    EXECUTE 'REVOKE ALL ON SCHEMA public FROM PUBLIC';
    EXECUTE 'CREATE SCHEMA IF NOT EXISTS bailiwick AUTHORIZATION bailiwick_owner';
    EXECUTE 'GRANT USAGE ON SCHEMA bailiwick TO bailiwick_app, bailiwick_system';
END
$$;
