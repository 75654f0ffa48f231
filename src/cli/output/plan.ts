/** Plans as text and JSON. */
import { adopts } from "../../jetstream/adoption.ts";
import type { Outcome } from "../../jetstream/apply.ts";
import type { FieldChange } from "../../jetstream/diff.ts";
import type { Plan } from "../../jetstream/plan.ts";
import { formatBytes, formatDuration } from "../../units.ts";
import { paragraph } from "./paragraph.ts";
import type { Look } from "./terminal.ts";
import { visible } from "./visible.ts";

type Planned = Plan["changes"][number];

/** Where it points, one line per asset that is not as it should be, and one line that counts. */
export function renderPlan(plan: Plan, look: Look): string {
  const { server } = plan;
  const where = server.cluster ? `cluster ${server.cluster}` : `standalone ${server.name}`;
  const others = (server.others ?? []).map(({ name, version }) => `${name} is ${version}`);
  const mixed = others.length > 0 ? ` (${others.join(", ")})` : "";
  const header = [
    `${plan.environment}: ${where} at ${server.url}`,
    ...(server.account ? [`account ${server.account}`] : []),
    `nats-server ${server.version}${mixed}`,
    ...(server.apiLevel === undefined ? [] : [`API level ${server.apiLevel}`]),
    // Without leave to ask them all, those without a stream are not seen.
    ...(server.cluster ? [`${server.peers} of ${server.declared} servers seen`] : []),
  ].join(", ");
  const lines = plan.changes
    .filter(({ change }) => change.action !== "none")
    .map((planned) => renderChange(planned, look));
  const notes = plan.notes.map((note) => visible(`note: ${note}`));
  const above = [...lines, ...notes];
  return [
    look.colours.bold(visible(header)),
    "",
    ...above,
    ...(above.length > 0 ? [""] : []),
    renderSummary(plan),
  ].join("\n");
}

/** Symbols carry the meaning without colours. */
function renderChange({ change, effects, verdicts }: Planned, { colours, width }: Look): string {
  const blocked = verdicts.some(({ severity, leave }) => severity === "error" && !leave);
  const [symbol, paint] = blocked
    ? (["!", colours.red] as const)
    : change.action === "create"
      ? (["+", colours.green] as const)
      : change.action === "update"
        ? (["~", colours.yellow] as const)
        : change.action === "recreate"
          ? (["-/+", colours.yellow] as const)
          : change.action === "delete"
            ? (["-", colours.red] as const)
            : (["?", colours.dim] as const);
  const what =
    change.action === "unknown"
      ? `unknown: ${change.why}`
      : change.action === "unmanaged"
        ? "not in streams/, left alone"
        : adopts(change)
          ? "adopt: nothing changes but that it is marked as ours"
          : "";
  const fields = "fields" in change && !adopts(change) ? change.fields.map(renderField) : [];
  const inline = fields.length <= 2 ? fields.join(", ") : "";
  const notes = effects.filter(({ kind }) => kind === "says").map(({ says }) => paragraph("    ", says, width));
  const problems = verdicts.map(({ code, says, hint, leave }) =>
    paragraph(`    ${code} `, `${says}. ${leave ? `Needs ${leave}.` : hint}`, width),
  );
  const title = [`${symbol} ${change.kind} ${change.name}`, what, inline].filter((part) => part !== "").join("  ");
  const below = inline === "" ? fields.map((field) => `    ${field}`) : [];
  return [paint(visible(title)), ...below.map(visible), ...problems, ...notes].join("\n");
}

/** `max_age 7d -> 3d` */
export const renderField = ({ field, from, to }: FieldChange): string =>
  `${field} ${human(field, from)} -> ${human(field, to)}`;

function renderSummary({ summary, changes }: Plan): string {
  const { create, update, recreate, blocked, unknown, unmanaged, unchanged } = summary;
  const deleted = summary.delete;
  const rest = [
    unchanged > 0 ? `${unchanged} unchanged` : "",
    unmanaged > 0 ? `${unmanaged} unmanaged` : "",
    unknown > 0 ? `${unknown} unknown` : "",
  ].filter((part) => part !== "");
  if (create + update + recreate + deleted + blocked === 0) return `No changes. ${rest.join(", ")}.`;
  const adopted = changes.filter(({ change }) => adopts(change)).length;
  const leave = changes.filter(({ verdicts }) => verdicts.some((verdict) => verdict.leave)).length;
  const parts = [
    `Plan: ${create} to create, ${update} to update,${recreate > 0 ? ` ${recreate} to recreate,` : ""} ${deleted} to delete, ${blocked} blocked.`,
    adopted > 0 ? `${adopted} of these only adopt${adopted === 1 ? "s" : ""} what is there.` : "",
    leave > 0 ? `${leave} need${leave === 1 ? "s" : ""} leave.` : "",
    rest.length > 0 ? `${rest.join(", ")}.` : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

const BYTES = ["max_bytes", "max_msg_size"];
const DURATIONS = [
  "max_age",
  "duplicate_window",
  "subject_delete_marker_ttl",
  "ack_wait",
  "inactive_threshold",
  "max_expires",
  "backoff",
  "idle_heartbeat",
  "priority_timeout",
];

/** A value in the units that people think in, also where it lies in a list or an object. */
function human(field: string, value: unknown): string {
  const said = inUnits(field, value);
  if (Array.isArray(said) && DURATIONS.includes(field)) return said.join(", ");
  return typeof said === "string" ? said : JSON.stringify(said);
}

function inUnits(field: string, value: unknown): unknown {
  if (value === undefined || value === "") return "unset";
  if (value === -1 || (field === "max_age" && value === 0)) return "unlimited";
  if (typeof value === "number" && BYTES.includes(field)) return formatBytes(value);
  if (typeof value === "number" && DURATIONS.includes(field)) return formatDuration(value);
  if (Array.isArray(value)) return value.map((item) => inUnits(field, item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inUnits(name, inner)]));
}

export const planJson = ({ environment, server, changes, summary, notes }: Plan) => ({
  formatVersion: 1,
  environment,
  server,
  summary,
  notes,
  changes: changes
    .filter(({ change }) => change.action !== "none")
    .map(({ change, effects, verdicts }) => ({
      kind: change.kind,
      name: change.name,
      action: change.action,
      ...("fields" in change ? { fields: change.fields } : {}),
      ...(adopts(change) ? { adopts: true } : {}),
      effects,
      verdicts,
    })),
});

/** The plan, and what became of every change of it; without `outcome` nothing was applied. */
export const applyJson = (plan: Plan, outcome: Outcome | undefined) => ({
  ...planJson(plan),
  ...(outcome
    ? { outcome: { ...outcome, failed: outcome.failed.map(({ name, error }) => ({ name, error: error.message })) } }
    : {}),
});

/** What became of every change. */
export function renderOutcome({ done, failed, notStarted, lockLost }: Outcome): string {
  const problems = failed.map(({ name, error }) => visible(`! ${name}: ${error.message}`));
  const lock = lockLost ? [`the lock was lost: ${lockLost}`] : [];
  const rest = notStarted.length > 0 ? [`not started: ${notStarted.join(", ")}`] : [];
  const counts = `${done.length} done, ${failed.length} failed, ${notStarted.length} not started.`;
  const next = failed.length + notStarted.length > 0 ? " Apply again: what is done stays done." : "";
  return [...problems, ...lock, ...rest, `Apply complete: ${counts}${next}`].join("\n");
}
