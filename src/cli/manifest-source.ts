/** Reads manifests from folders and from commits. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "../deploy/object.ts";
import { Failure, UsageError } from "./failures.ts";

export interface Manifests {
  readonly objects: readonly KubeObject[];
  /** Of the files' content: equal for equal manifests, wherever they lie. */
  readonly digest: string;
}

/** The folder of an environment: `folder` itself, or the one of its name in it. @throws UsageError where neither holds manifests */
export function manifestsIn(folder: string, environment: string): Manifests {
  const place = [join(folder, environment), folder].find((candidate) => filesIn(candidate).length > 0);
  if (!place) throw new UsageError(`there are no manifests in ${folder}`);
  return parse(filesIn(place).map((file) => [file, readFileSync(join(place, file), "utf8")]));
}

const isManifest = (file: string): boolean => file.endsWith(".k8s.yaml");

const filesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).filter(isManifest).sort() : []);

/** `dist/<environment>` as it was at a commit. @throws Failure where this clone does not have it */
export function manifestsAt(commit: string, environment: string, root: string): Manifests {
  const folder = `dist/${environment}`;
  try {
    const files = git(root, "ls-tree", "--name-only", `${commit}:${folder}`).split("\n").filter(isManifest).sort();
    return parse(files.map((file) => [file, git(root, "show", `${commit}:${folder}/${file}`)]));
  } catch (cause) {
    throw new Failure(
      `${folder} of commit ${commit} cannot be read here: ${lastLine(cause)}. Fetch the whole history ` +
        "(git fetch --unshallow), or give the folder that was deployed then with --previous DIR.",
      { cause },
    );
  }
}

/** The same where this clone has it; undefined where it does not. */
export function manifestsOf(commit: string, environment: string, root: string): Manifests | undefined {
  try {
    return manifestsAt(commit, environment, root);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** The commit that is checked out; undefined outside of a repository. */
export function currentCommit(root: string): string | undefined {
  try {
    return git(root, "rev-parse", "HEAD").trim();
  } catch {
    return undefined;
  }
}

const git = (root: string, ...args: readonly string[]): string =>
  execFileSync("git", ["-C", root, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 2 ** 26,
  });

const lastLine = (error: unknown): string =>
  ((error as { stderr?: string }).stderr ?? String(error)).trim().split("\n").at(-1) ?? "";

function parse(files: readonly (readonly [name: string, text: string])[]): Manifests {
  const hash = createHash("sha256");
  const objects = files.flatMap(([name, text]) => {
    hash.update(`${name}\0${text.length}\0`).update(text);
    return parseAllDocuments(text).map((document) => {
      if (document.errors[0]) throw new Failure(`${name}: ${document.errors[0].message}. Run circl synth again.`);
      return document.toJS() as KubeObject;
    });
  });
  return { objects, digest: hash.digest("hex") };
}
