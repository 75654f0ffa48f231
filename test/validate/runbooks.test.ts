/** The commands of the runbooks as the real `nats` command knows them, and as real servers let the people of their contexts. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import { inboxPrefix } from "../../src/model/identity.ts";
import { realModel } from "../support/definitions.ts";
import { type Backbone, startBackbone } from "../support/identities.ts";
import { createAll } from "../support/jetstream.ts";
import { pages, wordsOf } from "../support/runbooks.ts";
import { tool, without } from "../support/tools.ts";

/** What the help says of the deepest command that `words` begin with. */
async function helpOf(words: readonly string[]): Promise<{ readonly depth: number; readonly text: string }> {
  for (let depth = words.length; depth > 0; depth--) {
    // It fails for a word that it does not expect.
    const run = promisify(execFile)(tool("nats-cli"), [...words.slice(0, depth), "--help"]);
    const { stdout } = await run.catch(() => ({ stdout: "" }));
    if (new RegExp(`^usage: nats ${words.slice(0, depth).join(" ")}( [[<]|$)`, "m").test(stdout))
      return { depth, text: stdout };
  }
  return { depth: 0, text: "" };
}

async function faultsOf(command: string): Promise<string[]> {
  const words = wordsOf(command).slice(1);
  const flags = words.filter((word) => word.startsWith("--"));
  // Up to the first value of an option or argument that is no word of a command.
  const plain = words.filter((word, i) => !word.startsWith("-") && words[i - 1] !== "--context");
  const end = plain.findIndex((word) => !/^[a-z-]+$/.test(word));
  const { depth, text } = await helpOf(end < 0 ? plain : plain.slice(0, end));
  if (depth === 0 || /<command>/.test(text.split("\n")[0] ?? "")) return [`no nats ${plain.join(" ")}`];
  return flags
    .filter((flag) => !new RegExp(`--(\\[no-\\])?${flag.slice(2)}\\b`).test(text))
    .map((flag) => `no ${flag}`);
}

describe.skipIf(without("nats-cli"))("the runbooks", () => {
  const commands = new Set(pages.flatMap((page) => page.commands).filter((command) => command.startsWith("nats ")));

  test("use the nats command, and a good part of it", () => {
    expect(commands.size).toBeGreaterThan(20);
  });

  test.each([...commands])("%s", async (command) => {
    expect(await faultsOf(command)).toEqual([]);
  });

  test.each([
    ["nats --context circl stream inform circl_iot", ["no nats stream inform circl_iot"]],
    ["nats --context circl stream info --all-of-it circl_iot", ["no --all-of-it"]],
  ])("%s would be found", async (command, faults) => {
    expect(await faultsOf(command)).toEqual(faults);
  });
});

describe.skipIf(without("nats-cli", "nats-server", "test-ca", "secret-template"))(
  "a person",
  { timeout: 120_000 },
  () => {
    const model = realModel("production");
    const typed = [
      ...new Set(pages.flatMap(({ commands }) => commands).filter((command) => command.startsWith("nats --context "))),
    ];
    /** What the servers refuse while one command runs; streams that are not there are no matter. */
    async function refusalsOf(backbone: Backbone, command: string): Promise<string[]> {
      const [, , who = "", ...words] = wordsOf(command);
      // Asked on a terminal whether one is sure.
      const sure = words.some((word) => ["purge", "rmm", "resume"].includes(word)) ? ["--force"] : [];
      const { servers, nkeyFile = "", tls } = backbone.target(who);
      const folder = await mkdtemp(join(tmpdir(), "circl-nats-"));
      try {
        const login = ["--server", `tls://${servers[0]}`, "--nkey", nkeyFile, "--tlsca", tls?.ca ?? ""];
        const args = [
          ...login,
          "--inbox-prefix",
          inboxPrefix({ name: who }, model),
          "--timeout",
          "2s",
          ...words,
          ...sure,
        ];
        const home = { HOME: folder, XDG_CONFIG_HOME: folder, PATH: "" };
        const ran = promisify(execFile)(tool("nats-cli"), args, { env: home, timeout: 20_000 });
        // A request that is refused is a time-out to the command: the server's log says what it was.
        const [server] = backbone.cluster.servers;
        const log = () => server?.log() ?? "";
        const before = log().length;
        const { stdout, stderr } = await ran.catch((failure: { stdout: string; stderr: string }) => failure);
        expect(stdout + stderr).not.toMatch(/authorization violation|x509|connection refused/i);
        return log()
          .slice(before)
          .split("\n")
          .filter((line) => /(publish|subscription) violation/i.test(line));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }

    test("may do all that the runbooks say, and is refused what they say nobody may", async () => {
      await using backbone = await startBackbone(model);
      const connection = await backbone.as("stream-sync");
      await createAll(connection, desiredState(model));
      await connection.close();
      const refused: Record<string, string[]> = {};
      for (const command of typed) {
        const lines = await refusalsOf(backbone, command);
        if (lines.length > 0) refused[command] = lines;
      }
      expect(refused).toEqual({});
      expect(await refusalsOf(backbone, "nats --context operator-streams stream purge circl_oms")).not.toEqual([]);
    });
  },
);
