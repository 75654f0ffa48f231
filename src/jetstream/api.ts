/** The JetStream API as we use it: raw requests with complete bodies, and errors by the server's own codes. */
import type { WireConfig } from "./desired.ts";

/** What the server answered with `error`. Codes are in nats-server's errors.json. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly subject: string;
  readonly code: number;
  readonly errCode: number;

  constructor(subject: string, { code, err_code = 0, description = "" }: WireError) {
    super(`${description || "refused"} (${err_code || code})`);
    this.subject = subject;
    this.code = code;
    this.errCode = err_code;
  }
}

/** No answer, or one that says that nothing can be done now. The message holds what happened and what to do next. */
export class ConnectionFailure extends Error {
  override readonly name = "ConnectionFailure";
  /** Whether the same request may get an answer a little later: a time-out, a leader that is being elected. */
  readonly passing: boolean;

  constructor(message: string, options: ErrorOptions & { readonly passing?: boolean }) {
    super(message, options);
    this.passing = options.passing ?? false;
  }
}

export interface WireError {
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

/** Requests that change nothing. Anything else needs a writer. */
export const READ_VERBS = [
  "INFO",
  "STREAM.NAMES",
  "STREAM.LIST",
  "STREAM.INFO",
  "STREAM.MSG.GET",
  "CONSUMER.LIST",
  "CONSUMER.INFO",
] as const;
export type ReadVerb = (typeof READ_VERBS)[number];
export type WriteVerb = "STREAM.CREATE" | "STREAM.UPDATE" | "STREAM.DELETE" | "CONSUMER.CREATE" | "CONSUMER.DELETE";

/** A client that cannot write: it has no method for it, and refuses verbs that are not reads. */
export interface Reader {
  readonly server: ServerIdentity;
  /**
   * @param names stream, and consumer, that the verb is about
   * @throws ApiError for an answer with an error; ConnectionFailure where there is none; TypeError for another verb, unsent
   */
  read<T>(verb: ReadVerb, names?: readonly string[], body?: object): Promise<T>;
  /**
   * Asks all servers of the cluster. @param expected how many there should be
   * @returns undefined where the user may not ask
   */
  presence(expected: number): Promise<Presence | undefined>;
}

/** Where an account is. */
export interface Presence {
  readonly account?: string;
  /** Those that answered, by name. */
  readonly servers: readonly PresentServer[];
}

export interface PresentServer {
  readonly name: string;
  readonly version: string;
}

export interface Writer extends Reader {
  write<T>(verb: WriteVerb, names: readonly string[], body?: object): Promise<T>;
  /**
   * Publishes where the subject's last message is the one of sequence `last` (0 for none).
   * @returns the new sequence @throws ApiError 10071 or 10164 where it is another
   */
  publishAfter(subject: string, payload: string, last: number): Promise<number>;
}

/** A message as a stream holds it. */
export interface StoredMessage {
  readonly seq: number;
  readonly subject: string;
  /** When it was stored, RFC 3339. */
  readonly time: string;
  readonly text: string;
}

/** Which messages: on these subjects, from this moment on. */
export interface MessageRange {
  readonly stream: string;
  /** May have wildcards. */
  readonly subject: string;
  /** Milliseconds since 1970. @default the oldest that the stream has */
  readonly since?: number;
}

/** Reads what streams hold, without a consumer and without a trace: direct gets are in no API audit. */
export interface MessageReader {
  /**
   * In the order of the stream, up to the last message that there is when it gets there.
   * @throws ConnectionFailure where nobody answers: the stream is missing, or lacks allow_direct
   */
  messages(range: MessageRange): AsyncGenerator<StoredMessage>;
}

/** Who answers: printed before anything else, and compared with what the environment names. */
export interface ServerIdentity {
  readonly url: string;
  readonly name: string;
  readonly version: string;
  /** Missing on a standalone server. */
  readonly cluster?: string;
}

export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly first_ts?: string;
  readonly last_ts?: string;
  readonly num_subjects?: number;
}

export interface Peer {
  readonly name: string;
  readonly current?: boolean;
  readonly offline?: boolean;
  /** Messages behind; left out by the server when 0. */
  readonly lag?: number;
}

export interface ClusterState {
  readonly leader?: string;
  readonly replicas?: readonly Peer[];
  /** Set while the server reconfigures the group, with what it was before (2.15). */
  readonly desired?: { readonly origin?: { readonly placement?: object } };
}

/** How a copy stands to one of its origins. */
export interface OriginInfo {
  readonly name: string;
  /** Messages still to be copied when the origin was last heard of. */
  readonly lag?: number;
  /** Nanoseconds since the origin was heard of; -1 is never. A stalled copy keeps its last lag, only this grows. */
  readonly active?: number;
  readonly error?: { readonly description?: string };
}

export interface StreamInfo {
  readonly config: WireConfig & { readonly name: string };
  readonly state: StreamState;
  readonly cluster?: ClusterState;
  readonly sources?: readonly OriginInfo[];
  readonly mirror?: OriginInfo;
  readonly created: string;
  /** When the server wrote this, by its own clock. */
  readonly ts?: string;
}

export interface ConsumerInfo {
  readonly name: string;
  readonly stream_name: string;
  readonly config: WireConfig;
  readonly created: string;
  readonly num_pending: number;
  readonly num_ack_pending: number;
  readonly num_redelivered: number;
  readonly ack_floor: { readonly stream_seq: number };
  readonly delivered: { readonly stream_seq: number };
  readonly cluster?: ClusterState;
  /** Whether a push consumer has somebody listening now. */
  readonly push_bound?: boolean;
}

/** 0 and -1 are none, but for the two of storage, where 0 is nothing at all. */
export interface AccountLimits {
  readonly max_storage: number;
  readonly max_memory: number;
  readonly max_ack_pending?: number;
  readonly max_streams?: number;
  /** Of each stream. */
  readonly max_consumers?: number;
  /** Whether every stream must have max_bytes. */
  readonly max_bytes_required?: boolean;
  readonly storage_max_stream_bytes?: number;
  readonly memory_max_stream_bytes?: number;
}

export interface AccountInfo {
  readonly api: { readonly level?: number };
  readonly limits: AccountLimits;
  /** Limits by replicas, where the account has them. */
  readonly tiers?: object;
  readonly storage: number;
  readonly memory: number;
  readonly streams: number;
  readonly consumers: number;
}
