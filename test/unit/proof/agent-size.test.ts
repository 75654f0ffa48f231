/** The node agent stays small enough to be read in an hour: a proof is worth what those who read it can check. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const proof = fileURLToPath(new URL("../../../src/proof", import.meta.url));
const agent = join(proof, "agent");
/** Beside its folder: the disks that it gives to pods, its client of the API, what runs its programs, and what ends its parts. */
const BESIDE = ["disks.ts", "api.ts", "system.ts", "parts.ts"].map((file) => join(proof, file));
const FILES = [...readdirSync(agent).map((file) => join(agent, file)), ...BESIDE];

/** Lines that are neither empty nor a comment. */
const linesOf = (text: string): number =>
  text
    .replaceAll(/^\s*\/\*\*[\s\S]*?\*\/$/gm, "")
    .split("\n")
    .filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length;

test("the node agent takes less than 1 500 lines of code, with everything that it is made of", () => {
  const lines = FILES.map((file) => linesOf(readFileSync(file, "utf8"))).reduce((sum, count) => sum + count, 0);
  expect(lines).toBeGreaterThan(1_000);
  expect(lines).toBeLessThan(1_500);
});

test("nothing of it lies where it is not counted", () => {
  const imported = FILES.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/ from "(\.{1,2}\/[^"]+)"/g)].map(([, path = ""]) =>
      resolve(dirname(file), path),
    ),
  );
  expect(imported.length).toBeGreaterThan(FILES.length);
  expect([...new Set(imported)].filter((file) => !FILES.includes(file))).toEqual([]);
});
