/**
 * Stands in for gcloud, which needs an account: keeps every version of a secret as a file, and records how it was called and
 * what the machine's process list shows meanwhile. Its failures are worded after what gcloud is known to say; none was met here.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

const program = new URL("./gcloud.sh", import.meta.url);

export interface Gcloud {
  /** For the commands that shall find it. */
  readonly env: Readonly<Record<string, string>>;
  /** Lets so many writes through, then fails. */
  readonly allowWrites: (count: number | undefined) => void;
  /** Lets nobody read the newest version of a secret. */
  readonly close: (project: string, id: string, state: "DISABLED" | "DESTROYED") => void;
  /** Newest document by id. */
  readonly documents: (project: string) => Record<string, Record<string, string>>;
  /** Every version of every document. */
  readonly everything: () => string[];
  readonly argv: () => string;
  readonly processes: () => string;
}

/** @param folder of the test */
export function fakeGcloud(folder: string): Gcloud {
  const [bin, root] = [join(folder, "bin"), join(folder, "gcloud")];
  for (const path of [bin, join(root, "secrets")]) mkdirSync(path, { recursive: true });
  copyFileSync(program, join(bin, "gcloud"));
  chmodSync(join(bin, "gcloud"), 0o755);
  const read = (file: string): string => (existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : "");
  const files = (): string[] =>
    readdirSync(join(root, "secrets"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  const latestOf = (project: string, id: string) => String(readdirSync(join(root, "secrets", project, id)).length);
  return {
    env: { PATH: `${bin}${delimiter}${process.env.PATH}`, FAKE_GCLOUD: root },
    allowWrites: (count) => writeFileSync(join(root, "writes-left"), String(count ?? Number.MAX_SAFE_INTEGER)),
    close: (project, id, state) => writeFileSync(join(root, `state-${id}-${latestOf(project, id)}`), state),
    documents: (project) => {
      const place = join(root, "secrets", project);
      const latest = (id: string) => latestOf(project, id);
      const ids = existsSync(place) ? readdirSync(place).filter((id) => latest(id) !== "0") : [];
      return Object.fromEntries(ids.map((id) => [id, JSON.parse(readFileSync(join(place, id, latest(id)), "utf8"))]));
    },
    everything: () => files().map((file) => readFileSync(file, "utf8")),
    argv: () => read("argv"),
    processes: () => read("processes"),
  };
}
