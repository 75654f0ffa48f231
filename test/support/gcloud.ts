/**
 * Stands in for gcloud, which needs an account: keeps every version of a secret as a file, and records how it was called and
 * what the machine's process list shows meanwhile. Its failures are worded after what gcloud is known to say; none was met here.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

const program = String.raw`#!${process.execPath}
const { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const root = process.env.FAKE_GCLOUD;
const args = process.argv.slice(2);
appendFileSync(join(root, "argv"), args.join(" ") + "\n");
let seen = "";
for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
  try {
    seen += readFileSync("/proc/" + pid + "/cmdline", "utf8").replaceAll("\0", " ") + "\n";
  } catch {}
}
appendFileSync(join(root, "processes"), seen);
const fail = (text) => {
  process.stderr.write("ERROR: (gcloud.secrets) " + text + "\n");
  process.exit(1);
};
if (process.env.FAKE_GCLOUD_SAYS) fail(process.env.FAKE_GCLOUD_SAYS);
const value = (name) => args.find((arg) => arg.startsWith("--" + name + "="))?.slice(name.length + 3);
const input = () => (value("data-file") === "-" ? readFileSync(0, "utf8") : fail("no data on stdin"));
const folder = (id) => join(root, "secrets", value("project"), id);
const versions = (id) => (existsSync(folder(id)) ? readdirSync(folder(id)).sort((a, b) => a - b) : []);
function add(id) {
  const left = join(root, "writes-left");
  if (existsSync(left)) {
    const count = Number(readFileSync(left, "utf8"));
    if (count === 0) fail("UNAVAILABLE: The service is currently unavailable.");
    writeFileSync(left, String(count - 1));
  }
  writeFileSync(join(folder(id), String(versions(id).length + 1)), input());
}
const [, verb, what, third] = args;
if (verb === "create") {
  if (existsSync(folder(what))) fail("Resource in projects [1] is the subject of a conflict: Secret [projects/1/secrets/" + what + "] already exists.");
  mkdirSync(folder(what), { recursive: true });
  add(what);
} else if (verb === "versions" && what === "add") {
  if (!existsSync(folder(third))) fail("NOT_FOUND: Secret [projects/1/secrets/" + third + "] not found.");
  add(third);
} else if (verb === "versions") {
  const id = value("secret");
  const latest = versions(id).at(-1);
  if (!latest) fail("NOT_FOUND: Secret [projects/1/secrets/" + id + "] not found or has no versions.");
  process.stdout.write(what === "access" ? readFileSync(join(folder(id), latest)) : (process.env.FAKE_GCLOUD_AT || "2026-11-01T10:00:00.000000Z") + "\n");
} else fail("unknown command");
`;

export interface Gcloud {
  /** For the commands that shall find it. */
  readonly env: Readonly<Record<string, string>>;
  /** Lets so many writes through, then fails. */
  readonly allowWrites: (count: number | undefined) => void;
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
  writeFileSync(join(bin, "gcloud"), program);
  chmodSync(join(bin, "gcloud"), 0o755);
  const read = (file: string): string => (existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : "");
  const files = (): string[] =>
    readdirSync(join(root, "secrets"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  return {
    env: { PATH: `${bin}${delimiter}${process.env.PATH}`, FAKE_GCLOUD: root },
    allowWrites: (count) => writeFileSync(join(root, "writes-left"), String(count ?? Number.MAX_SAFE_INTEGER)),
    documents: (project) => {
      const place = join(root, "secrets", project);
      const latest = (id: string) => String(readdirSync(join(place, id)).length);
      const ids = existsSync(place) ? readdirSync(place).filter((id) => latest(id) !== "0") : [];
      return Object.fromEntries(ids.map((id) => [id, JSON.parse(readFileSync(join(place, id, latest(id)), "utf8"))]));
    },
    everything: () => files().map((file) => readFileSync(file, "utf8")),
    argv: () => read("argv"),
    processes: () => read("processes"),
  };
}
