/** How credentials stand, for people and as JSON. Public keys and user names at most: nothing that opens anything. */
import type { Status } from "../../identity/survey.ts";
import { columns } from "./columns.ts";

const NOTES: Readonly<Record<Status["standing"], string>> = {
  missing: "run create",
  unregistered: "a create was cut off: run it again",
  steady: "",
  rotating: "both credentials are valid: restart the clients, then finish",
  unshared: "a rotate was cut off: run it again",
  lost: "the client's half is gone: run rotate",
  revoked: "nobody logs in as it: revoke gives it a new credential",
  torn: "the client has what no server knows: run revoke",
  broken: "",
};

const ENCRYPTION_NOTE = "volumes keep the previous key until they are replaced, then finish";

/**
 * Whether somebody must do something before this works again, or works at all; or a rotation that began before `limit` was
 * never finished: the previous credential, which there was a reason to replace, still opens the door, and no metric says so.
 */
export const needsAttention = (status: Status, limit: Date): boolean =>
  NEED_SOMEBODY.includes(status.standing) || isUnfinished(status, limit);

/** Whatever but steady, rotating and revoked: somebody wanted those. */
const NEED_SOMEBODY: readonly Status["standing"][] = ["missing", "unregistered", "unshared", "lost", "torn", "broken"];

const isUnfinished = ({ standing, since }: Status, limit: Date): boolean =>
  standing === "rotating" && since !== undefined && since < limit;

function noteOf(status: Status, limit: Date): string {
  const { standing, problem, holder } = status;
  const note = standing === "rotating" && holder.credential === "encryption" ? ENCRYPTION_NOTE : NOTES[standing];
  return problem ?? (isUnfinished(status, limit) ? `left unfinished: ${note}` : note);
}

/** @param limit rotations that began before it are called unfinished */
export function renderStatuses(environment: string, store: string, statuses: readonly Status[], limit: Date): string {
  const rows = statuses.map((status) => [
    status.holder.name,
    status.holder.credential,
    status.standing,
    status.since ? status.since.toISOString().slice(0, 16).replace("T", " ") : "",
    noteOf(status, limit),
  ]);
  return [
    `${environment}: ${store}`,
    "",
    ...columns([["name", "credential", "stands", "since (UTC)", ""], ...rows], ""),
  ].join("\n");
}

export const statusesJson = (environment: string, statuses: readonly Status[]) => ({
  formatVersion: 1,
  environment,
  identities: statuses.map(({ holder, standing, problem, since, current, previous }) => ({
    ...holder,
    standing,
    ...(problem ? { problem } : {}),
    ...(since ? { since: since.toISOString() } : {}),
    ...(current ? { current } : {}),
    ...(previous ? { previous } : {}),
  })),
});
