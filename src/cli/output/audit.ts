/** What was changed and who was refused, as text and JSON. */
import type { Who } from "../../audit/advisory.ts";
import type { Audit } from "../../audit/audit.ts";
import type { Change } from "../../audit/changes.ts";
import type { FailedLogins } from "../../audit/refusals.ts";
import { columns } from "./columns.ts";
import { renderField } from "./plan.ts";
import { count } from "./problems.ts";
import type { Look } from "./terminal.ts";
import { visible } from "./visible.ts";

/** Changes in the order in which they happened, then who failed to log in, then one line that counts. Times are UTC. */
export function renderAudit(audit: Audit, { colours }: Look): string {
  const { environment, server, since, changes, failedLogins } = audit;
  const where = server.cluster ? `cluster ${server.cluster}` : `standalone ${server.name}`;
  return [
    colours.bold(visible(`${environment}: ${where} at ${server.url}, since ${moment(new Date(since).toISOString())}`)),
    ...recordLines(audit),
    "",
    ...(changes ? section(["when (UTC)", "who", "from", "what"], changes.map(changeRow)) : []),
    ...section(["failed to log in", "from", "attempts", "first", "last", "why"], failedLogins.map(refusalRow)),
    summaryOf(failedLogins, changes),
  ].join("\n");
}

/** Of what the question reaches back to and the record does not: the absence of a line would say that nothing happened. */
const recordLines = ({ record: { changes, failedLogins } }: Audit): string[] => [
  ...(changes ? [`the record of changes begins ${moment(changes)}: nothing older is kept`] : []),
  ...(failedLogins ? [`the record of failed logins begins ${moment(failedLogins)}: nothing older is kept`] : []),
];

/** No rows, no head. */
const section = (head: readonly string[], rows: readonly string[][]): string[] =>
  rows.length > 0 ? [...columns([head, ...rows], ""), ""] : [];

const changeRow = (change: Change): string[] => [
  moment(change.at),
  nameOf(change.who, "the system account"),
  change.who.host,
  whatOf(change),
];

const refusalRow = ({ who, attempts, first, last, reason }: FailedLogins): string[] => [
  nameOf(who, "nobody (no user given)"),
  who.host,
  String(attempts),
  moment(first),
  moment(last),
  reason,
];

const moment = (time: string): string => time.slice(0, 19).replace("T", " ");

/** Identity or user, and what its client calls itself. Of a public key the beginning: it is what people compare. */
function nameOf({ user, client, identity }: Who, nobody: string): string {
  const name = identity ?? (/^U[A-Z2-7]{55}$/.test(user) ? `${user.slice(0, 8)}...` : user || nobody);
  return client ? `${name} (${client})` : name;
}

const DONE: Readonly<Record<Change["action"], string>> = {
  create: "created",
  update: "updated",
  delete: "deleted",
  purge: "purged",
  restore: "restored",
  snapshot: "copied whole (snapshot)",
  "delete message": "lost one message",
  "move leader": "moved its leader",
  "remove peer": "lost a replica",
  pause: "paused or resumed",
  unpin: "unpinned",
  reset: "reset",
  "remove server": "lost a server",
};

function whatOf({ action, kind, name, refused, fields, purged }: Change): string {
  const asset = kind === "cluster" ? "the cluster" : `${kind} ${name}`;
  if (refused !== undefined) return `${asset}: ${action} refused: ${refused}`;
  if (fields) return `${asset} updated: ${fields.map(renderField).join(", ")}`;
  if (action === "update") return `${asset} updated (the audit does not reach back to what it was)`;
  return `${asset} ${DONE[action]}${purged === undefined ? "" : `: ${count(purged, "message")}`}`;
}

/** `4 changes, 1 refused. 3 failed logins.` */
function summaryOf(failedLogins: readonly FailedLogins[], changes: Audit["changes"]): string {
  const attempts = failedLogins.reduce((sum, { attempts }) => sum + attempts, 0);
  const logins = `${count(attempts, "failed login")}.`;
  if (!changes) return logins;
  const refused = changes.filter(({ refused }) => refused !== undefined).length;
  return `${count(changes.length - refused, "change")}, ${refused} refused. ${logins}`;
}

/** Times as RFC 3339. */
export const auditJson = ({ environment, server, since, ...found }: Audit) => ({
  formatVersion: 1,
  environment,
  server,
  since: new Date(since).toISOString(),
  ...found,
});
