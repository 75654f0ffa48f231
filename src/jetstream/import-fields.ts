/** Every field of the server that definitions can say, and how it reads there. Names go from `max_msgs` to `maxMsgs` by themselves. */
import type { WireConfig } from "./desired.ts";
import { exactDuration, exactSize } from "./import-units.ts";

/** A field, or a value of one, that definitions have no word for. */
export interface Unsaid {
  readonly field: string;
  readonly value: unknown;
}

/** What became of a field. `value` is absent where it is the server's default. */
interface Reading {
  readonly value?: unknown;
  readonly unsaid: readonly Unsaid[];
}
type Read = (value: unknown, field: string) => Reading;
export type Fields = Readonly<Record<string, Read>>;

const says = (value: unknown): Reading => ({ value, unsaid: [] });
const silent: Reading = { unsaid: [] };
const cannot = (field: string, value: unknown): Reading => ({ unsaid: [{ field, value }] });

/** What the server takes for "not set", whatever the field. */
const isUnset = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === "none" ||
  value === false ||
  value === 0 ||
  (typeof value === "object" && Object.keys(value).length === 0);

const reads =
  (fits: (value: unknown) => boolean, convert: (value: never) => unknown = (value) => value): Read =>
  (value, field) =>
    fits(value) ? says(convert(value as never)) : isUnset(value) ? silent : cannot(field, value);

const text = reads((value) => typeof value === "string" && value !== "");
const flag = reads((value) => value === true);
/** Beyond 2^53 JavaScript has already lost the number that the server holds. */
const isExact = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;
/** 0 and everything below are "no limit". */
const positive =
  (convert: (value: number) => unknown = (value) => value): Read =>
  (value, field) =>
    typeof value === "number" && value <= 0 ? silent : reads(isExact, convert)(value, field);
const count = positive();
const size = positive(exactSize);
const duration = positive(exactDuration);
const oneOf = (...options: readonly string[]): Read => reads((value) => options.includes(String(value)));
const oneOfOrDefault =
  (usual: string, ...options: readonly string[]): Read =>
  (value, field) =>
    value === usual ? silent : oneOf(...options)(value, field);

const list =
  (item: Read): Read =>
  (value, field) => {
    if (isUnset(value)) return silent;
    if (!Array.isArray(value)) return cannot(field, value);
    const readings = value.map((inner, i) => item(inner, `${field}[${i}]`));
    const unsaid = readings.flatMap((reading) => reading.unsaid);
    return { value: readings.map((reading) => reading.value).filter((inner) => inner !== undefined), unsaid };
  };

const object =
  (fields: Fields): Read =>
  (value, field) => {
    if (isUnset(value)) return silent;
    if (typeof value !== "object") return cannot(field, value);
    const { said, unsaid } = readFields(value as WireConfig, fields, `${field}.`);
    return Object.keys(said).length === 0 ? { unsaid } : { value: said, unsaid };
  };

/** Without what the server and sync itself write there. */
const metadata: Read = (value, field) => {
  const own = Object.entries(value ?? {}).filter(([key]) => !/^(_nats\.|circl\.dev\/)/.test(key));
  return reads((entries) => typeof entries === "object" && !isUnset(entries))(Object.fromEntries(own), field);
};

const transform = object({ src: text, dest: text });
const origin = object({
  name: text,
  filter_subject: text,
  subject_transforms: list(transform),
  opt_start_seq: count,
  opt_start_time: text,
  external: object({ api: text, deliver: text }),
});

/** In the order in which they are printed. */
export const STREAM_FIELDS: Fields = {
  name: text,
  description: text,
  subjects: list(text),
  sources: list(origin),
  mirror: origin,
  retention: oneOf("limits", "interest", "workqueue"),
  storage: oneOf("file", "memory"),
  discard: oneOf("old", "new"),
  num_replicas: count,
  max_consumers: count,
  max_msgs: count,
  max_bytes: size,
  max_age: duration,
  max_msg_size: size,
  max_msgs_per_subject: count,
  duplicate_window: duration,
  no_ack: flag,
  sealed: flag,
  deny_delete: flag,
  deny_purge: flag,
  allow_rollup_hdrs: flag,
  allow_direct: flag,
  mirror_direct: flag,
  discard_new_per_subject: flag,
  compression: oneOfOrDefault("none", "s2"),
  first_seq: count,
  placement: object({ cluster: text, tags: list(text) }),
  republish: object({ src: text, dest: text, headers_only: flag }),
  subject_transform: transform,
  consumer_limits: object({ inactive_threshold: duration, max_ack_pending: count }),
  allow_msg_ttl: flag,
  subject_delete_marker_ttl: duration,
  allow_msg_counter: flag,
  allow_atomic: flag,
  allow_msg_schedules: flag,
  persist_mode: oneOfOrDefault("default", "async"),
  allow_batched: flag,
  metadata,
};

/** Without `durable_name`, which is the name. */
export const CONSUMER_FIELDS: Fields = {
  name: text,
  description: text,
  filter_subject: text,
  filter_subjects: list(text),
  deliver_policy: oneOfOrDefault("all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject"),
  opt_start_seq: count,
  opt_start_time: text,
  ack_policy: oneOf("explicit", "all", "none", "flow_control"),
  ack_wait: duration,
  max_deliver: count,
  backoff: list(duration),
  replay_policy: oneOfOrDefault("instant", "original"),
  sample_freq: text,
  max_waiting: count,
  // Here 0 is the server's default and -1 is no limit.
  max_ack_pending: (value, field) => (value === -1 ? says(-1) : count(value, field)),
  headers_only: flag,
  max_batch: count,
  max_expires: duration,
  max_bytes: size,
  inactive_threshold: duration,
  priority_policy: oneOf("overflow", "pinned_client", "prioritized"),
  priority_groups: list(text),
  priority_timeout: duration,
  deliver_subject: text,
  deliver_group: text,
  idle_heartbeat: duration,
  flow_control: flag,
  rate_limit_bps: count,
  num_replicas: count,
  mem_storage: flag,
  metadata,
};

/** Reads what `fields` know; everything else that is set comes back as unsaid. @param path what unsaid fields begin with */
export function readFields(
  config: WireConfig,
  fields: Fields,
  path = "",
): { readonly said: Readonly<Record<string, unknown>>; readonly unsaid: readonly Unsaid[] } {
  const said: Record<string, unknown> = {};
  const unsaid: Unsaid[] = [];
  for (const [field, read] of Object.entries(fields)) {
    const reading = read(config[field], path + field);
    if (reading.value !== undefined) said[definitionName(field)] = reading.value;
    unsaid.push(...reading.unsaid);
  }
  for (const [field, value] of Object.entries(config)) {
    if (!Object.hasOwn(fields, field) && !isUnset(value)) unsaid.push({ field: path + field, value });
  }
  return { said, unsaid };
}

const definitionName = (field: string): string =>
  field === "num_replicas" ? "replicas" : field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
