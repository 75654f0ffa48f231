/** What a Tile38 server is told: its command line and its configuration document (tidwall/tile38 1.37, main.go and config.go). */
import { PORTS, serverNamePrefix, serviceHost, TILE38 } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import { maxMemory } from "./memory.ts";
import { APPEND_ONLY_FILE, PATHS, QUEUE_FILE } from "./paths.ts";

/**
 * Leader and followers start alike; the document tells them apart. Without `-h` and with a bare `:port` they listen on every
 * address, IPv4 and IPv6. There is no flag for the password.
 */
export const SERVER_ARGUMENTS: readonly string[] = [
  ...["-p", String(PORTS.tile38)],
  ...["-d", PATHS.run],
  ...["--appendfilename", APPEND_ONLY_FILE],
  ...["--queuefilename", QUEUE_FILE],
  ...["--metrics-addr", `:${PORTS.tile38Metrics}`],
  ...["-l", "json"],
];

/** Keys are case-sensitive and unknown ones are ignored. Texts stay texts: `maxmemory` is one, `follow_port` is a number. */
export type Tile38Config = LeaderConfig | FollowerConfig;

interface Shared {
  /** What clients must send. The same on all servers, so that a follower can take the leader's place. */
  readonly requirepass: string;
  /** What a follower sends to its leader. */
  readonly leaderauth: string;
}

export interface LeaderConfig extends Shared {
  /** Random at every start where it is missing, and a label of `tile38_server_info`. */
  readonly server_id: string;
  /** Bytes. */
  readonly maxmemory: string;
}

/** Without `server_id`: a shared one would make a promoted follower refuse others with "cannot follow self". */
export interface FollowerConfig extends Shared {
  readonly follow_host: string;
  readonly follow_port: number;
}

/** The document that the Secret of the leader must hold. @throws RangeError for a password that no client could send */
export const leaderConfig = ({ environment }: Model, password: string): LeaderConfig => ({
  ...shared(password),
  server_id: `${serverNamePrefix(environment)}${TILE38.leader}`,
  maxmemory: String(maxMemory(environment.tile38.leader)),
});

/** The document that the Secret of the followers must hold. @throws RangeError for a password that no client could send */
export const followerConfig = ({ environment }: Model, password: string): FollowerConfig => ({
  ...shared(password),
  follow_host: serviceHost(TILE38.writeService, environment),
  follow_port: PORTS.tile38,
});

function shared(password: string): Shared {
  // The server trims what a client sends but not what it compares it with, and reads broken JSON as far as it can.
  if (!/^[!-~]+$/.test(password) || /["\\]/.test(password)) {
    throw new RangeError('the password of Tile38 must be printable ASCII without white space, " and \\');
  }
  return { requirepass: password, leaderauth: password };
}
