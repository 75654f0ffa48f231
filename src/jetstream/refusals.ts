/**
 * What the server refuses to change in place, known before it is asked. Source: configUpdateCheck (stream.go) and
 * checkNewConsumerConfig (consumer.go), measured on 2.10.27 and 2.15.1; the tests let the server judge, case by case.
 */
import { atLeast, type Version } from "../model/version.ts";
import type { Change, FieldChange } from "./diff.ts";

export interface Refusal {
  readonly field: string;
  /** The server's err_code; 10052 is "invalid configuration" for anything about a stream. */
  readonly errCode: number;
  readonly says: string;
  readonly hint: string;
}

/** Ways out that many rows share. */
const RECREATE =
  "Create a stream under another name, let it copy this one, move readers and writers, then delete this one.";
const RECREATE_CONSUMER = "Delete the consumer and create it again; `--recreate NAME` starts it at its ack floor.";

type Row = (change: FieldChange, version: Version) => Omit<Refusal, "field"> | undefined;

const never =
  (says: string, errCode = 10052, hint = RECREATE): Row =>
  () => ({ errCode, says, hint });
const oneWay =
  (says: string): Row =>
  ({ from, to }) =>
    from === true && to !== true ? { errCode: 10052, says, hint: RECREATE } : undefined;

const STREAM_ROWS: Readonly<Record<string, Row>> = {
  storage: never("the storage type cannot change"),
  retention: ({ from, to }) =>
    from === "workqueue" || to === "workqueue"
      ? { errCode: 10052, says: "retention cannot change to or from workqueue", hint: RECREATE }
      : undefined,
  max_consumers: (_, version) =>
    atLeast(version, "2.12.5")
      ? undefined
      : { errCode: 10052, says: "max_consumers cannot change before 2.12.5", hint: "Update the servers first." },
  mirror: ({ to }, version) =>
    to === undefined && atLeast(version, "2.12")
      ? undefined
      : { errCode: 10055, says: "a mirror cannot be added or changed", hint: RECREATE },
  sealed: oneWay("a sealed stream stays sealed"),
  deny_delete: oneWay("deny_delete cannot be taken back"),
  deny_purge: oneWay("deny_purge cannot be taken back"),
  allow_msg_ttl: oneWay("message TTLs cannot be switched off"),
  allow_msg_schedules: oneWay("message schedules cannot be switched off"),
  allow_msg_counter: never("the counter setting cannot change"),
  persist_mode: never("the persist mode cannot change"),
  // The server takes it without a word and empties the stream at its next start (filestore.go, newFileStore).
  first_seq: never(
    "a changed first sequence empties the stream when its server restarts; the server does not refuse it, we do",
    0,
  ),
};

const CONSUMER_ROWS: Readonly<Record<string, Row>> = Object.fromEntries(
  [
    "deliver_policy",
    "opt_start_seq",
    "opt_start_time",
    "ack_policy",
    "replay_policy",
    "idle_heartbeat",
    "flow_control",
    "max_waiting",
    "mem_storage",
    "pause_until",
  ].map((field) => [field, never(`${field} cannot change`, 10012, RECREATE_CONSUMER)]),
);

/** Every field of an update that the server, or we, would refuse. */
export function refusals(change: Change, version: Version): Refusal[] {
  if (change.action !== "update") return [];
  const rows = change.kind === "stream" ? STREAM_ROWS : CONSUMER_ROWS;
  const single = change.fields.flatMap((field) => {
    const refusal = rows[field.field]?.(field, version);
    return refusal ? [{ field: field.field, ...refusal }] : [];
  });
  return [...single, ...moveAndScale(change.fields)];
}

/** One at a time: replicas or placement. */
function moveAndScale(fields: readonly FieldChange[]): Refusal[] {
  const changed = (name: string) => fields.some(({ field }) => field === name);
  if (!changed("num_replicas") || !changed("placement")) return [];
  return [
    {
      field: "placement",
      errCode: 10123,
      says: "a stream cannot move and change its replicas in one update",
      hint: "Apply one of the two first, wait until it is done, then the other.",
    },
  ];
}
