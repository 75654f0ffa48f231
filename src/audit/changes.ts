/** Who changed which stream or consumer, and what became of it: read off the audit of JetStream's API. */
import * as v from "valibot";
import { compare, type FieldChange } from "../jetstream/diff.ts";
import { type ApiAudit, parsed, type Who, whoOf } from "./advisory.ts";
import { type Requested, requested } from "./requests.ts";

export interface Change extends Requested {
  /** When the server answered, RFC 3339. */
  readonly at: string;
  readonly who: Who;
  /** Why the server refused; missing for what was done. */
  readonly refused?: string;
  /** Of an update; missing where the audit does not reach back to what was before. */
  readonly fields?: readonly FieldChange[];
  /** Of a purge: messages that went. */
  readonly purged?: number;
}

const answer = v.object({
  error: v.optional(v.object({ err_code: v.optional(v.number(), 0), description: v.optional(v.string(), "") })),
  config: v.optional(v.record(v.string(), v.unknown())),
  name: v.optional(v.string()),
  stream_name: v.optional(v.string()),
  purged: v.optional(v.number()),
});
type Answer = v.InferOutput<typeof answer>;
type Config = Readonly<Record<string, unknown>>;

/** What is known of streams and consumers at one moment of the audit. */
export type Known = Map<string, Config>;

/**
 * The change that a report tells of, and what is known after it, which is written to `known`. Undefined for reads, for requests
 * that found everything as they wanted it, and for consumers that last as long as their client.
 */
export function changeOf(report: ApiAudit, known: Known): Change | undefined {
  const request = requested(report.subject);
  if (!request) return undefined;
  const reply = v.safeParse(answer, parsed(report.response));
  const { error, config, purged, ...names }: Answer = reply.success ? reply.output : { error: undefined };
  const name = nameOf(request, names);
  const change = { ...request, name, at: report.timestamp, who: whoOf(report) };
  if (error) return { ...change, refused: `${error.description} (${error.err_code})` };
  if (config && request.kind === "consumer" && !config.durable_name) return undefined;
  if (request.action === "delete") forget(name, known);
  if (!config || (request.action !== "create" && request.action !== "update")) {
    return purged === undefined ? change : { ...change, purged };
  }
  const before = known.get(name);
  const after = stated(config);
  known.set(name, after);
  if (!before) return change;
  const fields = compare(before, after);
  return fields.length > 0 ? { ...change, action: "update", fields } : undefined;
}

/** Whether more of the past might tell what this change changed, or that what it "creates" was there before. */
export const isUnexplained = ({ action, fields, refused }: Change): boolean =>
  (action === "create" || action === "update") && fields === undefined && refused === undefined;

/** An older client names its consumer in the body alone. */
const nameOf = (
  { kind, name }: Requested,
  { name: named, stream_name }: Pick<Answer, "name" | "stream_name">,
): string => (kind === "consumer" && stream_name && named ? `${stream_name}/${named}` : name);

/** A stream goes with its consumers, which no report of their own says. */
function forget(name: string, known: Known): void {
  for (const other of known.keys()) if (other === name || other.startsWith(`${name}/`)) known.delete(other);
}

/** Without what the server notes about itself. */
function stated({ metadata, ...config }: Config): Config {
  const own = Object.entries((metadata ?? {}) as Config).filter(([key]) => !key.startsWith("_nats."));
  return { ...config, metadata: Object.fromEntries(own) };
}
