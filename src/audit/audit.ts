/** Who changed what and when, and who failed to log in: read out of the streams that capture what the servers report. */
import type { MessageReader, ServerIdentity } from "../jetstream/api.ts";
import { API_AUDIT, keeperOf, REFUSALS } from "../model/audit.ts";
import type { Model } from "../model/resolve.ts";
import { type Refusal, readApiAudit, readRefusal } from "./advisory.ts";
import { type Change, changeOf, isUnexplained, type Known } from "./changes.ts";
import { type FailedLogins, failedLogins } from "./refusals.ts";

export interface Audit {
  readonly environment: string;
  readonly server: ServerIdentity;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly record: RecordBegins;
  /** Missing where only logins were asked for. */
  readonly changes?: readonly Change[];
  readonly failedLogins: readonly FailedLogins[];
}

/** When the oldest report that is kept was made, RFC 3339; missing where that is before the time asked for, or nothing is kept. */
export interface RecordBegins {
  readonly changes?: string;
  readonly failedLogins?: string;
}

/** Nothing of this environment keeps what is asked for. The message says the way out. */
export class NotCaptured extends Error {
  override readonly name = "NotCaptured";
}

/** @throws NotCaptured if no stream of `model` keeps messages on `subject` */
function streamOf(subject: string, model: Model): string {
  const keeper = keeperOf(subject, model);
  if (keeper) return keeper.name;
  throw new NotCaptured(
    `no stream of ${model.environment.name} captures ${subject}: define one, as streams/audit.ts does, and apply it.`,
  );
}

/**
 * @param since milliseconds since 1970
 * @throws NotCaptured where the definitions have no audit stream, ConnectionFailure where the cluster has none
 */
export async function audit(
  model: Model,
  reader: MessageReader & { readonly server: ServerIdentity },
  since: number,
  wanted: { readonly changes: boolean },
): Promise<Audit> {
  return {
    environment: model.environment.name,
    server: reader.server,
    since,
    record: {
      ...(wanted.changes ? await recordFrom("changes", API_AUDIT, model, reader, since) : {}),
      ...(await recordFrom("failedLogins", REFUSALS, model, reader, since)),
    },
    ...(wanted.changes ? { changes: await changesSince(model, reader, since) } : {}),
    failedLogins: await failedSince(model, reader, since),
  };
}

/** Streams are bounded: what was before their oldest report may have been there, and nobody can tell. */
async function recordFrom(
  of: keyof RecordBegins,
  subject: string,
  model: Model,
  reader: MessageReader,
  since: number,
): Promise<RecordBegins> {
  const { value: oldest } = await reader.messages({ stream: streamOf(subject, model), subject }).next();
  return oldest && Date.parse(oldest.time) > since ? { [of]: oldest.time } : {};
}

async function changesSince(model: Model, reader: MessageReader, since: number): Promise<Change[]> {
  const range = { stream: streamOf(API_AUDIT, model), subject: API_AUDIT };
  const changes = await changesAfter(new Map(), reader, { ...range, since });
  if (!changes.some(isUnexplained)) return changes;
  // Reports say what is now and not what was: that stands before `since`, as far as the stream reaches back.
  const known: Known = new Map();
  for await (const { time, text } of reader.messages(range)) {
    if (Date.parse(time) >= since) break;
    const report = readApiAudit(text);
    if (report) changeOf(report, known);
  }
  return changesAfter(known, reader, { ...range, since });
}

async function changesAfter(
  known: Known,
  reader: MessageReader,
  range: Parameters<MessageReader["messages"]>[0],
): Promise<Change[]> {
  const changes: Change[] = [];
  for await (const { text } of reader.messages(range)) {
    const report = readApiAudit(text);
    const change = report && changeOf(report, known);
    if (change) changes.push(change);
  }
  return changes.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

async function failedSince(model: Model, reader: MessageReader, since: number): Promise<FailedLogins[]> {
  const refusals: Refusal[] = [];
  for await (const { text } of reader.messages({ stream: streamOf(REFUSALS, model), subject: REFUSALS, since })) {
    const refusal = readRefusal(text);
    if (refusal) refusals.push(refusal);
  }
  return failedLogins(refusals);
}
