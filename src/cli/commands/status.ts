/** `circl status`: health of a live cluster against the model. Connects with a client that cannot write. */
import { openReader } from "../../connect/nats.ts";
import { assertCluster } from "../../jetstream/plan.ts";
import { status } from "../../jetstream/status.ts";
import { observeSteady } from "../../jetstream/steady.ts";
import { type ConnectionOptions, reach } from "../connection.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { renderHealth, statusJson, statusMarkdown } from "../output/status.ts";
import { lookOf, print, printJson } from "../output/terminal.ts";
import { assertStreams, soundModel } from "./plan.ts";

export interface StatusOptions extends ConnectionOptions {
  readonly json?: boolean;
  readonly format?: "text" | "markdown";
  readonly target?: readonly string[];
}

export async function run(name: string, options: StatusOptions): Promise<ExitCode> {
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  assertStreams(model, options.target);
  await using reached = await reach(options, model.environment);
  await using reader = await openReader(reached.target);
  assertCluster(model, reader.server);
  const observed = await observeSteady(
    reader,
    model.streams.map(({ name }) => name),
  );
  const health = status(model, observed, Date.now() * 1e6, options.target);
  if (options.json) printJson(statusJson(health));
  else if (options.format === "markdown") print(statusMarkdown(health));
  else print(renderHealth(health, lookOf(process.stdout)));
  return health.problems > 0 ? exitCodes.problems : exitCodes.done;
}
