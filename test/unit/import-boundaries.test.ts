import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What each room may import, besides itself and src/units.ts. Edges (app.ts, cli) are listed as rooms of their own. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "src/units.ts": [],
  "src/model": [],
  "src/kubernetes": ["src/model"],
  "src/grafana": ["src/kubernetes"],
  "src/nats": ["src/grafana", "src/kubernetes", "src/model"],
  "src/tile38": ["src/grafana", "src/kubernetes", "src/model"],
  "src/clients": ["src/tile38", "src/kubernetes", "src/model"],
  "src/dashboards": ["src/grafana", "src/nats", "src/tile38", "src/model"],
  "src/charts": [
    "src/clients",
    "src/dashboards",
    "src/grafana",
    "src/nats",
    "src/tile38",
    "src/kubernetes",
    "src/model",
  ],
  "src/jetstream": ["src/model"],
  "src/identity": ["src/clients", "src/nats", "src/tile38", "src/kubernetes", "src/model"],
  "src/audit": ["src/jetstream", "src/model"],
  "src/deploy": ["src/jetstream", "src/nats", "src/kubernetes", "src/model"],
  "src/connect": ["src/jetstream", "src/deploy", "src/identity"],
  "src/rules": ["src/model", "src/kubernetes", "src/grafana", "src/nats", "src/tile38"],
  "src/proof": ["src/connect", "src/identity", "src/jetstream", "src/kubernetes", "src/model"],
  "src/app.ts": ["src/charts", "src/model"],
  "src/cli": [
    "src/app.ts",
    "src/model",
    "src/rules",
    "src/jetstream",
    "src/audit",
    "src/connect",
    "src/deploy",
    "src/identity",
    "src/kubernetes",
    "src/nats",
    "src/grafana",
    "src/dashboards",
    "src/proof",
    "environments",
    "streams",
  ],
  environments: ["src/model"],
  streams: ["src/model"],
};
/** Whose types a room may name without running its code. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = { "src/rules": ["src/jetstream"] };
/** Libraries that only the named rooms may load: `plan` must start without cdk8s, and only edges talk to servers. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  cdk8s: ["src/app.ts", "src/charts", "src/kubernetes", "src/nats", "src/tile38"],
  "cdk8s-plus-28": ["src/app.ts", "src/charts", "src/kubernetes", "src/nats", "src/tile38"],
  constructs: ["src/app.ts", "src/charts", "src/kubernetes", "src/nats", "src/tile38"],
  nats: ["src/connect"],
  ioredis: ["src/connect"],
  commander: ["src/cli"],
  "nkeys.js": ["src/identity"],
  bcryptjs: ["src/identity"],
};

const files = ["src", "environments", "streams"].flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(room, file)),
);
const roomOf = (file: string): string => {
  const room = Object.keys(ALLOWED).find((name) => file === name || file.startsWith(`${name}/`));
  if (!room) throw new Error(`${file} lies in no known room`);
  return room;
};
interface Import {
  readonly name: string;
  readonly type: boolean;
}

const imports = (file: string): Import[] => {
  const text = readFileSync(join(root, file), "utf8");
  const fixed = text.matchAll(/^(?:import|export)( type)? [^;"]*?from "([^"]+)"/gm);
  const lazy = text.matchAll(/import\(\s*"([^"]+)"\s*\)/g);
  return [
    ...[...fixed].map(([, type, name = ""]) => ({ name, type: type !== undefined })),
    ...[...lazy].map(([, name = ""]) => ({ name, type: false })),
  ];
};

test("rooms import only what they may", () => {
  const wrong = files.flatMap((file) =>
    imports(file).flatMap(({ name, type }) => {
      const from = roomOf(file);
      if (!name.startsWith(".")) {
        const library = LIBRARIES[name];
        return !type && library && !library.includes(from) ? [`${file} loads ${name}`] : [];
      }
      const to = relative(root, resolve(root, dirname(file), name));
      if (to === "package.json" || to === "src/units.ts") return [];
      const room = roomOf(to);
      const allowed = [from, ...(ALLOWED[from] ?? []), ...(type ? (TYPES_ONLY[from] ?? []) : [])];
      return allowed.includes(room) ? [] : [`${file} imports ${to}`];
    }),
  );
  expect(wrong).toEqual([]);
});

test("files are short enough to be read at once", () => {
  const lengths = files.map((file) => ({ file, lines: readFileSync(join(root, file), "utf8").split("\n").length }));
  expect(lengths.filter(({ lines }) => lines > 300)).toEqual([]);
  const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(100);
});
