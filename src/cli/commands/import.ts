/** `circl import`: a stream file from what is there already, in JSON files or on a live server. Its client cannot write. */
import { existsSync, readFileSync } from "node:fs";
import { openReader } from "../../connect/nats.ts";
import { type Imported, importStream } from "../../jetstream/import.ts";
import { type Found, findInFiles, type ImportProblem } from "../../jetstream/import-files.ts";
import { findLive } from "../../jetstream/import-live.ts";
import { resolveModel } from "../../model/resolve.ts";
import type { StreamInput } from "../../model/stream.ts";
import { type ConnectionOptions, reach } from "../connection.ts";
import { definitions } from "../definitions.ts";
import { chooseEnvironments } from "../environment-names.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import { errorsOf, inspect, type SharedProblem, shareProblems } from "../inspection.ts";
import { renderDefinitions } from "../output/definitions.ts";
import { count, renderProblems } from "../output/problems.ts";
import { log, lookOf, print } from "../output/terminal.ts";
import { visible } from "../output/visible.ts";

export interface ImportOptions extends ConnectionOptions {
  readonly env: string;
}

export async function run(files: readonly string[], options: ImportOptions): Promise<ExitCode> {
  chooseEnvironments([options.env], definitions);
  const report = importFound(files.length > 0 ? findInFiles(read(files)) : await askServer(options), options.env);
  if (report.streams.length > 0) print(renderDefinitions(report.streams));
  const look = lookOf(process.stderr);
  for (const { name, says } of report.notes) log(visible(`  ${name} ${says}`));
  for (const { name, says } of report.problems) log(look.colours.red(visible(`! ${name} ${says}`)));
  const errors = errorsOf(report.broken);
  log(renderProblems(errors, look));
  log(summaryOf(report, errors.length));
  return report.problems.length + errors.length > 0 ? exitCodes.problems : exitCodes.done;
}

const read = (files: readonly string[]) =>
  files.map((file) => {
    if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
    return { file, text: readFileSync(file, "utf8") };
  });

async function askServer(options: ImportOptions): Promise<Found> {
  const { server, context, kubectl } = options;
  if (!server && !context && !kubectl) {
    throw new UsageError("from where? Name JSON files, or give --server, --context or --kubectl");
  }
  await using reached = await reach(options, resolveModel(options.env, definitions).model?.environment);
  await using reader = await openReader(reached.target);
  // Not before it is done may the connection close.
  return await findLive(reader);
}

export interface ImportReport {
  readonly streams: readonly Imported[];
  /** What could not be imported. */
  readonly problems: readonly ImportProblem[];
  /** What was not meant to be. */
  readonly notes: readonly ImportProblem[];
  /** Rules that the definitions break. */
  readonly broken: readonly SharedProblem[];
}

/** Sessions are made by their clients; as plain streams they would break (S004). */
const RESERVED = /^\$MQTT_/;

export function importFound({ streams, problems }: Found, environment: string): ImportReport {
  const services = Object.keys(definitions.services);
  const plain = streams.filter(({ config }) => !RESERVED.test(String(config.name)));
  const imported = plain.map((stream) => importStream(stream, services));
  const nothing = imported.length === 0 ? [{ name: environment, says: "has nothing to import" }] : [];
  return {
    streams: imported,
    problems: [...problems, ...imported.flatMap(unsaidOf), ...nothing],
    notes: [
      ...streams
        .filter((stream) => !plain.includes(stream))
        .map(({ config }) => ({
          name: String(config.name),
          says: "is left out: MQTT sessions belong to clients",
        })),
      ...imported.flatMap(({ definition, leftOut }) =>
        leftOut
          .filter(({ unsaid }) => unsaid.length === 0)
          .map(({ name }) => ({ name: `${definition.name}/${name}`, says: "is left out: it is not durable" })),
      ),
    ],
    broken: checkImported(
      imported.map(({ definition }) => definition),
      environment,
    ),
  };
}

function unsaidOf({ definition, unsaid, leftOut }: Imported): ImportProblem[] {
  const stream = String(definition.name);
  return [
    ...unsaid.map(({ field, value }) => ({
      name: stream,
      says: `has ${field} ${JSON.stringify(value)}, which definitions cannot say: a plan would take it away`,
    })),
    ...leftOut.flatMap(({ name, unsaid: fields }) =>
      fields.map(({ field, value }) => ({
        name: `${stream}/${name}`,
        says: `has ${field} ${JSON.stringify(value)}, which definitions cannot say: the consumer is left out`,
      })),
    ),
  ];
}

/** What rules about streams say of the definitions alone, in an environment. */
function checkImported(streams: readonly StreamInput[], environment: string): SharedProblem[] {
  const inspection = inspect(environment, { ...definitions, streams: { imported: streams } });
  return shareProblems([{ ...inspection, problems: inspection.problems.filter(({ code }) => code.startsWith("S")) }]);
}

/** `2 streams, 3 consumers imported: 1 error, 4 warnings.` */
function summaryOf({ streams, problems, broken }: ImportReport, errors: number): string {
  const consumers = streams.reduce((sum, { definition }) => sum + (definition.consumers?.length ?? 0), 0);
  const left = problems.length > 0 ? ` ${count(problems.length, "problem")} with what is there.` : "";
  return (
    `${count(streams.length, "stream")}, ${count(consumers, "consumer")} imported: ${count(errors, "error")}, ` +
    `${count(broken.length - errors, "warning")} by \`circl check\` once this is in streams/.${left}`
  );
}
