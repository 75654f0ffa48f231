/** Who can do what, for a person to read in 100 columns. */
import type { AccessChange, AccessDocument, AccessEntry, Action, Way } from "../../nats/access.ts";
import { columns } from "./columns.ts";
import type { Look } from "./terminal.ts";

/** Identities with what they do; with `verbose` every subject under its reason. */
export const renderAccess = ({ identities }: AccessDocument, look: Look, verbose: boolean): string =>
  identities.map((entry) => (verbose ? inFull(entry, look) : inShort(entry, look))).join("\n\n");

const heading = ({ name, kind, role, account, credential, inboxPrefix }: AccessEntry, { colours }: Look): string =>
  `${colours.bold(name)}  ${role ?? kind} in ${account}, by ${credential}, answers to ${inboxPrefix}`;

function inShort(entry: AccessEntry, look: Look): string {
  const rows = [...byReason(entry)].flatMap(([why, uses]) => {
    const subjects = uses.map(({ subject }) => subject);
    const requests = subjects.filter(isRequest);
    const shown = requests.length > 1 ? [`${requests.length} requests`] : requests;
    return [...subjects.filter((subject) => !isRequest(subject)), ...shown].map((subject, i) => [
      // Where it is declared is said by --verbose and --json.
      i === 0 ? why.replace(/ \(\S+\)$/, "") : "",
      subject,
    ]);
  });
  return [heading(entry, look), ...columns(rows, "  ")].join("\n");
}

/** What clients send to the server by themselves, rather than what somebody publishes. */
const isRequest = (subject: string): boolean => /^\$(JS\.(API|ACK|FC)|SYS\.REQ)\./.test(subject);

function inFull(entry: AccessEntry, look: Look): string {
  const lines = [...byReason(entry)].flatMap(([why, subjects]) => [
    `  ${why}`,
    ...subjects.map(({ action, subject }) => `    ${action === "publish" ? "pub" : "sub"} ${subject}`),
  ]);
  return [heading(entry, look), ...lines].join("\n");
}

interface Subject {
  readonly action: Action;
  readonly subject: string;
}

function byReason({ publish, subscribe }: AccessEntry): Map<string, Subject[]> {
  const reasons = new Map<string, Subject[]>();
  const add = (action: Action, grants: AccessEntry[Action]) => {
    for (const { subject, why } of [...grants].sort(
      (a, b) => Number(isRequest(a.subject)) - Number(isRequest(b.subject)),
    )) {
      for (const reason of why) reasons.set(reason, [...(reasons.get(reason) ?? []), { action, subject }]);
    }
  };
  add("publish", publish);
  add("subscribe", subscribe);
  return reasons;
}

/** Nobody is an answer as well. */
export function renderWays(ways: readonly Way[], action: Action, subject: string): string {
  const verb = action === "publish" ? `may publish to ${subject}` : `may get messages on ${subject}`;
  if (ways.length === 0) return `Nobody ${verb}.`;
  const rows = ways.map(({ name, subject: granted, why, extent }) => [name, extent === "all" ? "" : granted, why]);
  return columns(rows, "").join("\n");
}

const SIGNS = { granted: "+", taken: "-", joined: "+", left: "-", altered: "~" } as const;

export function renderAccessDiff(changes: readonly AccessChange[], before: string, after: string): string {
  const between = before === after ? after : `${before} -> ${after}`;
  if (changes.length === 0) return `${between}: everybody may what they could before.`;
  const rows = changes.map(({ identity, change, what, why }) => [
    `${SIGNS[change]} ${identity}`,
    what,
    change === "granted" || change === "taken" ? why : change,
  ]);
  const count = (...kinds: readonly AccessChange["change"][]) =>
    changes.filter(({ change }) => kinds.includes(change)).length;
  const sum = `${count("granted")} granted, ${count("taken")} taken away, ${count("joined", "left")} identities come or go, ${count("altered")} altered.`;
  return [`${between}:`, ...columns(rows, ""), "", sum].join("\n");
}
