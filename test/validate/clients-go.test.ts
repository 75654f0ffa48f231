import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, runProgram, temporaryFolder } from "../cli/circl.ts";
import { page, runExample, SAID } from "../support/examples.ts";
import { without } from "../support/tools.ts";

/** Whose go.mod pins the client of Go: the nats command is made of it. */
const module = join(root, "tools/nats-cli");
const pinned = /\tgithub\.com\/nats-io\/nats\.go v(\d+\.\d+)\./.exec(readFileSync(join(module, "go.mod"), "utf8"))?.[1];

const { code: goFails, stderr: why } = await runProgram("go", ["version"]);
if (goFails !== 0) process.stderr.write(`\nMISSING go: the example in Go is not run\n${why}\n\n`);

describe.skipIf(without("nats-server", "test-ca", "secret-template", "nats-cli"))(
  "the example in Go of docs/security.md",
  () => {
    test("names the version of the client that it is run with", () => {
      expect(page).toContain(`\`github.com/nats-io/nats.go\` ${pinned} `);
    });

    // Where CI is set nothing is skipped: then it fails with what Go said.
    test.skipIf(goFails !== 0 && !process.env.CI)("runs with the files of its Secret and nothing else", async () => {
      using folder = temporaryFolder();
      const program = join(folder.path, "example");
      const outcome = await runExample("go", async (source) => {
        writeFileSync(join(folder.path, "main.go"), source);
        const build = ["build", "-buildvcs=false", "-o", program, join(folder.path, "main.go")];
        const env = { GOWORK: "off", GOFLAGS: "-mod=readonly", CGO_ENABLED: "0" };
        expect(await runProgram("go", build, { cwd: module, env })).toMatchObject({ code: 0 });
        return runProgram(program, []);
      });
      expect(outcome).toEqual({ code: 0, stdout: SAID, stderr: "" });
    });
  },
);
