/** Definitions that a rule refuses and the nearest ones that it does not; real servers say whether the rule is right. */
import type { ConsumerInput, StreamInput } from "../../src/model/stream.ts";

export interface RefusedCase {
  readonly code: string;
  /** The row of the rule, where it is a table. */
  readonly row?: string;
  readonly title: string;
  readonly fires: readonly StreamInput[];
  /** Path of the finding in the last stream of `fires`. */
  readonly at: string;
  readonly says: string;
  readonly quiet: readonly StreamInput[];
  /** What the server answers to the last stream or consumer, where it takes it: nothing says then what will go wrong. */
  readonly becomes?: Readonly<Record<string, unknown>>;
  /** One server or three. @default 1 */
  readonly servers?: 1 | 3;
  /** First line of nats-server that knows the settings. */
  readonly since?: string;
  /** The one version that it is about. */
  readonly version?: string;
  /** Why no server can be asked. */
  readonly unasked?: string;
}

/** A stream that every server takes. */
export const plain: StreamInput = { name: "plain", subjects: ["plain.>"], maxBytes: "1MiB" };
export const worker: ConsumerInput = { name: "worker", service: "oms", ackPolicy: "explicit", maxDeliver: 3 };
export const of = (change: Partial<StreamInput>): readonly StreamInput[] => [{ ...plain, ...change }];
export const copying = (change: Partial<StreamInput>, origin: Partial<StreamInput> = {}): readonly StreamInput[] => [
  { ...plain, name: "origin", subjects: ["origin.>"], ...origin },
  { name: "copy", maxBytes: "1MiB", ...change },
];
/** A consumer with settings that its type may not allow together. */
export const consumerWith = (settings: Readonly<Record<string, unknown>>): ConsumerInput =>
  ({ ...worker, ...settings }) as unknown as ConsumerInput;
const text = (length: number): string => "x".repeat(length);
type Told = Omit<RefusedCase, "code" | "row" | "title">;

/** Of a rule that is a table. */
export const row = (code: string, what: string, told: Told): RefusedCase => ({ code, row: what, title: what, ...told });
export const whole = (code: string, title: string, told: Told): RefusedCase => ({ code, title, ...told });

