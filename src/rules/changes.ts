/** P: what a change on a live cluster needs before it may be applied. */
import type { Client } from "../jetstream/clients.ts";
import type { LiveAsset } from "../jetstream/diff.ts";
import type { PlannedChange, Policy } from "../jetstream/plan.ts";
import { formatAmount } from "../units.ts";
import { type Finding, type Rule, toProblem } from "./rule.ts";

/** A rule about a planned change. `option` is what gives leave, with the asset's name behind it. */
interface ChangeRule extends Rule<PlannedChange> {
  readonly option?: "--allow-loss" | "--allow-irreversible" | "--allow-delete";
}

const finding = ({ change }: PlannedChange, says: string, hint?: string): Finding => ({
  place: change.name,
  says,
  ...(hint ? { hint } : {}),
});

const refused: ChangeRule = {
  code: "P001",
  severity: "error",
  title: "A change that the server refuses",
  reason: "Half of a plan applied and the other half refused leaves streams that nobody described.",
  hint: "Take the change back, or take the way out that is named.",
  *check(planned) {
    for (const { field, says, errCode, hint } of planned.refusals) {
      yield finding(planned, `${field}: ${says}${errCode ? ` (${errCode})` : ""}`, hint);
    }
  },
};

const loss: ChangeRule = {
  code: "P002",
  severity: "error",
  title: "A change that deletes messages",
  reason: "Lower limits are enforced inside the update, before the server answers; nothing brings the messages back.",
  hint: "Give leave by name with --allow-loss, or keep the limit.",
  option: "--allow-loss",
  *check(planned) {
    for (const { kind, says, messages = 0, bytes = 0, ...estimate } of planned.effects) {
      if (kind === "loses") yield finding(planned, `${formatAmount({ messages, bytes, ...estimate })}: ${says}`);
    }
  },
};

const oneWay: ChangeRule = {
  code: "P003",
  severity: "error",
  title: "A change that cannot be taken back",
  reason: "The server has no way back for these settings: only a new stream has.",
  hint: "Give leave by name with --allow-irreversible.",
  option: "--allow-irreversible",
  *check(planned) {
    for (const { kind, says } of planned.effects) if (kind === "irreversible") yield finding(planned, says);
  },
};

const unknown: ChangeRule = {
  code: "P004",
  severity: "warning",
  title: "An asset that cannot be asked",
  reason:
    "A stream whose servers are away is listed with zeros or not at all. Creating, changing or deleting it then destroys what comes back " +
    "with them.",
  hint: "Wait until its servers are back. One that is full needs more room first: runbook NatsStorageFilling.",
  *check(planned) {
    if (planned.change.action === "unknown") yield finding(planned, planned.change.why);
  },
};

const broken: ChangeRule = {
  code: "P005",
  severity: "warning",
  title: "A change that clients notice",
  reason:
    "A publish that no stream captures any more is refused, and a core publish is lost without a word; a reader that gets nothing " +
    "more is not told why.",
  hint: "Find out who depends on it, and make them ready for it first.",
  *check(planned) {
    for (const { kind, says, clients = [] } of planned.effects) {
      if (kind === "breaks") yield finding(planned, says, makeReady(clients));
    }
  },
};

/** The way out is another for those who publish and for those who read; undefined where nobody is named. */
function makeReady(clients: readonly Client[]): string | undefined {
  const does = (what: Client["does"]) => clients.some((client) => client.does === what);
  if (does("publishes")) return does("reads") ? "Move publishers and readers first." : "Move publishers first.";
  return does("reads") ? "Make its readers ready for it first." : undefined;
}

const deletion: ChangeRule = {
  code: "P006",
  severity: "error",
  title: "An asset that goes with all it holds",
  reason:
    "A stream takes its messages and consumers with it, a consumer its place in the stream; the server asks nobody.",
  hint: "Give leave by name with --allow-delete.",
  option: "--allow-delete",
  *check(planned) {
    for (const { kind, says } of planned.effects) if (kind === "deletes") yield finding(planned, `deletes ${says}`);
  },
};

const superfluous: ChangeRule = {
  code: "P007",
  severity: "warning",
  title: "An asset of ours that is no longer declared",
  reason: "It keeps its disk and its place, and nobody looks after it; but what is not declared may still be read.",
  hint: "Declare it again, or delete it by name with --allow-delete.",
  *check(planned) {
    const { change } = planned;
    if (change.action === "unmanaged" && change.owned && change.live) {
      yield finding(planned, `holds ${holds(change.live)}`, `--allow-delete ${change.name} deletes it.`);
    }
  },
};

/** What a deletion would take: the numbers that the decision is about. */
const holds = (live: LiveAsset): string =>
  live.kind === "stream" ? formatAmount(live.info.state) : `a place with ${live.info.num_pending} messages before it`;

export const changeRules: readonly ChangeRule[] = [refused, loss, oneWay, unknown, broken, deletion, superfluous];

/** The policy that plan and apply go by. */
export const policy: Policy = (planned) =>
  changeRules.flatMap((rule) =>
    [...rule.check(planned)].map((found) => {
      const { code, severity, says, hint } = toProblem(rule, found);
      return { code, severity, says, hint, ...(rule.option ? { leave: `${rule.option} ${planned.change.name}` } : {}) };
    }),
  );
