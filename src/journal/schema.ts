/** Marks a SQLite file as ours ("wf" and two zero bytes). */
export const applicationId = 0x77660000;

/**
 * What each version of the journal's tables adds to the one before. The file's `user_version` is how many of these it
 * has seen. Only ever add to the end: files of every version are out there.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    formula TEXT NOT NULL,
    plan_digest TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    inputs TEXT NOT NULL,
    plan TEXT NOT NULL
  ) STRICT;

  CREATE TABLE events (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    key TEXT,
    at TEXT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (run, seq)
  ) STRICT;
  CREATE UNIQUE INDEX events_by_key ON events (run, key) WHERE key IS NOT NULL;

  CREATE TABLE inbox (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    sender TEXT,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, id),
    UNIQUE (run, sender)
  ) STRICT;

  CREATE TABLE leases (
    run TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    token INTEGER NOT NULL,
    process TEXT NOT NULL,
    since TEXT NOT NULL,
    expires INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE locks (
    ticket INTEGER PRIMARY KEY AUTOINCREMENT,
    lock_group TEXT NOT NULL,
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    held INTEGER NOT NULL DEFAULT 0,
    UNIQUE (lock_group, run, name)
  ) STRICT;
  CREATE UNIQUE INDEX locks_one_holder ON locks (lock_group) WHERE held = 1;
  CREATE INDEX locks_by_run ON locks (run);
  `,
  // What SQLite does not see: a page that fits in but holds other bytes than were written. Null: written before.
  `
  ALTER TABLE events ADD COLUMN sum INTEGER;
  ALTER TABLE runs ADD COLUMN sum INTEGER;
  `,
];
