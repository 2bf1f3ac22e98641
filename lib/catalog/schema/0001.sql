-- The catalog, format 1. Specified in aierase-store(5) CATALOG.
--
-- Words are stored as text, exactly as on bus and certificates; times are seconds since 1970 UTC;
-- uuids are 16 raw bytes, digests 32; people are uid, login name and audit login uid (NULL where
-- the kernel knew none). Columns `id` are row numbers of this file and mean nothing outside it;
-- `uuid` is the identity. Rows are not removed unless a comment says so. Deferred references are those
-- that triggers fill, or that stand in a table with triggers: at once, each statement would keep a
-- copy of every page that it changes.

-- What the store is and where it stands: one row. `format` repeats PRAGMA user_version.
CREATE TABLE store (
  only_row          INTEGER PRIMARY KEY CHECK (only_row = 1),
  uuid              BLOB    NOT NULL CHECK (length(uuid) = 16),
  format            INTEGER NOT NULL,
  created           INTEGER NOT NULL,
  machine_id_digest TEXT    NOT NULL,
  people_rule       TEXT    NOT NULL,
  at_rest           TEXT    NOT NULL,
  epoch             INTEGER NOT NULL,
  generation        INTEGER NOT NULL,   -- counts commits; compared with the anchor
  next_leaf         INTEGER NOT NULL,   -- leaves of the key tree are handed out once
  log_size          INTEGER NOT NULL,
  log_frontier      BLOB    NOT NULL CHECK (length(log_frontier) % 32 = 0),
  log_root          BLOB    NOT NULL CHECK (length(log_root) = 32),
  hold_count        INTEGER NOT NULL,   -- what the TPM's counter of holds has to say
  trusted_time      INTEGER NOT NULL,
  last_wall         INTEGER NOT NULL,
  last_boottime     INTEGER NOT NULL,
  last_boot_id      TEXT    NOT NULL
) STRICT;

-- Nodes of the key tree: id = level << 56 | index, level 4 is the root. A rowid table, since a
-- row of 2.2 KB would spill in any other. An absent node has no row.
CREATE TABLE node (
  id   INTEGER PRIMARY KEY,
  node BLOB    NOT NULL
) STRICT;

-- What stood in `node` before an erase round re-keyed it; NULL where nothing stood. Emptied in TX3.
CREATE TABLE undo_node (
  position INTEGER PRIMARY KEY,
  id       INTEGER NOT NULL UNIQUE,
  node     BLOB
) STRICT;

-- Assets, living and erased. An erased one keeps everything but its leaf and what was sealed.
CREATE TABLE asset (
  id                 INTEGER PRIMARY KEY,
  uuid               BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
  name               TEXT    NOT NULL,
  kind               TEXT    NOT NULL,
  state              TEXT    NOT NULL,
  state_reason       TEXT    NOT NULL,
  bytes              INTEGER NOT NULL,
  file_count         INTEGER NOT NULL,
  created            INTEGER NOT NULL,
  importer_uid       INTEGER NOT NULL,
  importer_login     TEXT    NOT NULL,
  importer_audit_uid INTEGER,
  retention          TEXT    NOT NULL,
  source_history     TEXT    NOT NULL,
  kcv                BLOB    NOT NULL CHECK (length(kcv) = 32),
  leaf               INTEGER,           -- position in the key tree
  first_epoch        INTEGER NOT NULL,
  erased_at          INTEGER,
  sealed_payload     BLOB,              -- dataset keys: the key, sealed
  sealed_manifest    BLOB,              -- list of files and blobs, sealed
  CHECK ((state = 'erased') = (leaf IS NULL)),
  CHECK ((state = 'erased') = (erased_at IS NOT NULL)),
  CHECK (state <> 'erased' OR (sealed_payload IS NULL AND sealed_manifest IS NULL))
) STRICT;
-- What lives is told by the column that changes once, lest each change of state writes these anew.
CREATE UNIQUE INDEX asset_living_name ON asset (name) WHERE erased_at IS NULL;
CREATE UNIQUE INDEX asset_leaf ON asset (leaf) WHERE leaf IS NOT NULL;
CREATE INDEX asset_living ON asset (id) WHERE erased_at IS NULL;
CREATE INDEX asset_name ON asset (name);
CREATE INDEX asset_state ON asset (state);
CREATE INDEX asset_kind ON asset (kind);
CREATE INDEX asset_retention ON asset (retention);