export const REFUSED_STREAMS: readonly RefusedCase[] = [
  whole("S004", "a stream name with a slash", {
    fires: of({ name: "a/b" }),
    at: "name",
    says: '"a/b" contains / or \\ (10128)',
    quiet: of({ name: "a-b" }),
  }),
  whole("S004", "a stream name of more than 255 bytes", {
    fires: of({ name: `${text(254)}é` }),
    at: "name",
    says: `"${text(20)}..." has over 255 bytes (10052)`,
    quiet: of({ name: text(200) }),
  }),
  whole("S004", "a stream name with a dot", {
    fires: of({ name: "a.b" }),
    at: "name",
    says: '"a.b" contains white space or one of . * >',
    quiet: of({ name: "a_b" }),
    unasked: "the request goes to nobody and is answered by nobody",
  }),
  whole("S010", "a subject with an empty token", {
    fires: of({ subjects: ["plain..x"] }),
    at: "subjects[0]",
    says: '"plain..x" has an empty token (a leading, trailing or double ".") (10052)',
    quiet: of({ subjects: ["plain.x"] }),
  }),
  whole("S011", "a subject twice", {
    fires: of({ subjects: ["plain.x", "plain.x"] }),
    at: "subjects[1]",
    says: '"plain.x" overlaps "plain.x" (10052)',
    quiet: of({ subjects: ["plain.x", "plain.y"] }),
  }),
  whole("S011", "a subject inside another", {
    fires: of({ subjects: ["plain.>", "plain.*.x"] }),
    at: "subjects[1]",
    says: '"plain.*.x" overlaps "plain.>" (10052)',
    quiet: of({ subjects: ["plain.>", "plain"] }),
  }),
  whole("S012", "a subject of another stream", {
    fires: [plain, { ...plain, name: "second", subjects: ["plain.x"] }],
    at: "subjects[0]",
    says: '"plain.x" overlaps "plain.>" of plain (streams/test.ts) (10065)',
    quiet: [plain, { ...plain, name: "second", subjects: ["second.x"] }],
  }),
  whole("S013", "all subjects", {
    fires: of({ subjects: [">"] }),
    at: "subjects[0]",
    says: '">" reaches into $JS.> (10052)',
    quiet: of({ subjects: ["plain.>"] }),
  }),
  whole("S013", "a wildcard that reaches the API", {
    fires: of({ subjects: ["*.API.>"] }),
    at: "subjects[0]",
    says: '"*.API.>" reaches into $JS.> (10052)',
    quiet: of({ subjects: ["$JS.EVENT.ADVISORY.STREAM.>"] }),
  }),
  whole("S013", "subjects of the system", {
    fires: of({ subjects: ["$SYS.REQ.>"] }),
    at: "subjects[0]",
    says: '"$SYS.REQ.>" reaches into $SYS.> (10052)',
    quiet: of({ subjects: ["$SYS.ACCOUNT.*.CONNECT"] }),
  }),
  whole("S021", "streams that copy each other", {
    fires: [
      { ...plain, sources: [{ name: "back" }] },
      { name: "back", maxBytes: "1MiB", sources: [{ name: "plain" }] },
    ],
    at: "sources",
    says: "leads back to the stream itself (10052)",
    quiet: [plain, { name: "back", maxBytes: "1MiB", sources: [{ name: "plain" }] }],
  }),
  whole("S023", "a source of larger messages", {
    fires: copying({ sources: [{ name: "origin" }], maxMsgSize: "1KiB" }, { maxMsgSize: "2KiB" }),
    at: "maxMsgSize",
    says: "is 1 KiB, but origin holds messages up to 2 KiB (10046)",
    quiet: copying({ sources: [{ name: "origin" }], maxMsgSize: "66KiB" }, { maxMsgSize: "2KiB" }),
  }),
  whole("S023", "a mirror of larger messages", {
    fires: copying({ mirror: { name: "origin" }, maxMsgSize: "1KiB" }, { maxMsgSize: "2KiB" }),
    at: "maxMsgSize",
    says: "is 1 KiB, but origin holds messages up to 2 KiB (10030)",
    quiet: copying({ mirror: { name: "origin" }, maxMsgSize: "66KiB" }, { maxMsgSize: "2KiB" }),
  }),
  whole("S032", "replicas on one server", {
    fires: of({ replicas: 3 }),
    at: "replicas",
    says: "is 3 on 1 server (10074)",
    quiet: of({ replicas: 1 }),
  }),
  whole("S032", "more replicas than servers", {
    fires: of({ replicas: 5 }),
    at: "replicas",
    says: "is 5 on 3 servers (10005)",
    quiet: of({ replicas: 3 }),
    servers: 3,
  }),
  whole("S032", "more replicas than there can be", {
    fires: of({ replicas: 6 }),
    at: "replicas",
    says: "is 6 on 3 servers (10052)",
    quiet: of({ replicas: 3 }),
    servers: 3,
  }),
  whole("S035", "a window longer than the age", {
    fires: of({ maxAge: "1m", duplicateWindow: "2m" }),
    at: "duplicateWindow",
    says: "is 2m with maxAge 1m (10052)",
    quiet: of({ maxAge: "2m", duplicateWindow: "2m" }),
  }),
  whole("S038", "a setting that the server does not know yet", {
    fires: of({ allowBatched: true }),
    at: "allowBatched",
    says: "exists since 2.14, but the server is 2.12.15-alpine (10025)",
    quiet: of({ allowAtomic: true }),
    version: "2.12.15",
  }),
  row("S039", "maxAge below 100ms", {
    fires: of({ maxAge: "99ms" }),
    at: "maxAge",
    says: "99ms is below 100ms: the server takes no shorter age (10052)",
    quiet: of({ maxAge: "100ms" }),
  }),
  row("S039", "duplicateWindow below 100ms", {
    fires: of({ duplicateWindow: "99ms" }),
    at: "duplicateWindow",
    says: "99ms is below 100ms: the server takes no shorter window (10052)",
    quiet: of({ duplicateWindow: "100ms" }),
  }),
  row("S039", "duplicateWindow of 0s", {
    fires: of({ duplicateWindow: "0s" }),
    at: "duplicateWindow",
    says: "duplicateWindow of 0s: to the server that is unset, and means two minutes (or maxAge, if that is shorter); there is no way to have none",
    quiet: of({ duplicateWindow: "2m" }),
    becomes: { duplicate_window: 120e9 },
  }),
  row("S039", "subjectDeleteMarkerTtl below 1s", {
    fires: of({ subjectDeleteMarkerTtl: "999ms" }),
    at: "subjectDeleteMarkerTtl",
    says: "999ms is below 1s: the server takes no shorter life (10052)",
    quiet: of({ subjectDeleteMarkerTtl: "1s" }),
  }),
  row("S039", "maxConsumers below the number of consumers declared", {
    fires: of({ maxConsumers: 1, consumers: [worker, { ...worker, name: "second" }] }),
    at: "maxConsumers",
    says: "1 for 2 consumers: the last of them are refused (10026)",
    quiet: of({ maxConsumers: 2, consumers: [worker, { ...worker, name: "second" }] }),
  }),
  row("S039", "description of more than 4 KiB", {
    fires: of({ description: text(4_097) }),
    at: "description",
    says: "description of more than 4 KiB: the server keeps no more (10052)",
    quiet: of({ description: text(4_096) }),
  }),
  row("S039", "metadata of more than 124 KiB", {
    fires: of({ metadata: { notes: text(128 * 1_024) } }),
    at: "metadata",
    says: "128 KiB: the server keeps 128 KiB, and some of it says whose the stream is and what data it holds (10052)",
    quiet: of({ metadata: { notes: text(123 * 1_024) } }),
  }),
  whole("S061", "a limit per subject without a limit", {
    fires: of({ discardNewPerSubject: true, discard: "new" }),
    at: "discardNewPerSubject",
    says: 'is set with discard "new" and maxMsgsPerSubject -1 (10052)',
    quiet: of({ discardNewPerSubject: true, discard: "new", maxMsgsPerSubject: 1 }),
  }),
  whole("S061", "a limit per subject that deletes", {
    fires: of({ discardNewPerSubject: true, maxMsgsPerSubject: 1 }),
    at: "discardNewPerSubject",
    says: 'is set with discard "old" and maxMsgsPerSubject 1 (10052)',
    quiet: of({ discardNewPerSubject: true, discard: "new", maxMsgsPerSubject: 1 }),
  }),
  row("S064", "a cluster that is not this one", {
    fires: of({ placement: { cluster: "elsewhere" } }),
    at: "placement.cluster",
    says: '"elsewhere" is not circl-production: only this cluster\'s servers can be asked (10005)',
    quiet: of({ placement: { cluster: "circl-production" } }),
    servers: 3,
  }),
  row("S064", "tags that no server has", {
    fires: of({ placement: { tags: ["ssd"] } }),
    at: "placement.tags",
    says: "ssd: nats.conf gives servers no server_tags, so none is suitable; a tag with ! before it excludes (2.12) (10005)",
    quiet: of({ placement: { tags: ["!ssd"] } }),
    servers: 3,
  }),
  whole("S065", "a sealed stream", {
    fires: of({ sealed: true }),
    at: "sealed",
    says: "is true (10052)",
    quiet: of({ sealed: false }),
  }),
  whole("S066", "metadata of the server's", {
    fires: of({ metadata: { "_nats.ver": "mine" } }),
    at: "metadata",
    says: 'has "_nats.ver"',
    quiet: of({ metadata: { "nats.ver": "mine" } }),
    unasked: "what the server writes there is another version's each time",
  }),
  whole("S068", "a memory stream on one server", {
    fires: of({ storage: "memory" }),
    at: "storage",
    says: 'is "memory" on one server',
    quiet: of({}),
    becomes: {},
  }),
  whole("S067", "a first sequence on 2.10.28", {
    fires: of({ firstSeq: 100 }),
    at: "firstSeq",
    says: "is 100 on 2.10.28-alpine",
    quiet: of({ firstSeq: 100, storage: "memory" }),
    version: "2.10.28",
    unasked: "no server of that line is built here",
  }),
  row("S019", "history out of 1 to 64", {
    fires: of({ name: "KV_b", kind: "kv", maxMsgsPerSubject: 65 }),
    at: "maxMsgsPerSubject",
    says: "history 65: clients make buckets of 1 to 64 values a key, and no others",
    quiet: of({ name: "KV_b", kind: "kv", maxMsgsPerSubject: 64 }),
    becomes: {},
  }),
  row("S019", "duplicateWindow of a bucket", {
    fires: of({ name: "OBJ_b", kind: "object-store", duplicateWindow: "1m" }),
    at: "duplicateWindow",
    says: "duplicateWindow of a bucket: clients ask for the window that the ttl gives, and are refused where it is another",
    quiet: of({ name: "OBJ_b", kind: "object-store" }),
    becomes: {},
  }),
  row("S019", "kind and name that do not fit", {
    fires: of({ name: "OBJ_b", kind: "kv", maxMsgsPerSubject: 1 }),
    at: "name",
    says: '"OBJ_b" for "kv": clients look for a bucket B in KV_B and for an object store B in OBJ_B',
    quiet: of({ name: "KV_b", kind: "kv", maxMsgsPerSubject: 1 }),
    becomes: {},
  }),
];
