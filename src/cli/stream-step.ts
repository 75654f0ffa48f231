/** The streams' part of a deploy: what plan and apply do, without their own questions. */
import { hostname } from "node:os";
import { openReader, openWriter } from "../connect/nats.ts";
import type { Steps } from "../deploy/report.ts";
import { StepFailure } from "../deploy/step.ts";
import { apply } from "../jetstream/apply.ts";
import { type Plan, plan } from "../jetstream/plan.ts";
import type { Model } from "../model/resolve.ts";
import { policy } from "../rules/changes.ts";
import { type LeaveOptions, missingLeave, withheldBy } from "./commands/apply.ts";
import { type PlanOptions, scopeOf } from "./commands/plan.ts";
import { reach } from "./connection.ts";
import type { NatsServers } from "./deployment.ts";
import { visible } from "./output/visible.ts";

export type StreamOptions = PlanOptions & LeaveOptions;

/** Milliseconds for a stream to have a leader and all its replicas current. */
const READY_TIMEOUT = 120_000;

const nanosecondsNow = (): number => Date.now() * 1e6;

/** What an apply would do now. Its client cannot write. @throws ConnectionFailure; WrongCluster */
export async function planStreams(model: Model, options: StreamOptions, servers: NatsServers): Promise<Plan> {
  await using reached = await reach(await servers.connection(), model.environment);
  await using reader = await openReader(reached.target);
  return await plan(model, reader, policy, nanosecondsNow(), scopeOf(model, options));
}

/**
 * Plans again and applies.
 * @returns streams that were changed with loss or for good
 * @throws StepFailure where leave is missing or a change fails
 */
export async function applyStreams(
  model: Model,
  options: StreamOptions,
  servers: NatsServers,
  steps: Steps,
  interrupted: () => boolean,
): Promise<string[]> {
  return await steps.run("streams", async (say) => {
    await using reached = await reach(await servers.connection(), model.environment);
    await using writer = await openWriter(reached.target);
    const planned = await plan(model, writer, policy, nanosecondsNow(), scopeOf(model, options));
    const withheld = withheldBy(planned, options);
    if (withheld.length > 0) throw new StepFailure(`streams were not applied.${missingLeave(withheld)}`);
    const outcome = await apply(planned, writer, {
      holder: `deploy@${hostname()}`,
      lockWait: READY_TIMEOUT,
      interrupted,
      progress: (name, action) => say(visible(`${name}: ${action}`)),
      readyTimeout: READY_TIMEOUT,
    });
    const problems = [
      ...outcome.failed.map(({ name, error }) => `${name}: ${error.message}`),
      ...(outcome.lockLost ? [`the lock was lost: ${outcome.lockLost}`] : []),
    ];
    if (problems.length > 0)
      throw new StepFailure(`${problems.join("; ")}. Not started: ${outcome.notStarted.join(", ") || "nothing"}`);
    say(outcome.done.length > 0 ? `${outcome.done.length} streams and consumers applied` : "nothing to apply");
    return changedForGood(planned).filter((name) => outcome.done.includes(name));
  });
}

const changedForGood = ({ changes }: Plan): string[] =>
  changes
    .filter(
      ({ change, effects }) =>
        change.action === "delete" || effects.some(({ kind }) => kind === "loses" || kind === "irreversible"),
    )
    .map(({ change }) => change.name);

/** Whether a plan would change anything. */
export const plansChanges = ({ summary: { create, update, recreate, delete: deleted } }: Plan): boolean =>
  create + update + recreate + deleted > 0;