CREATE TABLE custodian (
  asset    INTEGER NOT NULL REFERENCES asset (id),
  position INTEGER NOT NULL,
  kind     TEXT    NOT NULL,            -- user, group, person
  id       INTEGER NOT NULL,            -- uid or gid; 4294967295: a person without account
  name     TEXT    NOT NULL,
  PRIMARY KEY (asset, position),
  UNIQUE (asset, kind, id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX custodian_who ON custodian (name, asset, kind);

CREATE TABLE label (
  asset INTEGER NOT NULL REFERENCES asset (id),
  key   TEXT    NOT NULL,
  value TEXT    NOT NULL,
  PRIMARY KEY (asset, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_value ON label (key, value, asset);

-- Where the plaintext came from.
CREATE TABLE source (
  asset              INTEGER NOT NULL REFERENCES asset (id),
  position           INTEGER NOT NULL,
  description        TEXT    NOT NULL,
  filesystem         TEXT    NOT NULL,
  history            TEXT    NOT NULL,
  sight              TEXT    NOT NULL,  -- seen or hidden: could the daemon see it at import
  files              INTEGER NOT NULL,
  bytes              INTEGER NOT NULL,
  asserted_uid       INTEGER,           -- who asserted encrypted-from-first-write
  asserted_login     TEXT,
  asserted_audit_uid INTEGER,
  removed_at         INTEGER,
  PRIMARY KEY (asset, position)
) STRICT, WITHOUT ROWID;

-- Outlives the erasure of either end.
CREATE TABLE lineage (
  child    BLOB NOT NULL REFERENCES asset (uuid),
  relation TEXT NOT NULL,
  parent   BLOB NOT NULL REFERENCES asset (uuid),
  PRIMARY KEY (child, relation, parent)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_parent ON lineage (parent);

-- Blobs on disk. Those of an erased asset are orphans until their file is unlinked, then the row
-- goes.
CREATE TABLE blob (
  uuid     BLOB    PRIMARY KEY CHECK (length(uuid) = 16),
  asset    INTEGER NOT NULL REFERENCES asset (id),
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_asset ON blob (asset, position);
-- Erased assets with orphans.
CREATE TABLE orphaned (
  asset INTEGER PRIMARY KEY REFERENCES asset (id)
) STRICT;

-- Imports that have not ended; rows go when they end. Only blobs named here may be unlinked.
CREATE TABLE import (
  asset           BLOB    PRIMARY KEY CHECK (length(asset) = 16),
  actor_uid       INTEGER NOT NULL,
  actor_login     TEXT    NOT NULL,
  actor_audit_uid INTEGER,
  started         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE import_blob (
  id    INTEGER PRIMARY KEY,
  blob  BLOB    NOT NULL UNIQUE CHECK (length(blob) = 16),
  asset BLOB    NOT NULL REFERENCES import (asset) ON DELETE CASCADE
) STRICT;
CREATE INDEX import_blob_asset ON import_blob (asset);

-- Copies out of our hands.
CREATE TABLE export (
  id              INTEGER PRIMARY KEY,
  asset           BLOB    NOT NULL REFERENCES asset (uuid),
  time            INTEGER NOT NULL,
  actor_uid       INTEGER NOT NULL,
  actor_login     TEXT    NOT NULL,
  actor_audit_uid INTEGER,
  kind            TEXT    NOT NULL,
  medium          TEXT    NOT NULL,
  scope           TEXT    NOT NULL,
  destination     TEXT    NOT NULL
) STRICT;
CREATE INDEX export_asset ON export (asset);

-- Who did what to which asset, or to which plan, hold or other thing (`subject`: typed id, or what it is
-- called). An asset is named by its row: neighbours have their events side by side in the index.
CREATE TABLE event (
  id              INTEGER PRIMARY KEY,
  time            INTEGER NOT NULL,
  actor_uid       INTEGER NOT NULL,
  actor_login     TEXT    NOT NULL,
  actor_audit_uid INTEGER,
  action          TEXT    NOT NULL,
  asset           INTEGER REFERENCES asset (id),
  subject         TEXT    NOT NULL,
  from_state      TEXT    NOT NULL,
  to_state        TEXT    NOT NULL,
  reason          TEXT    NOT NULL,
  CHECK ((asset IS NULL) = (subject <> ''))
) STRICT;
CREATE INDEX event_asset ON event (asset) WHERE asset IS NOT NULL;
CREATE INDEX event_subject ON event (subject) WHERE asset IS NULL;

-- Every epoch of the root secret, with what was known about its slot. The row of an epoch that an
-- undone erase round had begun goes again.
CREATE TABLE epoch (
  epoch           INTEGER PRIMARY KEY,
  started         INTEGER NOT NULL,
  level           TEXT    NOT NULL,
  kind            TEXT    NOT NULL,
  reason          TEXT    NOT NULL,
  path            TEXT    NOT NULL,
  filesystem      TEXT    NOT NULL,
  device          TEXT    NOT NULL,
  device_model    TEXT    NOT NULL,
  device_serial   TEXT    NOT NULL,
  may_have_copied TEXT    NOT NULL,     -- JSON array of strings
  next_level      TEXT    NOT NULL
) STRICT;

-- Plans: who asked for the end of which assets.
CREATE TABLE plan (
  id                  INTEGER PRIMARY KEY,
  uuid                BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
  state               TEXT    NOT NULL,
  requester_uid       INTEGER NOT NULL,
  requester_login     TEXT    NOT NULL,
  requester_audit_uid INTEGER,
  reason              TEXT    NOT NULL,
  ticket              TEXT    NOT NULL,
  created             INTEGER NOT NULL,
  expires             INTEGER NOT NULL,
  due                 INTEGER,
  finished            INTEGER,
  digest              BLOB    NOT NULL CHECK (length(digest) = 32),
  policy              BLOB    NOT NULL CHECK (length(policy) = 32), -- in force at the request
  origin              TEXT    NOT NULL, -- person, enforce
  timing              TEXT    NOT NULL, -- after-grace, now
  below_floor         TEXT    NOT NULL, -- legal basis of an erasure below a floor, or ''
  brake               TEXT    NOT NULL, -- why the brake has tripped for it, or ''
  brake_log_index     INTEGER NOT NULL
) STRICT;
CREATE INDEX plan_state ON plan (state);
CREATE INDEX plan_finished ON plan (finished) WHERE finished IS NOT NULL;
CREATE INDEX plan_due ON plan (state, id) WHERE due IS NOT NULL;

CREATE TABLE plan_item (
  plan        INTEGER NOT NULL REFERENCES plan (id),
  position    INTEGER NOT NULL,
  asset       BLOB    NOT NULL REFERENCES asset (uuid),
  name        TEXT    NOT NULL,
  kcv         BLOB    NOT NULL CHECK (length(kcv) = 32),
  bytes       INTEGER NOT NULL CHECK (bytes >= 0),  -- of the asset: the brake adds them up
  verdict     TEXT    NOT NULL,
  reasons     TEXT    NOT NULL,         -- JSON array of {"code", "text"}
  state       TEXT    NOT NULL,
  certificate BLOB    CHECK (length(certificate) = 16),
  PRIMARY KEY (plan, position),
  UNIQUE (plan, asset)
) STRICT, WITHOUT ROWID;
CREATE INDEX plan_item_open ON plan_item (asset, plan) WHERE state IN ('pending', 'held');
CREATE INDEX plan_item_waiting ON plan_item (plan, position, bytes) WHERE state = 'pending';
CREATE INDEX plan_item_held ON plan_item (plan, position) WHERE state = 'held';
CREATE INDEX plan_item_dropped ON plan_item (asset, plan) WHERE state = 'dropped';

-- Lineage among and into the items, as it was at the request.
CREATE TABLE plan_edge (
  plan     INTEGER NOT NULL REFERENCES plan (id),
  position INTEGER NOT NULL,
  child    BLOB    NOT NULL CHECK (length(child) = 16),
  relation TEXT    NOT NULL,
  parent   BLOB    NOT NULL CHECK (length(parent) = 16),
  PRIMARY KEY (plan, position)
) STRICT, WITHOUT ROWID;

-- Dependants that stay although what they came from goes.
CREATE TABLE plan_kept (
  plan     INTEGER NOT NULL REFERENCES plan (id),
  position INTEGER NOT NULL,
  asset    BLOB    NOT NULL CHECK (length(asset) = 16),
  reason   TEXT    NOT NULL,
  PRIMARY KEY (plan, position),
  UNIQUE (plan, asset)
) STRICT, WITHOUT ROWID;

-- Attempts to use what a plan has retired: how many, and the last.
CREATE TABLE attempted_use (
  plan            INTEGER NOT NULL REFERENCES plan (id),
  asset           BLOB    NOT NULL REFERENCES asset (uuid),
  count           INTEGER NOT NULL,
  last            INTEGER NOT NULL,
  actor_uid       INTEGER NOT NULL,
  actor_login     TEXT    NOT NULL,
  actor_audit_uid INTEGER,
  PRIMARY KEY (plan, asset)
) STRICT, WITHOUT ROWID;

-- What people signed, once for all that it decides; approval and validation name it by `signature`.
CREATE TABLE signed_text (
  id        INTEGER PRIMARY KEY,
  sha256    BLOB    NOT NULL UNIQUE CHECK (length(sha256) = 32),  -- of `signature`
  text      TEXT    NOT NULL,
  signature TEXT    NOT NULL,           -- armoured
  key       TEXT    NOT NULL            -- a line of a .pub file
) STRICT;

-- What custodians approved in advance, of one retention class and up to a day.
CREATE TABLE standing_approval (
  id                INTEGER PRIMARY KEY,
  uuid              BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
  class             TEXT    NOT NULL,
  rules             BLOB    NOT NULL CHECK (length(rules) = 32),  -- of the class, as they were
  actor_uid         INTEGER NOT NULL,
  actor_login       TEXT    NOT NULL,
  actor_audit_uid   INTEGER,
  given             INTEGER NOT NULL,
  valid_from        INTEGER NOT NULL,
  valid_until       INTEGER NOT NULL,
  log_index         INTEGER NOT NULL,
  person            TEXT,               -- this and what follows: as in approval
  signed_sha256     BLOB,
  signature         BLOB    REFERENCES signed_text (sha256),
  key               TEXT,
  carrier_uid       INTEGER,
  carrier_login     TEXT,
  carrier_audit_uid INTEGER,
  CHECK (valid_from < valid_until),
  CHECK ((signature IS NULL) = (signed_sha256 IS NULL)),
  CHECK ((signature IS NULL) = (key IS NULL)),
  CHECK ((signature IS NULL) = (carrier_uid IS NULL))
) STRICT;
CREATE INDEX standing_approval_until ON standing_approval (valid_until);

-- What ended one before its day. It has no other row: it does not come back.
CREATE TABLE standing_end (
  standing          INTEGER PRIMARY KEY REFERENCES standing_approval (id),
  cause             TEXT    NOT NULL,   -- revoked, rules-changed
  actor_uid         INTEGER NOT NULL,
  actor_login       TEXT    NOT NULL,
  actor_audit_uid   INTEGER,
  time              INTEGER NOT NULL,
  reason            TEXT    NOT NULL,
  log_index         INTEGER NOT NULL,
  person            TEXT,               -- this and what follows: as in approval
  signed_sha256     BLOB,
  signature         BLOB    REFERENCES signed_text (sha256),
  key               TEXT,
  carrier_uid       INTEGER,
  carrier_login     TEXT,
  carrier_audit_uid INTEGER,
  CHECK ((signature IS NULL) = (signed_sha256 IS NULL)),
  CHECK ((signature IS NULL) = (key IS NULL)),
  CHECK ((signature IS NULL) = (carrier_uid IS NULL))
) STRICT;

CREATE TABLE approval (
  id                INTEGER PRIMARY KEY,
  plan              INTEGER NOT NULL REFERENCES plan (id),
  decision          TEXT    NOT NULL,
  actor_uid         INTEGER NOT NULL,   -- 4294967295: no account
  actor_login       TEXT    NOT NULL,
  actor_audit_uid   INTEGER,
  time              INTEGER NOT NULL,
  reason            TEXT    NOT NULL,
  capacities        TEXT    NOT NULL,   -- JSON array of custodian texts
  log_index         INTEGER NOT NULL,
  due               INTEGER,            -- of the last that was needed: the end of grace
  person            TEXT,               -- JSON object: what people.toml said
  signed_sha256     BLOB,               -- of the text; NULL: decided by the account
  signature         BLOB    REFERENCES signed_text (sha256),
  key               TEXT,               -- fingerprint
  carrier_uid       INTEGER,            -- who handed the signature in
  carrier_login     TEXT,
  carrier_audit_uid INTEGER,
  standing          BLOB    REFERENCES standing_approval (uuid),  -- NULL: given for this plan
  CHECK ((signature IS NULL) = (signed_sha256 IS NULL)),
  CHECK ((signature IS NULL) = (key IS NULL)),
  CHECK ((signature IS NULL) = (carrier_uid IS NULL))
) STRICT;
CREATE INDEX approval_plan ON approval (plan);
CREATE INDEX approval_standing ON approval (plan) WHERE standing IS NOT NULL;

-- Legal holds; a lifted one stays as a row, in force is what has no time of lifting.
CREATE TABLE hold (
  id               INTEGER PRIMARY KEY,
  uuid             BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
  matter           TEXT    NOT NULL,
  reason           TEXT    NOT NULL,
  selectors        TEXT    NOT NULL,    -- JSON array of "K=V"
  reach            TEXT    NOT NULL,    -- present, future
  placed_uid       INTEGER NOT NULL,
  placed_login     TEXT    NOT NULL,
  placed_audit_uid INTEGER,
  placed           INTEGER NOT NULL,
  log_index        INTEGER NOT NULL,
  lifted_uid       INTEGER,
  lifted_login     TEXT,
  lifted_audit_uid INTEGER,
  lifted           INTEGER,
  lift_reason      TEXT,
  CHECK ((lifted IS NULL) = (lifted_uid IS NULL)),
  CHECK ((lifted IS NULL) = (lifted_login IS NULL)),
  CHECK ((lifted IS NULL) = (lift_reason IS NULL))
) STRICT;
CREATE INDEX hold_in_force ON hold (id) WHERE lifted IS NULL;
CREATE TABLE hold_asset (
  asset BLOB    NOT NULL REFERENCES asset (uuid),
  hold  INTEGER NOT NULL REFERENCES hold (id),
  PRIMARY KEY (asset, hold)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_asset_hold ON hold_asset (hold);

-- Policies that came into force; the last row is in force. None: the built-in one.
CREATE TABLE policy_set (
  id              INTEGER PRIMARY KEY,
  version         BLOB    NOT NULL CHECK (length(version) = 32),
  loaded          INTEGER NOT NULL,
  actor_uid       INTEGER NOT NULL,
  actor_login     TEXT    NOT NULL,
  actor_audit_uid INTEGER,
  reason          TEXT    NOT NULL,
  log_index       INTEGER NOT NULL
) STRICT;
-- As they were written, comments and all.
CREATE TABLE policy_file (
  policy   INTEGER NOT NULL REFERENCES policy_set (id),
  position INTEGER NOT NULL,
  name     TEXT    NOT NULL,
  text     TEXT    NOT NULL,
  PRIMARY KEY (policy, position)
) STRICT;

-- Dates that retention counts from and no other table has: retired, placed-on-market, mounted.
CREATE TABLE asset_event (
  asset BLOB    NOT NULL REFERENCES asset (uuid),
  name  TEXT    NOT NULL,
  time  INTEGER NOT NULL,
  PRIMARY KEY (asset, name)
) STRICT, WITHOUT ROWID;

-- When the nightly run looks at an asset next: no later than its decision may change. No row: not
-- before something about it changes. The run alone writes here.
CREATE TABLE look (
  asset  INTEGER PRIMARY KEY REFERENCES asset (id),
  moment INTEGER NOT NULL
) STRICT;
CREATE INDEX look_moment ON look (moment);
-- Living assets that something has changed about since the nightly run looked at them; the triggers
-- below write here, the run removes what it has looked at.
CREATE TABLE look_again (
  asset INTEGER PRIMARY KEY REFERENCES asset (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- The nightly run: what the last one found.
CREATE TABLE enforcement (
  only_row     INTEGER PRIMARY KEY CHECK (only_row = 1),
  started      INTEGER,
  ended        INTEGER,
  succeeded    INTEGER,
  outcome      TEXT    NOT NULL,
  overdue      INTEGER NOT NULL,
  certificates INTEGER NOT NULL,
  swept        INTEGER,                 -- when all living assets were looked at,
  swept_policy BLOB                     -- and under which version of the policy
) STRICT;
INSERT INTO enforcement (only_row, outcome, overdue, certificates) VALUES (1, '', 0, 0);

-- What was erased for plans of the nightly run, by trusted time: the brake counts it.
CREATE TABLE unattended (
  id      INTEGER PRIMARY KEY,
  trusted INTEGER NOT NULL,
  items   INTEGER NOT NULL CHECK (items > 0),
  bytes   INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
CREATE INDEX unattended_trusted ON unattended (trusted);

-- The erase round between TX1 and TX3: at most one row, gone afterwards with its items.
CREATE TABLE round (
  only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
  state      TEXT    NOT NULL,
  from_epoch INTEGER NOT NULL,          -- whose slot secret dies
  intent_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE round_item (
  draft       INTEGER PRIMARY KEY REFERENCES draft (id) DEFERRABLE INITIALLY DEFERRED,
  round       INTEGER NOT NULL DEFAULT 1 REFERENCES round (only_row),
  plan        BLOB    NOT NULL REFERENCES plan (uuid),
  asset       INTEGER NOT NULL UNIQUE REFERENCES asset (id),
  leaf        INTEGER NOT NULL,
  certificate BLOB    NOT NULL CHECK (length(certificate) = 16)
) STRICT;

-- Statements without their evidence, from TX1 on. One without a certificate goes with its round.
CREATE TABLE draft (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL
) STRICT;
-- What TX3 puts into a draft where its members of these names are null, as JSON: once for all
-- statements of a round where it is the same.
CREATE TABLE statement_end (
  id               INTEGER PRIMARY KEY,
  evidence         TEXT NOT NULL,
  verification     TEXT NOT NULL,
  intent_at        TEXT NOT NULL,
  verified_zero_at TEXT NOT NULL
) STRICT;

-- Disposal certificates. The very bytes that were signed are those of the draft with the same id, with
-- `statement_end` put in. Lengths are checked by who writes and reads a row: beside a trigger, a CHECK
-- with a function in it costs a copy of each page that the statement changes.
CREATE TABLE certificate (
  id            INTEGER PRIMARY KEY REFERENCES draft (id) DEFERRABLE INITIALLY DEFERRED,
  uuid          BLOB    NOT NULL UNIQUE,
  asset         BLOB    NOT NULL UNIQUE REFERENCES asset (uuid) DEFERRABLE INITIALLY DEFERRED,
  plan          BLOB    NOT NULL REFERENCES plan (uuid) DEFERRABLE INITIALLY DEFERRED,
  outcome       TEXT    NOT NULL,
  assurance     TEXT    NOT NULL,
  issued        INTEGER NOT NULL,
  validation    TEXT    NOT NULL,
  log_index     INTEGER NOT NULL UNIQUE,
  public_key    BLOB    NOT NULL,
  signature     BLOB    NOT NULL,
  statement_end INTEGER NOT NULL REFERENCES statement_end (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE INDEX certificate_plan ON certificate (plan);

-- Records of plans that ended otherwise than done. `statement` holds the very bytes that are signed;
-- where the signer's key could not be read, signature and key are NULL, and log_index is that of the
-- leaf that commits to the statement, until it is signed.
CREATE TABLE refusal (
  id         INTEGER PRIMARY KEY,
  plan       BLOB    NOT NULL UNIQUE REFERENCES plan (uuid),
  outcome    TEXT    NOT NULL,
  issued     INTEGER NOT NULL,
  log_index  INTEGER NOT NULL UNIQUE,
  public_key BLOB    CHECK (length(public_key) = 32),
  signature  BLOB    CHECK (length(signature) = 64),
  statement  TEXT    NOT NULL,
  CHECK ((signature IS NULL) = (public_key IS NULL))
) STRICT;
CREATE INDEX refusal_unsigned ON refusal (id) WHERE signature IS NULL;

-- What custodians found afterwards; the latest of a certificate stands in certificate.validation.
CREATE TABLE validation (
  id                INTEGER PRIMARY KEY,
  certificate       BLOB    NOT NULL REFERENCES certificate (uuid),
  verdict           TEXT    NOT NULL,
  actor_uid         INTEGER NOT NULL,
  actor_login       TEXT    NOT NULL,
  actor_audit_uid   INTEGER,
  time              INTEGER NOT NULL,
  reason            TEXT    NOT NULL,
  remedy            TEXT    NOT NULL,
  capacities        TEXT    NOT NULL,   -- JSON array of custodian texts
  amendment         INTEGER,            -- its number; NULL: it waits to be signed
  log_index         INTEGER NOT NULL UNIQUE,
  person            TEXT,               -- this and what follows: as in approval
  signed_sha256     BLOB,
  signature         BLOB    REFERENCES signed_text (sha256),
  key               TEXT,
  carrier_uid       INTEGER,
  carrier_login     TEXT,
  carrier_audit_uid INTEGER,
  CHECK ((signature IS NULL) = (signed_sha256 IS NULL)),
  CHECK ((signature IS NULL) = (key IS NULL)),
  CHECK ((signature IS NULL) = (carrier_uid IS NULL))
) STRICT;
CREATE INDEX validation_certificate ON validation (certificate);
CREATE INDEX validation_unsigned ON validation (log_index) WHERE amendment IS NULL;

-- What was said of a certificate since it was issued, numbered from 1. `statement` holds the very
-- bytes that were signed. `residuals` are the codes that are open with it.
CREATE TABLE amendment (
  id          INTEGER PRIMARY KEY,
  certificate BLOB    NOT NULL REFERENCES certificate (uuid),
  number      INTEGER NOT NULL CHECK (number > 0),
  kind        TEXT    NOT NULL,
  issued      INTEGER NOT NULL,
  residuals   TEXT    NOT NULL,         -- JSON array
  log_index   INTEGER NOT NULL UNIQUE,
  public_key  BLOB    NOT NULL CHECK (length(public_key) = 32),
  signature   BLOB    NOT NULL CHECK (length(signature) = 64),
  statement   TEXT    NOT NULL,
  UNIQUE (certificate, number)
) STRICT;

-- Leaves of the transparency log. `record` and `salt` open what the public leaf only commits to.
CREATE TABLE log_leaf (
  id        INTEGER PRIMARY KEY,        -- index in the log
  leaf_hash BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
  type      TEXT    NOT NULL,
  time      INTEGER NOT NULL,
  salt      BLOB    NOT NULL CHECK (length(salt) IN (0, 32)),
  record    TEXT    NOT NULL
) STRICT;
CREATE INDEX log_leaf_hold ON log_leaf (id) WHERE type IN ('hold-placed', 'hold-lifted');
CREATE INDEX log_leaf_standing ON log_leaf (id) WHERE type = 'standing-ended';
CREATE INDEX log_leaf_policy ON log_leaf (id) WHERE type = 'policy-loaded';
CREATE INDEX log_leaf_said ON log_leaf (id)
  WHERE type IN ('amendment', 'validation', 'validation-unsigned');

-- Heads of the log that were signed: id = size of the log. No two of them contradict each other.
CREATE TABLE signed_head (
  id         INTEGER PRIMARY KEY,
  root       BLOB    NOT NULL CHECK (length(root) = 32),
  time       INTEGER NOT NULL,
  checkpoint TEXT    NOT NULL            -- a signed note
) STRICT;

-- The public keys of signer and log, each from the leaf on by which it came.
CREATE TABLE authority_key (
  id         INTEGER PRIMARY KEY,
  purpose    TEXT    NOT NULL,
  public_key BLOB    NOT NULL UNIQUE CHECK (length(public_key) = 32),
  since      INTEGER NOT NULL,
  first_leaf INTEGER NOT NULL
) STRICT;

-- Every call on the bus, allowed or denied. Rows are added, never changed and never removed: no
-- statement of ours does either. `begun`: the row of the same call that stood here before its first
-- effect was durable; once that call has ended, it says nothing more.
CREATE TABLE audit (
  id              INTEGER PRIMARY KEY,
  begun           INTEGER REFERENCES audit (id),
  time            INTEGER NOT NULL,
  last_time       INTEGER NOT NULL,     -- of the last of `calls` alike ones
  calls           INTEGER NOT NULL CHECK (calls > 0),
  actor_uid       INTEGER NOT NULL,
  actor_login     TEXT    NOT NULL,
  actor_audit_uid INTEGER,
  action          TEXT    NOT NULL,
  method          TEXT    NOT NULL,
  subjects        TEXT    NOT NULL,     -- JSON array of {"id", "name"}
  outcome         TEXT    NOT NULL,
  detail          TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_begun ON audit (begun) WHERE begun IS NOT NULL;

-- Rows of the audit that tell people of something, each once: of several days left the fewest.
CREATE TABLE notice (
  kind    TEXT    NOT NULL,
  subject TEXT    NOT NULL,
  moment  INTEGER NOT NULL,             -- that it is about
  days    INTEGER NOT NULL CHECK (days >= 0),
  audit   INTEGER NOT NULL UNIQUE REFERENCES audit (id),
  PRIMARY KEY (kind, subject, moment, days)
) STRICT, WITHOUT ROWID;

-- With which account and keys people may speak, as the log was last told: those of people.toml.
CREATE TABLE enrolment (
  person TEXT    PRIMARY KEY,
  uid    INTEGER,                       -- NULL: without account
  keys   TEXT    NOT NULL               -- JSON array of fingerprints
) STRICT, WITHOUT ROWID;

-- Counts that would otherwise be scans, kept by the triggers below in the same transaction.
CREATE TABLE tally (
  what  TEXT    PRIMARY KEY,
  rows  INTEGER NOT NULL CHECK (rows >= 0),
  bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO tally (what, rows, bytes) VALUES
  ('asset active', 0, 0), ('asset suspended', 0, 0), ('asset retired', 0, 0),
  ('asset erasing', 0, 0), ('asset erased', 0, 0),
  ('plan requested', 0, 0), ('plan approved', 0, 0), ('plan running', 0, 0), ('plan done', 0, 0),
  ('plan partial', 0, 0), ('plan rejected', 0, 0), ('plan cancelled', 0, 0),
  ('plan expired', 0, 0), ('plan stale', 0, 0), ('plan failed', 0, 0),
  ('certificate awaiting', 0, 0), ('certificate accepted', 0, 0),
  ('certificate rejected', 0, 0), ('certificate escalated', 0, 0);

CREATE TRIGGER asset_counted AFTER INSERT ON asset BEGIN
  UPDATE tally SET rows = rows + 1, bytes = bytes + new.bytes WHERE what = 'asset ' || new.state;
END;
CREATE TRIGGER asset_recounted AFTER UPDATE OF state ON asset BEGIN
  UPDATE tally SET rows = rows - 1, bytes = bytes - old.bytes WHERE what = 'asset ' || old.state;
  UPDATE tally SET rows = rows + 1, bytes = bytes + new.bytes WHERE what = 'asset ' || new.state;
END;
CREATE TRIGGER plan_counted AFTER INSERT ON plan BEGIN
  UPDATE tally SET rows = rows + 1 WHERE what = 'plan ' || new.state;
END;
CREATE TRIGGER plan_recounted AFTER UPDATE OF state ON plan BEGIN
  UPDATE tally SET rows = rows - 1 WHERE what = 'plan ' || old.state;
  UPDATE tally SET rows = rows + 1 WHERE what = 'plan ' || new.state;
END;
CREATE TRIGGER certificate_counted AFTER INSERT ON certificate BEGIN
  UPDATE tally SET rows = rows + 1 WHERE what = 'certificate ' || new.validation;
END;
CREATE TRIGGER certificate_recounted AFTER UPDATE OF validation ON certificate BEGIN
  UPDATE tally SET rows = rows - 1 WHERE what = 'certificate ' || old.validation;
  UPDATE tally SET rows = rows + 1 WHERE what = 'certificate ' || new.validation;
END;

-- Whatever a policy may ask about an asset, a change of it is looked at by the next nightly run. Not
-- INSERT OR IGNORE: in a trigger the way of the statement that fired it would count.
CREATE TRIGGER look_at_new AFTER INSERT ON asset WHEN new.state <> 'erased' BEGIN
  INSERT INTO look_again (asset) VALUES (new.id);
END;
CREATE TRIGGER look_at_changed AFTER UPDATE OF state, retention, name, kind, created ON asset
WHEN new.state NOT IN ('erasing', 'erased') BEGIN
  INSERT INTO look_again (asset) SELECT new.id
    WHERE NOT EXISTS (SELECT 1 FROM look_again WHERE asset = new.id);
END;
CREATE TRIGGER look_no_more AFTER UPDATE OF state ON asset WHEN new.state = 'erased' BEGIN
  DELETE FROM look WHERE asset = new.id;
  DELETE FROM look_again WHERE asset = new.id;
END;
CREATE TRIGGER look_at_label AFTER INSERT ON label BEGIN
  INSERT INTO look_again (asset) SELECT id FROM asset WHERE id = new.asset AND state <> 'erased'
    AND NOT EXISTS (SELECT 1 FROM look_again l WHERE l.asset = asset.id);
END;
CREATE TRIGGER look_at_other_label AFTER UPDATE ON label BEGIN
  INSERT INTO look_again (asset) SELECT id FROM asset WHERE id = new.asset AND state <> 'erased'
    AND NOT EXISTS (SELECT 1 FROM look_again l WHERE l.asset = asset.id);
END;
CREATE TRIGGER look_at_no_label AFTER DELETE ON label BEGIN
  INSERT INTO look_again (asset) SELECT id FROM asset WHERE id = old.asset AND state <> 'erased'
    AND NOT EXISTS (SELECT 1 FROM look_again l WHERE l.asset = asset.id);
END;
CREATE TRIGGER look_at_custodian AFTER INSERT ON custodian BEGIN
  INSERT INTO look_again (asset) SELECT id FROM asset WHERE id = new.asset AND state <> 'erased'
    AND NOT EXISTS (SELECT 1 FROM look_again l WHERE l.asset = asset.id);
END;
CREATE TRIGGER look_at_superseded AFTER INSERT ON lineage WHEN new.relation = 'supersedes' BEGIN
  INSERT INTO look_again (asset) SELECT id FROM asset WHERE uuid = new.parent AND state <> 'erased'
    AND NOT EXISTS (SELECT 1 FROM look_again l WHERE l.asset = asset.id);
END;
CREATE TRIGGER look_at_event AFTER INSERT ON asset_event BEGIN
  INSERT INTO look_again (asset) SELECT id FROM asset WHERE uuid = new.asset AND state <> 'erased'
    AND NOT EXISTS (SELECT 1 FROM look_again l WHERE l.asset = asset.id);
END;
CREATE TRIGGER look_at_other_event AFTER UPDATE ON asset_event BEGIN
  INSERT INTO look_again (asset) SELECT id FROM asset WHERE uuid = new.asset AND state <> 'erased'
    AND NOT EXISTS (SELECT 1 FROM look_again l WHERE l.asset = asset.id);
END;
