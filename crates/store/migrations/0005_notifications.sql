-- Channels, rules, what happened that people want to be told, and what became of each message.

-- Where messages go. Addresses that are credentials, and signing secrets, are sealed under the channel's name in `secrets`.
CREATE TABLE channels (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('smtp', 'mailbox', 'teams', 'webhook')),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    -- Recipients, directory, mailbox; of an address that is sealed, its masked form.
    config jsonb NOT NULL,
    paused boolean NOT NULL,
    created_at timestamptz NOT NULL,
    created_by jsonb NOT NULL,
    -- A signing secret before the present one counts until then.
    old_secret_until timestamptz,
    removed_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CALL protect('channels');
CALL close_to_projects('channels', 'ALL');
GRANT SELECT, INSERT, UPDATE ON channels TO bailiwick_app;
CREATE UNIQUE INDEX channels_name ON channels (tenant_id, name) WHERE removed_at IS NULL;

-- How sending through a channel goes: working state, kept apart because the trail does not hear of it.
CREATE TABLE channel_health (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    channel_id uuid NOT NULL,
    -- Attempts in a row that met nobody, and refusals in a row.
    failures integer NOT NULL DEFAULT 0,
    refusals integer NOT NULL DEFAULT 0,
    -- Nothing is tried before.
    hold_until timestamptz,
    broken_at timestamptz,
    last_delivery jsonb,
    failure jsonb,
    PRIMARY KEY (tenant_id, channel_id),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels (tenant_id, id)
);
CALL protect('channel_health');
CALL close_to_projects('channel_health', 'ALL');
GRANT SELECT, INSERT, UPDATE ON channel_health TO bailiwick_app;

CREATE TABLE notification_rules (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    channel_id uuid NOT NULL,
    events text[] NOT NULL,
    min_severity smallint,
    min_regressions integer NOT NULL,
    directories uuid[] NOT NULL,
    projects uuid[] NOT NULL,
    timing jsonb NOT NULL,
    enabled boolean NOT NULL,
    -- When what was gathered is sent; null: nothing waits.
    next_digest_at timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT notification_rules_name UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels (tenant_id, id)
);
CALL protect('notification_rules');
CALL close_to_projects('notification_rules', 'ALL');
GRANT SELECT, INSERT, UPDATE, DELETE ON notification_rules TO bailiwick_app;

-- Something that happened, written in the transaction in which it happened.
CREATE TABLE notification_events (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    project_id uuid,
    directory_id uuid,
    kind text NOT NULL CHECK (kind IN ('drift_regressed', 'scan_failed', 'run_failed', 'fix_waiting', 'fix_done')),
    at timestamptz NOT NULL,
    -- What it is about, and, once a rule wanted it, what there is to tell.
    subject jsonb NOT NULL,
    content jsonb,
    PRIMARY KEY (tenant_id, id)
);
CALL protect('notification_events');
GRANT SELECT, INSERT, UPDATE (content), DELETE ON notification_events TO bailiwick_app;
CREATE INDEX notification_events_newest ON notification_events (tenant_id, kind, at DESC);

-- What waits for a rule's next digest.
CREATE TABLE digest_entries (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    rule_id uuid NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, rule_id, event_id),
    FOREIGN KEY (tenant_id, rule_id) REFERENCES notification_rules (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, event_id) REFERENCES notification_events (tenant_id, id)
);
CALL protect('digest_entries');
CALL close_to_projects('digest_entries', 'ALL');
GRANT SELECT, INSERT, DELETE ON digest_entries TO bailiwick_app;

-- One message to one place.
CREATE TABLE deliveries (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('immediate', 'digest', 'test', 'notice')),
    state text NOT NULL CHECK (state IN ('waiting', 'retrying', 'delivered', 'dead', 'dropped')),
    -- The channel it goes through; of a notice, which goes by the operator's mail server, the channel it tells of.
    channel_id uuid NOT NULL,
    -- The rule that wanted it, as it was then.
    rule_id uuid,
    rule_name text,
    min_severity smallint,
    event_ids uuid[] NOT NULL,
    event text,
    subject text NOT NULL,
    recipient text,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    -- The job that sends it now, and until when nobody else may.
    claimed_by uuid,
    claimed_until timestamptz,
    delivered_at timestamptz,
    failure jsonb,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels (tenant_id, id)
);
CALL protect('deliveries');
CALL close_to_projects('deliveries', 'ALL');
GRANT SELECT, INSERT, UPDATE, DELETE ON deliveries TO bailiwick_app;
CREATE INDEX deliveries_due ON deliveries (tenant_id, channel_id, due_at, id) WHERE state IN ('waiting', 'retrying');
CREATE INDEX deliveries_newest ON deliveries (tenant_id, created_at DESC, id DESC);

CREATE TABLE delivery_tries (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    took_ms integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('delivered', 'later', 'broken')),
    code text,
    detail text NOT NULL,
    PRIMARY KEY (tenant_id, delivery_id, number),
    FOREIGN KEY (tenant_id, delivery_id) REFERENCES deliveries (tenant_id, id) ON DELETE CASCADE
);
CALL protect('delivery_tries');
CALL close_to_projects('delivery_tries', 'ALL');
GRANT SELECT, INSERT ON delivery_tries TO bailiwick_app;

-- Which mail the person at an address wants from this tenant.
CREATE TABLE mail_preferences (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    -- Lower case.
    address text NOT NULL CHECK (length(address) BETWEEN 3 AND 320),
    mail text NOT NULL CHECK (mail IN ('all', 'digest', 'none')),
    by_link boolean NOT NULL,
    changed_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT mail_preferences_address UNIQUE (tenant_id, address)
);
CALL protect('mail_preferences');
CALL close_to_projects('mail_preferences', 'ALL');
GRANT SELECT, INSERT, UPDATE ON mail_preferences TO bailiwick_app;
