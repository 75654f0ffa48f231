/** The README's quick tour, taken. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { freePorts } from "../../src/proof/ports.ts";
import { circl, root } from "../cli/circl.ts";
import { stop } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");
const [, tour = ""] = /## A quick tour\n(.*?)^## /ms.exec(readme) ?? [];
const [, server = ""] = /```sh\nnats-server (.+?) +&/.exec(tour) ?? [];
/** Address that the page uses; a test takes a free port. */
const SHOWN = "127.0.0.1:4222";

/** Commands of the page with what it shows of their output; `...` stands for any lines. */
const steps = [...tour.matchAll(/^\$ bin\/circl ([^\n]+)\n(.*?)(?=\n\$ |\n?```)/gms)].map(
  ([, command = "", shown = ""]) => ({ command, shown: shown.trim() }),
);
const patternOf = (shown: string): RegExp =>
  new RegExp(
    `^${shown
      .split(/^\.\.\.$/m)
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("[^]*")}$`,
  );

/** Waits until the port answers. */
async function answers(port: number): Promise<void> {
  for (const end = Date.now() + 50_000; Date.now() < end; await sleep(100)) {
    const open = await new Promise<boolean>((done) => {
      const socket = connect(port, "127.0.0.1", () => done(true)).on("error", () => done(false));
      socket.on("connect", () => socket.destroy());
    });
    if (open) return;
  }
  throw new Error(`nobody listens on ${port}`);
}

describe.skipIf(without("nats-server"))("the quick tour", () => {
  test("plans, applies and finds nothing left, as the README shows", async () => {
    expect(steps.map(({ command }) => command.split(" ")[0])).toEqual(["plan", "apply", "plan"]);
    const folder = mkdtempSync(join(tmpdir(), "circl-tour-"));
    const [port = 0] = await freePorts(1);
    const args = [...server.split(" "), "-a", "127.0.0.1", "-p", String(port), "-sd", folder];
    const child = spawn(tool("nats-server"), args, { stdio: "ignore" });
    try {
      await answers(port);
      for (const { command, shown } of steps) {
        const { code, stdout } = await circl(command.replace(SHOWN, `127.0.0.1:${port}`).split(" "));
        expect(code, command).toBe(0);
        expect(stdout.replaceAll(`127.0.0.1:${port}`, SHOWN).trim()).toMatch(patternOf(shown));
      }
    } finally {
      await stop(child);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test("circl check says about production what the README shows, to the letter", async () => {
  const [, shown] = /\$ bin\/circl check production\n(.*?)```/s.exec(readme) ?? [];
  expect((await circl(["check", "production"])).stdout).toBe(shown);
});
