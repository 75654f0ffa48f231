/** `circl identity`: makes, rotates and revokes credentials in the secret store. Prints nothing that is secret. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  asWritten,
  carryOut,
  documentIds,
  endingLogins,
  type Holder,
  heldByClients,
  holders,
  type Prepared,
  prepare,
} from "../../identity/keeper.ts";
import type { Action } from "../../identity/rotation.ts";
import type { SecretStore } from "../../identity/store.ts";
import { survey } from "../../identity/survey.ts";
import type { Model } from "../../model/resolve.ts";
import { nearest } from "../../rules/shape.ts";
import { formatDuration, isDuration, nanoseconds } from "../../units.ts";
import { confirmed } from "../confirm.ts";
import type { ConnectionOptions } from "../connection.ts";
import { stillUsed } from "../connections.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import { askOnce, mustTake, serversToAsk, untilAccepted, untilEnded } from "../identity-proof.ts";
import { type Destination, deliver, storeOf, takesEffectWithin, tryDelivery } from "../identity-store.ts";
import { columns } from "../output/columns.ts";
import { needsAttention, renderStatuses, statusesJson } from "../output/identity.ts";
import { afterEnding, afterRotation, beforeHandingOut } from "../output/identity-effect.ts";
import { log, print, printJson } from "../output/terminal.ts";
import { volumesReplaced } from "../volume-keys.ts";
import { soundModel } from "./plan.ts";

export interface IdentityOptions extends Destination, Partial<ConnectionOptions> {
  readonly all?: boolean;
  /** Of a revoke. */
  readonly withoutNew?: boolean;
  /** Of a rotate. */
  readonly toNkey?: boolean;
  readonly wait?: string;
  readonly autoApprove?: boolean;
  readonly unfinishedAfter?: string;
  readonly public?: boolean;
  readonly json?: boolean;
}

/** The rest are options of these. */
export type Asked = Exclude<Action, "withdraw" | "move">;

function actionOf(asked: Asked, { withoutNew, toNkey }: IdentityOptions): Action {
  if (asked === "revoke" && withoutNew) return "withdraw";
  return asked === "rotate" && toNkey ? "move" : asked;
}

export async function run(
  asked: Asked,
  name: string,
  names: readonly string[],
  options: IdentityOptions,
): Promise<ExitCode> {
  const action = actionOf(asked, options);
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  const store = storeOf(model, asked, options);
  const who = chosen(action, model, names, options);
  const wait = waitOf(model, options);
  const prepared = await prepare(action, model, who, store);
  const { environment } = model;
  const trusted = options.wait !== undefined && wait === 0;
  const servers = asked === "create" || trusted ? undefined : await serversToAsk(options, environment, store);
  const held = servers ? await heldByClients(prepared, environment, store) : [];
  // What takes longer than it should is worth some patience, where it can be told from what is over.
  const patience = options.wait === undefined ? 2 * wait : wait;
  if (action === "finish") {
    if (await tooEarly(prepared, model, store, wait)) return exitCodes.blocked;
    if (servers && held.length > 0) await mustTake(servers, held, environment);
    if (servers && options.kubectl !== undefined) {
      const ending = await endingLogins(prepared, environment, store);
      if (await stillUsed(ending, options.kubectl, environment)) return exitCodes.blocked;
    }
    if (!(await volumesReplaced(prepared, environment, options))) return exitCodes.blocked;
  }
  if (asked === "revoke" && !options.autoApprove) {
    const until = action === "revoke" ? "until they have the new credential" : "until somebody gives them a new one";
    log(`This locks out whoever uses ${who.map((holder) => holder.name).join(", ")} in ${name} ${until}.`);
    if (!(await confirmed("Revoke?", "Nothing was revoked"))) return exitCodes.blocked;
  }
  await tryDelivery(model, asWritten(prepared, environment, store), options);
  const changed = prepared.filter(({ steps }) => steps.length > 0).map(({ holder }) => holder);
  if (asked === "rotate" && servers && changed.length > 0) await askOnce(servers, prepared);
  log(`${name}: ${store.title}`);
  await carryOut(prepared, environment, store, async () => {
    await deliver(model, store, options);
    if (wait === 0 && !servers) return;
    const asked = servers && { servers: servers.map((server) => server.name), patience };
    log(beforeHandingOut(model, changed, new Date(Date.now() + wait / 1e6), asked));
    if (servers) await untilAccepted(servers, prepared, patience, environment);
    else await sleep(wait / 1e6);
  });
  await deliver(model, store, options);
  print(
    columns(
      prepared.map(({ holder, steps, says }) => [steps.length > 0 ? "+" : "=", holder.name, says]),
      "",
    ).join("\n"),
  );
  const within = takesEffectWithin(model, options);
  if (asked === "rotate") await sayWhatIsLeft(prepared, model, store, within);
  if (asked !== "rotate" && asked !== "create") {
    const said = afterEnding(model, changed, within > 0 ? new Date(Date.now() + within / 1e6) : undefined);
    if (said) log(said);
  }
  if (asked === "revoke" && servers) await untilEnded(servers, held, prepared, patience, environment);
  return exitCodes.done;
}

