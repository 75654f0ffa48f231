/** Where things lie in the pods of Tile38. */
export const PATHS = {
  /** The Secret with the configuration document. */
  document: "/etc/tile38",
  scripts: "/etc/tile38-scripts",
  /** `-d` of the server: in memory, as it holds the password and the server rewrites it at every start. */
  run: "/run/tile38",
  data: "/data",
} as const;

/** What the Secret holds. Read-only, so it is copied: the server dies where it cannot write its own configuration. */
export const DOCUMENT_FILE = `${PATHS.document}/config`;
/** The name is fixed by the server (config.go). */
export const CONFIG_FILE = `${PATHS.run}/config`;
export const APPEND_ONLY_FILE = `${PATHS.data}/appendonly.aof`;
export const QUEUE_FILE = `${PATHS.data}/queue.db`;
export const PREPARE_FILE = `${PATHS.scripts}/prepare.sh`;
export const SHRINK_FILE = `${PATHS.scripts}/shrink.sh`;
