/** `circl audit`: who changed what and when, and who failed to log in. Connects with a client that cannot write. */
import { readFileSync } from "node:fs";
import { audit } from "../../audit/audit.ts";
import { readIdentities, withIdentities } from "../../audit/identities.ts";
import { openReader } from "../../connect/nats.ts";
import { assertCluster } from "../../jetstream/plan.ts";
import { isDuration, nanoseconds } from "../../units.ts";
import { type ConnectionOptions, reach } from "../connection.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import { auditJson, renderAudit } from "../output/audit.ts";
import { lookOf, print, printJson } from "../output/terminal.ts";
import { soundModel } from "./plan.ts";

export interface AuditOptions extends ConnectionOptions {
  readonly since: string;
  readonly failedLogins?: boolean;
  readonly identities?: string;
  readonly json?: boolean;
}

export async function run(name: string, options: AuditOptions): Promise<ExitCode> {
  const identities = options.identities === undefined ? undefined : identitiesIn(options.identities);
  const since = momentOf(options.since, Date.now());
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  await using reached = await reach(options, model.environment);
  await using reader = await openReader(reached.target);
  assertCluster(model, reader.server);
  const raw = await audit(model, reader, since, { changes: options.failedLogins !== true });
  const found = identities ? withIdentities(raw, identities) : raw;
  if (options.json) printJson(auditJson(found));
  else print(renderAudit(found, lookOf(process.stdout)));
  return exitCodes.done;
}

/** Milliseconds since 1970. @throws UsageError for text that is neither a duration nor a date */
export function momentOf(text: string, now: number): number {
  if (isDuration(text)) return now - nanoseconds(text) / 1e6;
  const moment = Date.parse(text);
  if (Number.isNaN(moment)) {
    throw new UsageError(`--since is "${text}", expected a duration such as 24h, or a date such as 2026-11-22T04:00Z`);
  }
  return moment;
}

function identitiesIn(file: string): ReadonlyMap<string, string> {
  try {
    return readIdentities(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new UsageError(`--identities: ${file} is no document of \`circl identity list --json\``, { cause });
  }
}
