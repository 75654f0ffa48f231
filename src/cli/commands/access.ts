/** `circl access`: who can do what in an environment, who can do one thing, and what a change grants or takes away. */
import { readFileSync } from "node:fs";
import type { Model } from "../../model/resolve.ts";
import { subjectFault } from "../../model/subject.ts";
import { type AccessDocument, type Action, accessOf, diffAccess, whoCan } from "../../nats/access.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { Failure, UsageError } from "../failures.ts";
import { renderAccess, renderAccessDiff, renderWays } from "../output/access.ts";
import { accessMarkdown } from "../output/access-markdown.ts";
import { lookOf, print, printJson } from "../output/terminal.ts";
import { soundModel } from "./plan.ts";

export interface AccessOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly whoCan?: readonly string[];
  readonly diff?: string;
  readonly detailedExitcode?: boolean;
  readonly format?: "text" | "markdown";
}

export async function run(name: string, options: AccessOptions): Promise<ExitCode> {
  if (options.format === "markdown" && options.diff === undefined)
    throw new UsageError("--format markdown needs --diff");
  const question = options.whoCan ? parseQuestion(options.whoCan) : undefined;
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  if (question) return answer(question, model, options);
  if (options.diff !== undefined) return compare(readAccess(options.diff), accessOf(model), options);
  if (options.json) printJson(accessOf(model));
  else print(renderAccess(accessOf(model), lookOf(process.stdout), options.verbose === true));
  return exitCodes.done;
}

interface Question {
  readonly action: Action;
  readonly subject: string;
}

/** @throws UsageError for anything but an action and a subject */
function parseQuestion(words: readonly string[]): Question {
  const [action = "", subject = "", ...rest] = words;
  if ((action !== "publish" && action !== "subscribe") || subject === "" || rest.length > 0) {
    throw new UsageError(
      `--who-can is "${words.join(" ")}", expected publish or subscribe and one subject, for example --who-can publish circl.oms.order.created`,
    );
  }
  const fault = subjectFault(subject);
  if (fault) throw new UsageError(`the subject "${subject}" ${fault}`);
  return { action, subject };
}

function answer({ action, subject }: Question, model: Model, { json }: AccessOptions): ExitCode {
  const ways = whoCan(action, subject, model);
  if (json) printJson({ formatVersion: 1, environment: model.environment.name, action, subject, ways });
  else print(renderWays(ways, action, subject));
  return exitCodes.done;
}

function compare(before: AccessDocument, after: AccessDocument, options: AccessOptions): ExitCode {
  const { json, format, detailedExitcode } = options;
  const changes = diffAccess(before, after);
  if (json) printJson({ formatVersion: 1, before: before.environment, after: after.environment, changes });
  else if (format === "markdown") print(accessMarkdown(changes, before.environment, after.environment));
  else print(renderAccessDiff(changes, before.environment, after.environment));
  return detailedExitcode && changes.length > 0 ? exitCodes.changes : exitCodes.done;
}

/** @throws Failure for a file that is none of ours */
function readAccess(file: string): AccessDocument {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new Failure(`${file} cannot be read. Make it: circl access <environment> --json > ${file}`, { cause });
  }
  try {
    const document = JSON.parse(text) as AccessDocument;
    const fits = ({ publish, subscribe, name }: AccessDocument["identities"][number]) =>
      typeof name === "string" && Array.isArray(publish) && Array.isArray(subscribe);
    if (document.formatVersion === 1 && document.identities.every(fits)) return document;
  } catch (cause) {
    throw new Failure(`${file} is no document of circl access --json`, { cause });
  }
  throw new Failure(`${file} is no document of circl access --json that this version reads (formatVersion 1)`);
}