/** The last client to get its new half decides; what is rotated already counts from when it was written. */
async function sayWhatIsLeft(
  prepared: readonly Prepared[],
  model: Model,
  store: SecretStore,
  within: number,
): Promise<void> {
  const written: number[] = [];
  for (const { holder } of prepared) {
    const { client } = documentIds(model.environment, holder);
    const at = client ? await store.writtenAt(client) : undefined;
    if (at) written.push(at.getTime());
  }
  if (written.length === 0) return;
  const reached = Math.max(...written) + within / 1e6;
  const who = prepared.map(({ holder }) => holder);
  log(afterRotation(model, who, reached > Date.now() ? new Date(reached) : undefined));
}

export async function list(name: string, names: readonly string[], options: IdentityOptions): Promise<ExitCode> {
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  const { unfinishedAfter = "14d" } = options;
  if (!isDuration(unfinishedAfter))
    throw new UsageError(`--unfinished-after is "${unfinishedAfter}", expected a duration such as "14d"`);
  const store = storeOf(model, "list", options);
  const who = names.length > 0 ? byName(model, names) : holders(model);
  const statuses = await survey(model, who, store, options.public ? "public" : "everything");
  const limit = new Date(Date.now() - nanoseconds(unfinishedAfter) / 1e6);
  if (options.json) printJson(statusesJson(name, statuses));
  else print(renderStatuses(name, store.title, statuses, limit));
  return statuses.some((status) => needsAttention(status, limit)) ? exitCodes.blocked : exitCodes.done;
}

/** Without a name a create makes what is missing; everything else wants names, or --all for all identities. */
function chosen(action: Action, model: Model, names: readonly string[], { all }: IdentityOptions): readonly Holder[] {
  if (all && names.length > 0) throw new UsageError("give names or --all, not both");
  if (names.length > 0) return byName(model, names);
  if (action === "create") return holders(model);
  if (!all)
    throw new UsageError(
      `which? Give names, or --all: ${holders(model)
        .map((holder) => holder.name)
        .join(", ")}`,
    );
  return holders(model).filter(({ kind }) => kind !== "server");
}

function byName(model: Model, names: readonly string[]): readonly Holder[] {
  const known = new Map(holders(model).map((holder) => [holder.name, holder]));
  return [...new Set(names)].map((name) => {
    const holder = known.get(name);
    if (holder) return holder;
    const near = nearest(name, [...known.keys()]);
    throw new UsageError(
      `there is no identity "${name}"${near ? ` (Did you mean ${near}?)` : ""}. There are: ${[...known.keys()].join(", ")}`,
    );
  });
}

/** Nanoseconds until what was written is everywhere. */
function waitOf(model: Model, options: IdentityOptions): number {
  if (options.wait === undefined) return takesEffectWithin(model, options);
  if (!isDuration(options.wait)) throw new UsageError(`--wait is "${options.wait}", expected a duration such as "7m"`);
  return nanoseconds(options.wait);
}

/** A client cannot have moved to what has not reached it: ending the previous credential then would lock it out. Nor can a volume have begun with it. */
async function tooEarly(
  prepared: readonly Prepared[],
  { environment }: Model,
  store: SecretStore,
  wait: number,
): Promise<boolean> {
  const early: string[] = [];
  for (const { holder, steps } of prepared) {
    const { client, server } = documentIds(environment, holder);
    const at = steps.length > 0 ? await store.writtenAt(client ?? server) : undefined;
    const age = at ? (Date.now() - at.getTime()) * 1e6 : Number.POSITIVE_INFINITY;
    if (age < wait) early.push(`${holder.name} (${formatDuration(age)} ago)`);
  }
  if (early.length === 0) return false;
  log(
    `Nothing was finished: what is new reaches clients and servers within ${formatDuration(wait)}, and these were written just now: ` +
      `${early.join(", ")}. Wait, let them move, then finish; or give --wait 0s if they all have moved.`,
  );
  return true;
}
