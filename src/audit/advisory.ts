/** The servers' own reports, as far as we read them: who asked JetStream for what, and who was not let in. */
import * as v from "valibot";

/** The servers leave out what is empty; requests of the system account come without any client. */
const client = v.object({
  acc: v.optional(v.string(), ""),
  /** Name of a user, or the public key of an NKey user. */
  user: v.optional(v.string(), ""),
  nkey: v.optional(v.string(), ""),
  host: v.optional(v.string(), ""),
  /** What the client calls itself. */
  name: v.optional(v.string(), ""),
  lang: v.optional(v.string(), ""),
  ver: v.optional(v.string(), ""),
});

const apiAudit = v.object({
  type: v.literal("io.nats.jetstream.advisory.v1.api_audit"),
  timestamp: v.string(),
  server: v.string(),
  client,
  subject: v.string(),
  request: v.optional(v.string(), ""),
  response: v.optional(v.string(), ""),
});

const refusal = v.object({
  type: v.literal("io.nats.server.advisory.v1.client_disconnect"),
  timestamp: v.string(),
  server: v.object({ name: v.string() }),
  client,
  reason: v.string(),
});

export type ApiAudit = v.InferOutput<typeof apiAudit>;
export type Refusal = v.InferOutput<typeof refusal>;

/** Who is behind a connection, as the server knows it. */
export interface Who {
  /** User name or public NKey; empty for none, and for the system account. */
  readonly user: string;
  readonly account: string;
  readonly host: string;
  /** What the client calls itself: a hint, no proof. */
  readonly client: string;
  /** Whose user this is, where that is known (identities.ts). */
  readonly identity?: string;
}

export const whoOf = ({ client: { user, nkey, acc, host, name } }: ApiAudit | Refusal): Who => ({
  user: user || nkey,
  account: acc,
  host,
  client: name,
});

/** Undefined for text that is no such report: streams may hold others. */
export const readApiAudit = (text: string): ApiAudit | undefined => read(apiAudit, text);
export const readRefusal = (text: string): Refusal | undefined => read(refusal, text);

function read<T extends v.GenericSchema>(schema: T, text: string): v.InferOutput<T> | undefined {
  const result = v.safeParse(schema, parsed(text));
  return result.success ? result.output : undefined;
}

/** The JSON in a request or response; a request between servers has the client's headers before it. */
export function parsed(text: string): unknown {
  const body = text.startsWith("NATS/1.0\r\n") ? text.slice(text.indexOf("\r\n\r\n") + 4) : text;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
